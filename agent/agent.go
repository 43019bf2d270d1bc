// Package agent puts the parts of Lunawatch together, answers its commands over
// the control socket, and makes captures. It knows nothing of what sources or
// receivers say.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/senders"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/ha"
	"github.com/lunawatch/lunawatch/collectors/host"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// An Agent watches the HSMs of a Config and shows their state.
type Agent struct {
	config    config.Config
	web       Web
	log       *slog.Logger
	store     *hsm.Store
	measuring map[string]*semaphore.Weighted // by HSM
	session   *agentx.Session                // nil without SNMP
	watch     *watch.Watch
	listener  *syslog.Listener
	senders   *senders.Senders
	watches   follow.Watches // of log files
	view      atomic.Pointer[mib.View]
	asked     atomic.Bool // somebody has asked for view
	contexts  contexts
	totals    totals
	metrics   *prometheus.Registry  // of the agent itself
	devices   *exporters.Prometheus // metrics of the HSMs and the host
	started   time.Time
	ready     *readiness
}

// Web is where and how the HTTP server listens: the flags of Prometheus
// exporters.
type Web struct {
	Flags         *web.FlagConfig
	TelemetryPath string
}

// New returns an Agent that does nothing until Run.
func New(c config.Config, w Web, log *slog.Logger) *Agent {
	a := &Agent{config: c, web: w, log: log, store: hsm.NewStore(), measuring: make(map[string]*semaphore.Weighted), ready: newReadiness()}
	a.view.Store(&mib.View{})
	for _, h := range c.HSMs {
		a.store.Expect(hsm.NetworkHSM, h.Name)
		a.measuring[h.Name] = semaphore.NewWeighted(maxMeasuring)
	}
	for _, serial := range c.LunaCM.Serials {
		if c.LunaCM.Enabled {
			a.store.Expect(hsm.CardHSM, c.Cards().Device(serial))
		}
	}
	if c.Host.Enabled || c.HA.Enabled || c.LunaCM.Enabled {
		a.store.Expect(hsm.HostMachine, c.Host.Name)
	}
	a.watch = &watch.Watch{
		Settings: c.Alarms, Store: a.store, Log: log,
		Receivers: make(map[string]notify.Receiver), Addresses: make(map[string]string), Parent: c.Parent(),
	}
	a.watch.Settings.Expected = c.Expected()
	a.senders = senders.New(c)
	a.listener = &syslog.Listener{
		UDP: c.Syslog.UDP, TCP: c.Syslog.TCP, TLS: c.Syslog.TLS, Rate: c.Syslog.Rate, Log: log, May: a.senders.May, Known: a.senders.Known,
	}
	if c.SNMP.Enabled {
		a.session = agentx.New(a.agentx())
	}
	for _, h := range c.HSMs {
		a.watch.Addresses[h.Name] = h.AnyAddress()
	}
	a.metrics = a.registry()
	a.devices = exporters.NewPrometheus(a.store, time.Now, c.Metrics.Exclude...)
	return a
}

// agentx returns the settings of the session with snmpd.
func (a *Agent) agentx() agentx.Config {
	c := agentx.Config{
		Socket:       a.config.SNMP.Socket,
		Timeout:      time.Duration(a.config.SNMP.Timeout) * time.Second,
		Retries:      a.config.SNMP.Retries,
		PingInterval: time.Duration(a.config.SNMP.PingInterval) * time.Second,
		Description:  "Lunawatch",
		Current:      a.current,
		Opened:       a.retrySnmpd,
		Dial:         a.dialSnmpd,
		InContext:    a.inContext,
		Log:          a.log,
	}
	for _, s := range mib.Subtrees() {
		c.Registrations = append(c.Registrations, agentx.Registration{Subtree: s})
	}
	for _, h := range a.config.HSMs {
		for _, s := range mib.VendorSubtrees() {
			c.Registrations = append(c.Registrations, agentx.Registration{Subtree: s, Context: h.Name})
		}
	}
	return c
}

// retrySnmpd has what waits for snmpd sent: its session is open.
func (a *Agent) retrySnmpd() {
	a.ready.arrived(snmpdSession)
	for _, r := range a.config.Receivers {
		if r.AgentX != nil {
			a.watch.Retry(r.Name)
		}
	}
}

// Run watches until ctx is done. It must be called once. An error means that
// the state directory, a socket or an address cannot be used, and says what to
// do.
func (a *Agent) Run(ctx context.Context) error {
	journal, err := journal.Open(a.config.StateDirectory)
	if err != nil {
		return err
	}
	defer journal.Close()
	a.watch.Journal, a.started = journal, time.Now()
	if err := a.receivers(); err != nil {
		return err
	}
	if err := a.loadTLS(); err != nil {
		return err
	}
	if err := a.watch.Open(); err != nil {
		return err
	}
	if err := a.totals.open(journal); err != nil {
		a.log.Error("totals of SNMP begin anew", "err", err)
	}
	if err := a.reportWarnings(); err != nil {
		return err
	}
	control, err := listenControl(a.config.ControlSocket)
	if err != nil {
		return err
	}
	a.awaitListeners()
	g, ctx := errgroup.WithContext(ctx)
	all, done := a.collectors(ctx)
	for _, c := range all {
		report := a.ready.tried(c.String(), a.report)
		g.Go(func() error {
			wait.Sleep(ctx, c.start)
			if err := c.Run(ctx, report); err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
			return nil
		})
	}
	for _, h := range a.config.HSMs {
		for _, file := range h.Logs {
			g.Go(func() error { return a.follow(ctx, h, file, nil) })
		}
		for _, file := range h.AuditLogs {
			g.Go(func() error { return a.follow(ctx, h, file, syslog.AuditLine) })
		}
	}
	if c := a.config.Syslog; c.UDP != "" || c.TCP != "" || c.TLS != "" {
		a.listener.Opened = func() { a.ready.arrived(syslogListener) }
		g.Go(func() error { return a.listener.Run(ctx, a.received) })
		g.Go(func() error { return a.senders.LookUp(ctx) })
		g.Go(func() error { return a.watchRefusals(ctx) })
	}
	g.Go(func() error { return a.followKernel(ctx) })
	a.feedWatchdog()
	g.Go(func() error { return a.watch.Run(ctx) })
	if a.session != nil {
		g.Go(func() error { return a.build(ctx) })
		g.Go(func() error { return a.session.Run(ctx) })
	}
	g.Go(func() error { return serve(ctx, control, a.control()) })
	g.Go(func() error { return a.serveWeb(ctx) })
	g.Go(func() error { return a.notifySystemd(ctx) })
	a.log.Info("watching", "hsms", len(a.config.HSMs), "receivers", len(a.config.Receivers))
	err = g.Wait()
	for _, end := range done {
		end()
	}
	return err
}

