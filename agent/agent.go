// Package agent puts the parts of Lunawatch together, answers its commands over
// the control socket, and makes captures. It knows nothing of what sources or
// receivers say.
package agent

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/agent/conditions"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/entities"
	"github.com/lunawatch/lunawatch/agent/peers"
	"github.com/lunawatch/lunawatch/agent/ready"
	"github.com/lunawatch/lunawatch/agent/totals"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/proven"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/login"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/probe"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/exporters/otlp"
	"github.com/lunawatch/lunawatch/exporters/page"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/modules"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// An Agent watches the HSMs of a Config and shows their state.
type Agent struct {
	site       atomic.Pointer[site]
	web        Web
	log        *slog.Logger
	store      *hsm.Store
	answers    hsm.Answers
	session    *agentx.Session // nil without SNMP
	watch      *watch.Watch
	listener   *syslog.Listener
	watches    follow.Watches // of log files
	view       atomic.Pointer[mib.View]
	asked      atomic.Bool // somebody has asked for view
	contexts   contexts
	conditions conditions.Conditions
	totals     totals.Totals
	entities   entities.Entities
	cluster    *cluster.Cluster // nil: this agent is on its own
	peers      *peers.Peers     // the other agents of the cluster; nil: it is on its own
	refusals   login.Exchange
	taken      [cluster.Shards]atomic.Bool // shards whose alarms are known
	seeding    bool                        // the other agents share nothing yet; of the goroutine of cluster
	metrics    *prometheus.Registry        // of the agent itself
	devices    *exporters.Prometheus       // metrics of the HSMs and the host
	page       *page.Site
	pushes     otlp.Counts // of metrics to a collector
	started    time.Time
	ready      *ready.Waiting
	history    *history.Store
	probing    *semaphore.Weighted // programs that may run at once

	Load func() (config.Config, error) // reads the configuration anew

	reloading sync.Mutex // guards what follows
	tasks     tasks
}

// config returns the configuration in force.
func (a *Agent) config() *config.Config { return &a.site.Load().config }

// Web is where and how the HTTP server listens: the flags of Prometheus
// exporters.
type Web struct {
	Flags         *web.FlagConfig
	TelemetryPath string
	Lifecycle     bool // POST /-/reload has the configuration read anew
}

// New returns an Agent that does nothing until Run.
func New(c config.Config, w Web, log *slog.Logger) *Agent {
	a := &Agent{web: w, log: log, store: hsm.NewStore(), ready: ready.New(), probing: semaphore.NewWeighted(probe.AtOnce)}
	a.view.Store(&mib.View{})
	first := newSite(c)
	a.site.Store(first)
	for name, kind := range expected(c) {
		a.store.Expect(kind, name)
	}
	a.declareProbes(&c)
	a.history = history.New(log)
	a.entities.Shared, a.entities.Host = a.isShared, func() string { return a.config().Host.Name }
	a.watch = &watch.Watch{Store: a.store, Log: log, Setup: first.setup(), Committed: a.history.Changed}
	a.listener = &syslog.Listener{
		UDP: c.Syslog.UDP, TCP: c.Syslog.TCP, TLS: c.Syslog.TLS, Rate: c.Syslog.Rate, Log: log,
		May:   func(p syslog.Peer) []syslog.Speaker { return a.site.Load().senders.May(p) },
		Known: func() []netip.Addr { return a.site.Load().senders.Known() },
	}
	if c.SNMP.Enabled {
		a.session = agentx.New(a.agentx())
	}
	if a.cluster = a.newCluster(); a.cluster != nil {
		a.entities.Owned = a.evaluates
	}
	a.metrics = a.registry()
	a.devices = exporters.NewPrometheus(a.store, time.Now, c.Metrics.Exclude...)
	a.devices.AllAgents = c.Metrics.AllAgents
	if a.cluster != nil {
		a.peers = a.newPeers()
		a.devices.Agents = a.peers.Webs
	}
	a.page = a.pages()
	return a
}

// agentx returns the settings of the session with snmpd.
func (a *Agent) agentx() agentx.Config {
	c := a.config().SNMP
	return agentx.Config{
		Socket:        c.Socket,
		Timeout:       time.Duration(c.Timeout) * time.Second,
		Retries:       c.Retries,
		PingInterval:  time.Duration(c.PingInterval) * time.Second,
		Description:   "Lunawatch",
		Registrations: registrations(a.config()),
		Caps:          modules.Capabilities(),
		Objects:       modules.Objects(),
		Current:       a.current,
		Opened:        a.retrySnmpd,
		Dial:          a.dialSnmpd,
		InContext:     a.inContext,
		Log:           a.log,
	}
}

// registrations returns the subtrees that SNMP shows, for all HSMs and for each.
func registrations(c *config.Config) (list []agentx.Registration) {
	list = modules.Registrations()
	for _, h := range c.HSMs {
		for _, s := range vendor.Subtrees() {
			list = append(list, agentx.Registration{Subtree: s, Context: h.Name})
		}
	}
	return list
}

// retrySnmpd has what waits for snmpd sent: its session is open.
func (a *Agent) retrySnmpd() {
	a.ready.Arrived(snmpdSession)
	for _, r := range a.config().Receivers {
		if r.AgentX != nil {
			a.watch.Retry(r.Name)
		}
	}
}

