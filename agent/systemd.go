package agent

import (
	"context"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/lunawatch/lunawatch/exporters"
)

// What the agent waits for besides its sources.
const (
	webListener    = "the listener of metrics and page"
	syslogListener = "the syslog listener"
	snmpdSession   = "the AgentX session with snmpd"
)

// dialSnmpd is the dialler of the AgentX session. A refused connection is an attempt.
func (a *Agent) dialSnmpd(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		a.ready.Arrived(snmpdSession)
	}
	return conn, err
}

// awaitListeners awaits what Run opens besides the sources.
func (a *Agent) awaitListeners() {
	a.ready.Await(webListener, "it is not open")
	if c := a.config().Syslog; c.UDP+c.TCP+c.TLS != "" {
		a.ready.Await(syslogListener, "it is not open")
	}
	if a.session != nil {
		a.ready.Await(snmpdSession, "snmpd has accepted the connection and not opened it")
	}
}

// awaitDelayed awaits tasks that begin later, until they say what they ask.
func (a *Agent) awaitDelayed(all map[string]task) {
	for name, x := range all {
		if x.start > 0 {
			a.ready.Await(name, "they are asked later, to spread the first polls")
		}
	}
}

// feedWatchdog has the evaluation of alarms feed systemd's watchdog, if there is one.
func (a *Agent) feedWatchdog() {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		a.log.Warn("systemd's watchdog is not fed", "err", err)
	}
	if within > 0 {
		a.watch.Alive, a.watch.AliveEvery = a.ready.Evaluated, within/3
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
	a.ready.Notify(ctx, send, a.summary, a.watch.Changed)
	return nil
}

// summary is the status of a running agent: "3 HSMs, 2 alarms".
func (a *Agent) summary() string {
	return exporters.Counted(len(a.store.Latest().HSMs()), "HSM") + ", " + exporters.Counted(len(a.watch.Active()), "alarm")
}