// reportWarnings logs the warnings of the configuration, and raises an alarm while
// there are any.
func (a *Agent) reportWarnings() error {
	warnings, now := a.config.Warnings(), time.Now()
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "configuration"}, Evidence: alarms.Evidence{At: now, Text: "no warning"}}
	for _, w := range warnings {
		a.log.Warn("configuration", "warning", w)
	}
	if len(warnings) > 0 {
		f.Condition, f.Severity, f.Text = alarms.Bad, alarms.Warning, alarms.Clip(strings.Join(warnings, "; "))
		f.Evidence.Text = f.Text
	}
	return a.watch.Report([]alarms.Finding{f})
}

// receivers makes the notifiers, which need the open journal.
func (a *Agent) receivers() error {
	for _, r := range a.config.Receivers {
		to := notify.Receiver{Route: r.Route}
		var err error
		switch {
		case r.AgentX != nil && a.session == nil:
			err = errors.New("it sends through snmpd, but snmp is not enabled")
		case r.AgentX != nil:
			to.Notifier = snmp.AgentX{Session: a.session, Form: r.AgentX.Form}
		case r.SNMP != nil:
			to.Notifier, err = snmp.New(*r.SNMP, a.watch.Journal)
			to.Confirms = r.SNMP.Inform
		default:
			maps.Copy(a.watch.Receivers, r.Serve())
			continue
		}
		if err != nil {
			return fmt.Errorf("receiver %q: %w", r.Name, err)
		}
		a.watch.Receivers[r.Name] = to
	}
	return nil
}

// A starting collector starts a while after the agent.
type starting struct {
	collectors.Collector
	start time.Duration
}

// collectors returns the collectors of every device, and what ends their sessions.
func (a *Agent) collectors(ctx context.Context) (all []starting, done []func()) {
	for _, h := range a.config.HSMs {
		sources, end := h.Sources()
		done = append(done, end)
		for _, s := range sources {
			all = append(all, starting{s, poll.Start(h.Name, len(a.config.HSMs))})
		}
	}
	for _, s := range a.config.HostSources(a.log) {
		if cards, ok := s.(*lunacm.Cards); ok {
			cards.Serials = a.remembered(cards)
			cards.Found = func(device string) { a.store.Expect(hsm.CardHSM, device) }
		}
		if c, ok := s.(*ha.Collector); ok {
			a.followHA(ctx, c)
		}
		all = append(all, starting{s, 0})
	}
	if h := a.config.Host; h.Enabled {
		all = append(all, starting{&host.Collector{Device: h.Name, Interval: h.Interval}, 0})
	}
	return all, done
}

// remembered returns the serial numbers that are configured, and those of HSMs
// with alarms: a restart would forget a card that no longer has a slot.
func (a *Agent) remembered(cards *lunacm.Cards) []string {
	serials := slices.Clone(cards.Serials)
	for _, alarm := range a.watch.Active() {
		serial, ok := strings.CutPrefix(alarm.Device, cards.Device(""))
		if ok && serial != "" && strings.Trim(serial, "0123456789") == "" && !slices.Contains(serials, serial) {
			serials = append(serials, serial)
			a.store.Expect(hsm.CardHSM, alarm.Device)
		}
	}
	return serials
}

// report takes an observation of a collector. A failure is logged when it
// begins and when it ends, and once if several sources share it.
func (a *Agent) report(o hsm.Observation) {
	sources := a.sources(o.Device)
	before := sources[o.Source].Failure
	a.store.Apply(o)
	switch {
	case o.Failure == before:
	case o.Absent:
		a.log.Info("the HSM has no such source", "hsm", o.Device, "source", o.Source, "after", before)
	case o.Failure == hsm.None:
		if !shared(sources, o.Source, func(s hsm.Source) bool { return before.OfSession() && s.Failure == hsm.None }) {
			a.log.Info("source works again", "hsm", o.Device, "source", o.Source, "after", before)
		}
	case !shared(sources, o.Source, func(s hsm.Source) bool { return s.Failure == o.Failure && s.Error == o.Layer.Explain(o.Err.Error()) }):
		a.log.Warn("source fails", "hsm", o.Device, "source", o.Source, "failure", o.Failure, "layer", o.Layer, "err", o.Err)
	}
}

// shared reports whether is holds for a source other than the one named.
func shared(sources map[string]hsm.Source, but string, is func(hsm.Source) bool) bool {
	for name, s := range sources {
		if name != but && is(s) {
			return true
		}
	}
	return false
}

func (a *Agent) sources(device string) map[string]hsm.Source {
	for _, d := range a.store.Latest().Devices {
		if d.Name == device {
			return d.Sources
		}
	}
	return nil
}
