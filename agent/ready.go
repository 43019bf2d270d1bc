package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

const (
	// readyWithin is how long systemd waits for what does not come: it would end an
	// agent that watches all the rest.
	readyWithin = time.Minute
	// statusPause is the least time between two messages to systemd.
	statusPause = 100 * time.Millisecond
	// maxNamed is how many things a status names.
	maxNamed = 5
)

// What the agent waits for besides its sources.
const (
	webListener    = "the listener of metrics and page"
	syslogListener = "the syslog listener"
	snmpdSession   = "the AgentX session with snmpd"
)

// readiness is what must be there before systemd is notified that the agent is ready,
// and whether the evaluation of alarms runs. Its methods may be called at any time.
type readiness struct {
	changed, alive chan struct{}

	mu      sync.Mutex
	missing []missing // in the order in which they were begun
}

// A missing thing, and why it is.
type missing struct{ name, why string }

func newReadiness() *readiness {
	return &readiness{changed: make(chan struct{}, 1), alive: make(chan struct{}, 1)}
}

// await has the agent wait for something until it has arrived.
func (r *readiness) await(name, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing = append(r.missing, missing{name, why})
	signal(r.changed)
}

// arrived ends await. Of what nobody waits for it does nothing.
func (r *readiness) arrived(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.missing, func(m missing) bool { return m.name == name }); i >= 0 {
		r.missing = slices.Delete(r.missing, i, i+1)
		signal(r.changed)
	}
}

// tried awaits a source, which arrives with its first observation: a failure is one, too.
func (r *readiness) tried(source string, report func(hsm.Observation)) func(hsm.Observation) {
	r.await(source, "it has neither answered nor failed")
	arrived := sync.OnceFunc(func() { r.arrived(source) })
	return func(o hsm.Observation) {
		report(o)
		arrived()
	}
}

func (r *readiness) left() []missing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.missing)
}

// evaluated is called after each evaluation of alarms.
func (r *readiness) evaluated() { signal(r.alive) }

// signal wakes who waits for c, or will.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// dialSnmpd is the dialler of the AgentX session. A refused connection is an attempt.
func (a *Agent) dialSnmpd(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		a.ready.arrived(snmpdSession)
	}
	return conn, err
}

// awaitListeners awaits what Run opens besides the sources.
func (a *Agent) awaitListeners() {
	a.ready.await(webListener, "it is not open")
	if c := a.config.Syslog; c.UDP+c.TCP+c.TLS != "" {
		a.ready.await(syslogListener, "it is not open")
	}
	if a.session != nil {
		a.ready.await(snmpdSession, "snmpd has accepted the connection and not opened it")
	}
}

// feedWatchdog has the evaluation of alarms feed systemd's watchdog, if there is one.
func (a *Agent) feedWatchdog() {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		a.log.Warn("systemd's watchdog is not fed", "err", err)
	}
	if within > 0 {
		a.watch.Alive, a.watch.AliveEvery = a.ready.evaluated, within/3
	}
}

// notifySystemd notifies systemd, if that has started the agent, until ctx is done.
func (a *Agent) notifySystemd(ctx context.Context) error {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	failing := false
	send := func(message string) {
		_, err := daemon.SdNotify(false, message)
		if err != nil && !failing {
			a.log.Warn("systemd not notified", "err", err)
		}
		failing = err != nil
	}
	a.ready.notify(ctx, send, a.summary, a.watch.Changed)
	return nil
}

// summary is the status of a running agent: "3 HSMs, 2 alarms".
func (a *Agent) summary() string {
	return counted(len(a.store.Latest().HSMs()), "HSM") + ", " + counted(len(a.watch.Active()), "alarm")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// notify sends messages of sd_notify(3) until ctx is done: what is awaited; that the
// agent is ready, once nothing is or readyWithin is over; then the summary, whenever
// changes closes its channel; and a sign of life after each evaluation.
func (r *readiness) notify(ctx context.Context, send func(string), summary func() string, changes func() <-chan struct{}) {
	begun, late := time.Now(), time.After(readyWithin)
	ready, before := false, ""
	for {
		changed, left := changes(), r.left()
		var message []string
		if !ready && (len(left) == 0 || time.Since(begun) >= readyWithin) {
			ready = true
			message = append(message, daemon.SdNotifyReady)
		}
		if status := status(ready, summary(), left); status != before {
			message, before = append(message, "STATUS="+status), status
		}
		if len(message) > 0 {
			send(strings.Join(message, "\n"))
		}
		wait.Sleep(ctx, statusPause)
		select {
		case <-ctx.Done():
			send(daemon.SdNotifyStopping)
			return
		case <-r.alive:
			send(daemon.SdNotifyWatchdog)
		case <-r.changed:
		case <-changed:
		case <-late:
		}
	}
}

// status returns one line about an agent.
func status(ready bool, summary string, left []missing) string {
	if len(left) == 0 {
		return summary
	}
	var names []string
	for _, m := range left[:min(len(left), maxNamed)] {
		if ready {
			m.name += " (" + m.why + ")"
		}
		names = append(names, m.name)
	}
	if more := len(left) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	text := "waiting for " + strings.Join(names, ", ")
	if ready {
		text = summary + "; still " + text
	}
	return strings.Join(strings.Fields(text), " ")
}