// Run watches until ctx is done. It must be called once. An error means that
// the state directory, a socket or an address cannot be used, and says what to
// do.
func (a *Agent) Run(ctx context.Context) error {
	journal, err := journal.Open(a.config().StateDirectory)
	if err != nil {
		return err
	}
	defer journal.Close()
	a.watch.Journal, a.started = journal, time.Now()
	a.share(journal)
	if err := a.site.Load().connect(a, nil); err != nil {
		return err
	}
	a.watch.Setup = a.site.Load().setup()
	if err := a.loadTLS(); err != nil {
		return err
	}
	if err := a.watch.Open(); err != nil {
		return err
	}
	if err := a.totals.Open(journal); err != nil {
		a.log.Error("totals of SNMP begin anew", "err", err)
	}
	if err := a.entities.Open(journal); err != nil {
		a.log.Error("numbers of ENTITY-MIB are given anew", "err", err)
	}
	if err := a.reportConfiguration(); err != nil {
		return err
	}
	a.history.Open(a.config().StateDirectory)
	control, err := listenControl(a.config().ControlSocket)
	if err != nil {
		return err
	}
	a.awaitListeners()
	g, ctx := errgroup.WithContext(ctx)
	a.reloading.Lock()
	all := a.tasksOf(a.config())
	a.awaitDelayed(all)
	a.tasks.begin(ctx, g, all)
	a.reloading.Unlock()
	if c := a.config().Syslog; c.UDP != "" || c.TCP != "" || c.TLS != "" {
		a.listener.Opened = func() { a.ready.Arrived(syslogListener) }
		g.Go(func() error { return a.listener.Run(ctx, a.received) })
		g.Go(func() error { return a.watchRefusals(ctx) })
	}
	a.feedWatchdog()
	if a.cluster != nil {
		g.Go(func() error { return a.runCluster(ctx) })
	}
	g.Go(func() error { return a.watch.Run(ctx) })
	g.Go(func() error { return a.history.Run(ctx, a.glance) })
	if a.session != nil || a.cluster != nil { // another agent's snmpd shows the numbers that this one gives
		g.Go(func() error { return a.build(ctx) })
	}
	if a.session != nil {
		g.Go(func() error { return a.session.Run(ctx) })
	}
	g.Go(func() error { return serve(ctx, control, a.control()) })
	g.Go(func() error { return a.serveWeb(ctx) })
	g.Go(func() error { return a.page.Run(ctx) })
	g.Go(func() error { return a.notifySystemd(ctx) })
	a.log.Info("watching", "hsms", len(a.config().HSMs), "receivers", len(a.config().Receivers))
	<-ctx.Done()
	a.log.Info("ending")
	return g.Wait()
}

// reportConfiguration logs the warnings of the configuration, and raises an alarm while
// there are any. It is what the file says, so that an alarm about a reload ends.
func (a *Agent) reportConfiguration() error {
	warnings, now := a.config().Warnings(), time.Now()
	key := alarms.Key{Device: alarms.Self, Group: "configuration"}
	f := alarms.Finding{Key: key, Evidence: alarms.Evidence{At: now, Text: "no warning"}}
	for _, w := range warnings {
		a.log.Warn("configuration", "warning", w)
	}
	if len(warnings) > 0 {
		f.Condition, f.Severity, f.Text = alarms.Bad, alarms.Warning, alarms.Clip(strings.Join(warnings, "; "))
		f.Evidence.Text = f.Text
	}
	key.Object = refusedReload
	return a.watch.Report([]alarms.Finding{f, {Key: key, Evidence: alarms.Evidence{At: now, Text: "the file is in force"}}})
}

// refusedReload is the object of the alarm about a reload that was refused.
const refusedReload = "reload"

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
	last := sources[o.Source]
	before := last.Failure
	a.answers.Keep(o.Device, o.Source, o.At, o.Answer)
	if p, ok := proven.By(a.store.Latest().Device(o.Device), o); ok {
		o.Facts = append(slices.Clip(o.Facts), p)
	}
	a.store.Apply(o)
	a.history.Observe(a.store.Latest().Device(o.Device), o)
	switch {
	case o.Failure == before:
	case o.Absent:
		a.log.Info("the HSM has no such source", "hsm", o.Device, "source", o.Source, "after", before)
	case o.Failure == hsm.None:
		if !shared(sources, o.Source, func(s hsm.Source) bool { return before.OfSession() && s.Failure == hsm.None && s.At.After(last.At) }) {
			a.log.Info("source works again", "hsm", o.Device, "source", o.Source, "after", before)
		}
	case !shared(sources, o.Source, func(s hsm.Source) bool { return s.Failure == o.Failure && s.Error == o.Layer.Explain(o.Err.Error()) }):
		a.log.Warn("source fails", "hsm", o.Device, "source", o.Source, "failure", o.Failure, "layer", o.Layer, "err", o.Err)
	}
}

// glance returns how every device is.
func (a *Agent) glance(now time.Time) glance.Estate {
	return glance.Of(a.store.Latest(), a.watch.Active(), now)
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
