package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// A progress is a line on a terminal that says how far long work is, until it ends.
type progress struct {
	mu sync.Mutex
	w  io.Writer // nil: nobody sits there
}

func progressOn(stream io.Writer) *progress {
	if !isTerminal(stream) {
		stream = nil
	}
	return &progress{w: stream}
}

// show replaces the line.
func (p *progress) show(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
	}
}

// end wipes the line out; what is shown afterwards is left out.
func (p *progress) end() {
	p.show("")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w = nil
}

// during shows every second how long something is waited for, until the function that it
// returns is called.
func (p *progress) during(ctx context.Context, what string, wait time.Duration) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	begun := time.Now()
	go func() {
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			p.show("%s, %d of %s", what, int(time.Since(begun).Seconds()), wait)
			select {
			case <-ctx.Done():
				return
			case <-second.C:
			}
		}
	}()
	return func() { stop(); p.end() }
}
