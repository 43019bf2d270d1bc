package agent

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/host"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/exporters/otlp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A task is what runs for one part of the configuration.
type task struct {
	of    any           // that part: when it changes, the task begins anew
	start time.Duration // how much later than the first it begins, if all begin
	run   func(context.Context) error
}

// tasksOf returns the tasks of a configuration, by name.
func (a *Agent) tasksOf(c *config.Config) map[string]task {
	all := map[string]task{
		"cards":      {of: []any{c.LunaCM, c.HA, c.Host.Name}, run: func(ctx context.Context) error { return a.watchHost(ctx, c) }},
		"kernel log": {of: []any{c.LunaCM, c.Host.Name}, run: a.followKernel},
		"senders":    {of: []any{c.HSMs, c.Syslog}, run: func(ctx context.Context) error { return a.site.Load().senders.LookUp(ctx) }},
	}
	if h := c.Host; h.Enabled {
		collector := &host.Collector{Device: h.Name, Interval: h.Interval}
		all["host"] = task{of: h, run: func(ctx context.Context) error { return a.collect(ctx, "host", collector) }}
	}
	if c.OTLP.Enabled() {
		push := &otlp.Push{Settings: c.OTLP, Families: a.families, Counts: &a.pushes, Log: a.log}
		all["metrics to "+c.OTLP.Endpoint] = task{of: c.OTLP, run: push.Run}
	}
	for _, h := range c.HSMs {
		part := h
		part.Logs, part.AuditLogs, part.SyslogSenders, part.SyslogCertificates, part.Expect, part.Probes, part.DependsOn = nil, nil, nil, nil, nil, nil, ""
		name := "sources of " + h.Name
		if a.owns(h.Name) {
			all[name] = task{of: part, start: poll.Start(h.Name, len(c.HSMs)), run: func(ctx context.Context) error { return a.ask(ctx, name, h) }}
			a.addProbes(all, h)
		}
		for _, file := range h.Logs {
			all["log of "+h.Name+" "+file] = task{run: func(ctx context.Context) error { return a.follow(ctx, h, file, nil) }}
		}
		for _, file := range h.AuditLogs {
			all["audit log of "+h.Name+" "+file] = task{run: func(ctx context.Context) error { return a.follow(ctx, h, file, syslog.AuditLine) }}
		}
	}
	return all
}

// ask asks the sources of h, which are the task with that name.
func (a *Agent) ask(ctx context.Context, name string, h config.HSM) error {
	sources, end := h.Sources()
	defer end()
	var all []collectors.Collector
	for _, s := range sources {
		all = append(all, s)
	}
	return a.collect(ctx, name, all...)
}

// collect runs the collectors of a task, until one fails for good.
func (a *Agent) collect(ctx context.Context, name string, all ...collectors.Collector) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, c := range all {
		report := a.ready.Tried(c.String(), a.report)
		defer a.ready.Arrived(c.String())
		g.Go(func() error {
			if err := c.Run(ctx, report); err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			return nil
		})
	}
	a.ready.Arrived(name)
	return g.Wait()
}

// watchHost asks for the cards and the HA groups of this host.
func (a *Agent) watchHost(ctx context.Context, c *config.Config) error {
	var all []collectors.Collector
	for _, s := range c.HostSources(a.log) {
		if cards, ok := s.(*lunacm.Cards); ok {
			cards.Serials = a.remembered(cards)
			cards.Found = func(device string) { a.store.Expect(hsm.CardHSM, device) }
		}
		if c, ok := s.(*ha.Collector); ok {
			a.followHA(ctx, c)
		}
		all = append(all, s)
	}
	return a.collect(ctx, "cards", all...)
}

// tasks are those that run. They are not safe for concurrent use.
type tasks struct {
	ctx     context.Context
	group   *errgroup.Group
	running map[string]running
}

// A running task.
type running struct {
	of     any
	cancel context.CancelFunc
	ended  chan struct{}
}

// begin starts tasks. ctx ends them all, and one that fails ends the group.
func (t *tasks) begin(ctx context.Context, g *errgroup.Group, all map[string]task) {
	t.ctx, t.group, t.running = ctx, g, make(map[string]running)
	t.start(all)
}

// start starts those of all that do not run.
func (t *tasks) start(all map[string]task) {
	starting := len(all) - len(t.running)
	for name, x := range all {
		if _, runs := t.running[name]; runs {
			continue
		}
		delay := x.start * time.Duration(starting) / time.Duration(len(all))
		ctx, cancel := context.WithCancel(t.ctx)
		r := running{x.of, cancel, make(chan struct{})}
		t.running[name] = r
		t.group.Go(func() error {
			defer close(r.ended)
			wait.Sleep(ctx, delay)
			if ctx.Err() != nil {
				return nil
			}
			if err := x.run(ctx); ctx.Err() == nil {
				return err
			}
			return nil
		})
	}
}

// end ends those that are not in all, or of another part, waits for them, and returns
// their names.
func (t *tasks) end(all map[string]task) (names []string) {
	var ending []running
	for name, r := range t.running {
		if x, wanted := all[name]; !wanted || !reflect.DeepEqual(x.of, r.of) {
			r.cancel()
			ending, names = append(ending, r), append(names, name)
			delete(t.running, name)
		}
	}
	for _, r := range ending {
		<-r.ended
	}
	return names
}
