package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A load is log lines that the agent follows while it is measured: many that say nothing,
// of noisy HSMs, and few that raise an alarm each, of others.
type load struct {
	lines int // a second, of all noisy HSMs together; 0: no logs
	dir   string
	traps *net.UDPConn

	mu      sync.Mutex
	written map[string]time.Time // alarms, by their code
	took    []float64            // seconds from a line to its trap
}

const (
	noisy        = 10 // HSMs whose logs are full
	alarming     = 50 // HSMs with the other logs
	betweenAlarm = 200 * time.Millisecond
	firstCode    = 3000 // of alarms that no catalogue knows: each is one of its own
)

// newLoad listens for traps, if there are to be lines.
func newLoad(dir string, lines int) (*load, error) {
	l := &load{lines: lines, dir: dir, written: make(map[string]time.Time)}
	if lines == 0 {
		return l, nil
	}
	if err := os.WriteFile(l.community(), []byte("public\n"), 0o600); err != nil {
		return nil, err
	}
	var err error
	l.traps, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return l, err
}

func (l *load) close() {
	if l != nil && l.traps != nil {
		l.traps.Close()
	}
}

func (l *load) community() string { return filepath.Join(l.dir, "community") }

func (l *load) file(hsm int) string { return filepath.Join(l.dir, fmt.Sprintf("log-%d", hsm)) }

// logs is the key of an HSM in the configuration.
func (l *load) logs(hsm int) string {
	if l.lines == 0 || hsm >= noisy+alarming {
		return ""
	}
	return fmt.Sprintf("    logs: [%s]\n", l.file(hsm))
}

// receiver is the section of the configuration.
func (l *load) receiver() string {
	if l.lines == 0 {
		return ""
	}
	return fmt.Sprintf("receivers:\n  - name: bench\n    snmp: {address: %q, version: 2c, form: lunawatch, community_file: %s}\n", l.traps.LocalAddr(), l.community())
}

// run writes lines until ctx is done, and takes the traps.
func (l *load) run(ctx context.Context) error {
	if l.lines == 0 {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for hsm := range noisy {
		g.Go(func() error { return l.write(ctx, hsm, 10*time.Millisecond, l.noise) })
	}
	number := 0
	g.Go(func() error {
		return l.write(ctx, noisy, betweenAlarm, func(int) (int, string) {
			number++
			return noisy + number%alarming, l.alarm(number)
		})
	})
	g.Go(func() error { return l.receive(ctx) })
	return g.Wait()
}

// write appends to logs, often: each time what text returns, and to which HSM's.
func (l *load) write(ctx context.Context, hsm int, every time.Duration, text func(hsm int) (int, string)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		to, lines := text(hsm)
		if err := appendTo(l.file(to), lines); err != nil {
			return err
		}
	}
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func stamp() string { return time.Now().Format("2006 Jan _2 15:04:05") }

// noise is the lines of ten milliseconds.
func (l *load) noise(hsm int) (int, string) {
	line := fmt.Sprintf("%s hsm-%04d  local5 info  lunash [4711]: info : 0 : Lush user login : monitor : 10.1.2.3/40000\n", stamp(), hsm+1)
	return hsm, strings.Repeat(line, l.lines/noisy/100)
}

func (l *load) alarm(number int) string {
	code := fmt.Sprintf("ALM%04d", firstCode+number%7000)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written[code] = time.Now()
	return fmt.Sprintf("%s hsm-%04d  kern info  kernel: k7pf0: [HSM] %s: bench\n", stamp(), noisy+number%alarming+1, code)
}

// receive times the traps of alarms.
func (l *load) receive(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = l.traps.SetReadDeadline(time.Unix(1, 0)) })()
	packet := make([]byte, 64<<10)
	for {
		n, err := l.traps.Read(packet)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if i := bytes.Index(packet[:n], []byte("ALM")); i >= 0 && i+7 <= n {
			l.arrived(string(packet[i:i+7]), time.Now())
		}
	}
}

// arrived takes the first trap of an alarm.
func (l *load) arrived(code string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if written, open := l.written[code]; open {
		l.took = append(l.took, at.Sub(written).Seconds())
		delete(l.written, code)
	}
}

// restart forgets the traps so far.
func (l *load) restart() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = nil
	clear(l.written)
}

// figures sets how long traps took, and how many lines had none.
func (l *load) figures(f figures) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines == 0 {
		return
	}
	f["log_lines_per_second"] = float64(l.lines)
	f.quantile("trap_p50_ms", scaled(l.took, 1000), 0.5)
	f.quantile("trap_p99_ms", scaled(l.took, 1000), 0.99)
	f["traps"], f["traps_missing"] = float64(len(l.took)), float64(len(l.written))
}

func scaled(values []float64, by float64) []float64 {
	list := make([]float64, len(values))
	for i, v := range values {
		list[i] = v * by
	}
	return list
}
