// Package doctor tries once what a configuration names, and says of each what came back
// and what to do. It changes nothing, sends no notification, and asks the running agent
// in place of an HSM where that knows.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/hsm"
)

// A State is how a try ended.
type State string

// The states, best first.
const (
	OK      State = "OK"
	Warning State = "warning" // it works, or is not known to fail, and wants a look
	Failed  State = "failed"
)

// A Finding is what came of one try.
type Finding struct {
	State  State     `json:"state"`
	Of     string    `json:"of"`              // an HSM, a receiver, or a part of this host
	Tried  string    `json:"tried"`           // what, and where
	Result string    `json:"result"`          // what came back
	Took   float64   `json:"took_seconds"`    // of the try
	Layer  hsm.Layer `json:"layer,omitempty"` // where the way to an HSM is dead
	Remedy string    `json:"remedy,omitempty"`
}

// String returns f in one line.
func (f Finding) String() string {
	line := fmt.Sprintf("%-8s %s: %s: %s (%.1f s)", f.State, f.Of, f.Tried, f.Result, f.Took)
	if f.Remedy != "" {
		line += " " + f.Remedy
	}
	return line
}

// A Patient is what is examined.
type Patient struct {
	Config config.Config
	// What a running agent says; nil: none answers, or it does not say.
	Snapshot *hsm.Snapshot
	InForce  *config.InForce
	Silent   error // why no agent answers; nil: one does

	Web       string   // address of the web server, host:port
	Faults    error    // of the files that Config names
	Unchecked []string // files that could not be checked, and why
	Now       time.Time
}

// askTime bounds the questions to a running agent.
const askTime = 2 * time.Second

// Read reads a configuration file, and asks the agent that runs with it. web is where the
// agent's web server is, host:port. If the file cannot be used, the error is that of
// [config.Read].
func Read(ctx context.Context, file, web string) (p Patient, err error) {
	p.Web = web
	if p.Config, err = config.Read(file); err != nil {
		return p, err
	}
	_, p.Unchecked, p.Faults = config.Check(file)
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	client := agent.NewClient(p.Config.ControlSocket)
	if p.Snapshot, p.Silent = client.Snapshot(ctx); p.Silent == nil {
		if inForce, err := client.InForce(ctx); err == nil {
			p.InForce = &inForce
		}
	}
	p.Now = time.Now()
	return p, nil
}

// A trial is one try. Its Finding needs neither Of and Tried nor Took.
type trial struct {
	of, tried string
	try       func(ctx context.Context) Finding
}

const (
	// tryTime bounds one try: with the questions to the agent all are over in 10 s.
	tryTime = 7 * time.Second
	// together is how many tries are under way at once: a hundred HSMs, each with
	// every way, of which all are dead.
	together = 400
)

// Examine tries all that p names, and returns the findings in the order of the
// configuration. progress is called with how many tries of how many have ended, in order.
func (p Patient) Examine(ctx context.Context, progress func(done, all int)) []Finding {
	trials := slices.Concat(p.configuration(), p.sources(), p.logs(), p.receivers(), p.borders())
	found := make([]Finding, len(trials))
	var mu sync.Mutex
	done := 0
	var g errgroup.Group
	g.SetLimit(together)
	for i, c := range trials {
		g.Go(func() error {
			found[i] = c.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			done++
			progress(done, len(trials))
			return nil
		})
	}
	_ = g.Wait() // no trial has an error
	return found
}

// run runs c, and no longer than tryTime: a file system that hangs cannot be interrupted.
func (c trial) run(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	begun := time.Now()
	answer := make(chan Finding, 1)
	go func() { answer <- c.try(ctx) }()
	var f Finding
	select {
	case f = <-answer:
	case <-ctx.Done():
		select {
		case f = <-answer:
		case <-time.After(time.Second / 2): // what noticed the end itself knows more
			f = failed("no answer in time", "Look whether the file system or the name server that it needs hangs.")
		}
	}
	f.Of, f.Tried, f.Took = c.of, c.tried, time.Since(begun).Seconds()
	return f
}

func ok(format string, args ...any) Finding {
	return Finding{State: OK, Result: fmt.Sprintf(format, args...)}
}

func warning(result, remedy string) Finding {
	return Finding{State: Warning, Result: result, Remedy: remedy}
}

func failed(result, remedy string) Finding {
	return Finding{State: Failed, Result: result, Remedy: remedy}
}
