package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/lunawatch/lunawatch/simulator"
)

// A plan is how each measurement is made.
type plan struct {
	every    intervals
	warmUp   time.Duration // after every HSM was read
	window   time.Duration // that is measured
	between  time.Duration // from the end of a scrape to the next one
	readable time.Duration // until every HSM must have been read
	lines    int           // log lines a second; 0: no logs
	hang     string        // pattern of the HSMs that hang; "": none
}

// figures are what was measured, by the keys of rows. What is not known is absent.
type figures map[string]float64

// measure starts an agent against a fleet of its own, measures it and ends both. With an
// error, it returns what was measured before.
func (p plan) measure(parent context.Context, dir, lunasim, agent string, size int) (figures, error) {
	ctx, cancel := context.WithCancel(parent)
	s, err := startStage(ctx, dir, lunasim, agent, size, p.lines, p.every)
	defer s.end()
	defer cancel()
	f := make(figures)
	if err != nil {
		return f, err
	}
	if err := s.untilRead(ctx, f, size, p.readable); err != nil {
		return f, err
	}
	loading, unload := context.WithCancel(ctx)
	loaded := make(chan error, 1)
	go func() { loaded <- s.load.run(loading) }()
	err = p.underLoad(ctx, s, f, size)
	unload()
	if err := errors.Join(err, <-loaded); err != nil {
		return f, err
	}
	s.load.figures(f)
	if err := s.memory(f); err != nil {
		return f, err
	}
	return f, s.walk(ctx, f)
}

// underLoad has some HSMs hang, warms up, and sets the figures of the window.
func (p plan) underLoad(ctx context.Context, s *stage, f figures, size int) error {
	if p.hang != "" {
		if err := simulator.InjectInto(ctx, s.state, p.hang, simulator.Event{Name: "hang"}); err != nil {
			return err
		}
	}
	var reads rhythm
	if _, err := p.watch(ctx, s, p.warmUp, &reads); err != nil {
		return err
	}
	s.load.restart()
	return p.inWindow(ctx, s, f, size, &reads)
}

// inWindow sets the figures of the window.
func (p plan) inWindow(ctx context.Context, s *stage, f figures, size int, reads *rhythm) error {
	before, err := s.counts(ctx)
	if err != nil {
		return err
	}
	from := unixNow()
	w, err := p.watch(ctx, s, p.window, reads)
	if err != nil {
		return err
	}
	end := unixNow()
	last, err := get(ctx, s.web, s.agent.pid(), false) // what was read since the last scrape is not missing
	if err != nil {
		return err
	}
	reads.add(last.reads)
	after, err := s.counts(ctx)
	if err != nil {
		return err
	}
	late := reads.without(p.hang).lateness(p.every.fast.Seconds(), from, end)
	f.quantile("lateness_p50_seconds", late, 0.5)
	f.quantile("lateness_p99_seconds", late, 0.99)
	f["lateness_reads"] = float64(len(late))
	w.costs(f, size)
	f["connections"] = float64(after.Connections)
	f["logins"] = float64(after.Logins)
	f["commands_per_hsm_minute"] = float64(after.Commands-before.Commands) / float64(size) / ((end - from) / 60)
	return nil
}

// counts asks the fleet for its counts.
func (s *stage) counts(ctx context.Context) (simulator.Counts, error) {
	return simulator.CountsOf(ctx, s.state)
}

func unixNow() float64 { return float64(time.Now().UnixMilli()) / 1000 }

func (f figures) quantile(key string, values []float64, q float64) {
	if v, known := quantile(values, q); known {
		f[key] = v
	}
}

// untilRead waits until every appliance has answered a command and the agent says that it
// has read hsm show of each.
func (s *stage) untilRead(ctx context.Context, f figures, size int, limit time.Duration) error {
	for {
		c, err := s.counts(ctx)
		if err != nil {
			return err
		}
		if c.Answered == size {
			break
		}
		if time.Since(s.begun) > limit {
			return fmt.Errorf("%d of %d HSMs were asked within %s", c.Answered, size, limit)
		}
		if err := s.sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	f["first_read_seconds"] = time.Since(s.begun).Seconds()
	for {
		seen, err := get(ctx, s.web, s.agent.pid(), false)
		if err == nil && len(seen.reads) == size {
			return nil
		}
		if time.Since(s.begun) > limit {
			return fmt.Errorf("%d of %d HSMs were read within %s: %w", len(seen.reads), size, limit, err)
		}
		if err := s.sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// A watched is what was seen of an agent for a while.
type watched struct {
	seconds float64
	cpu     float64 // seconds, of scrapes too
	scrapes []scrape
}

// watch scrapes the agent for a while, plain and with gzip in turns.
func (p plan) watch(ctx context.Context, s *stage, d time.Duration, reads *rhythm) (watched, error) {
	var w watched
	before, err := cpuSeconds(s.agent.pid())
	if err != nil {
		return w, err
	}
	begun := time.Now()
	for {
		seen, err := get(ctx, s.web, s.agent.pid(), len(w.scrapes)%2 == 1)
		if err != nil {
			return w, err
		}
		w.scrapes = append(w.scrapes, seen)
		reads.add(seen.reads)
		remaining := d - time.Since(begun)
		if err := s.sleep(ctx, min(p.between, remaining)); err != nil {
			return w, err
		}
		if remaining <= p.between {
			break
		}
	}
	w.seconds = time.Since(begun).Seconds()
	after, err := cpuSeconds(s.agent.pid())
	w.cpu = after - before
	return w, err
}

// costs sets what a window says of the agent's cost. The CPU time of a scrape is what the
// agent used while it ran, less what it uses in that time without one.
func (w watched) costs(f figures, size int) {
	var all struct{ seconds, cpu float64 }
	for _, s := range w.scrapes {
		all.seconds += s.seconds
		all.cpu += s.cpu
		f["oldest_value_seconds"] = max(f["oldest_value_seconds"], s.oldest)
	}
	polling := (w.cpu - all.cpu) / (w.seconds - all.seconds) // seconds of CPU per second
	f["cpu_ms_per_hsm_minute"] = 1000 * 60 * polling / float64(size)
	f["cpu_with_scrapes_ms_per_hsm_minute"] = 1000 * 60 * w.cpu / w.seconds / float64(size)
	for _, form := range []struct {
		name string
		gzip bool
	}{{"scrape", false}, {"scrape_gzip", true}} {
		var n, seconds, cpu, sent float64
		for _, s := range w.scrapes {
			if s.gzip == form.gzip {
				n++
				seconds += s.seconds
				cpu += s.cpu - polling*s.seconds
				sent += float64(s.bytes)
			}
		}
		if n > 0 {
			f[form.name+"_seconds"], f[form.name+"_cpu_seconds"], f[form.name+"_mb"] = seconds/n, max(0, cpu/n), sent/n/1e6
		}
	}
	last := w.scrapes[len(w.scrapes)-1]
	f["sources_failing"] = float64(last.failing)
	for key, metric := range map[string]string{"goroutines": "go_goroutines", "descriptors": "process_open_fds"} {
		if v, known := last.single[metric]; known {
			f[key] = v
		}
	}
}

// memory sets that of the agent.
func (s *stage) memory(f figures) error {
	sizes, err := memory(s.agent.pid(), "VmRSS", "RssAnon", "VmHWM")
	for key, name := range map[string]string{"rss_mb": "VmRSS", "rss_anon_mb": "RssAnon", "rss_peak_mb": "VmHWM"} {
		if v, known := sizes[name]; known {
			f[key] = v
		}
	}
	return err
}

// vendorTrees are what the vendor's modules are below: Chrysalis-ITS and SafeNet.
var vendorTrees = []string{".1.3.6.1.4.1.12383", ".1.3.6.1.4.1.23629"}

// walk reads everything of the vendor's modules through snmpd.
func (s *stage) walk(ctx context.Context, f figures) error {
	before, err := cpuSeconds(s.agent.pid())
	if err != nil {
		return err
	}
	begun, varbinds := time.Now(), 0
	for _, tree := range vendorTrees {
		cmd := exec.CommandContext(ctx, "snmpbulkwalk", "-v2c", "-c", "public", "-m", "", "-On", "-Oq", "-t", "30", "-r", "1", "-Cr50", s.snmpd.Address, tree)
		cmd.Env = append(os.Environ(), "SNMPCONFPATH="+s.dir, "SNMP_PERSISTENT_DIR="+s.dir)
		text, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("snmpbulkwalk of %s: %w", tree, err)
		}
		varbinds += bytes.Count(text, []byte("\n"+tree)) + bytes.Count(text[:min(len(text), len(tree))], []byte(tree)) - bytes.Count(text, []byte("No Such"))
	}
	after, err := cpuSeconds(s.agent.pid())
	f["walk_seconds"], f["walk_varbinds"], f["walk_cpu_seconds"] = time.Since(begun).Seconds(), float64(varbinds), after-before
	return err
}
