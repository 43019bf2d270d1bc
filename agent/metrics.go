package agent

import (
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
)

// registry holds the metrics of the agent itself.
func (a *Agent) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(self{a}, &a.pushes, promcollectors.NewGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{}))
	return r
}

// self collects the metrics of the agent itself.
type self struct{ a *Agent }

var (
	buildInfo       = prometheus.NewDesc("luna_build_info", "Version of Lunawatch; always 1.", []string{"version", "goversion"}, nil)
	agentxConnected = prometheus.NewDesc("luna_agentx_connected", "1 while snmpd is connected.", nil, nil)
	agentxRequests  = prometheus.NewDesc("luna_agentx_requests_total", "Requests of snmpd.", []string{"request"}, nil)
	agentxVarbinds  = prometheus.NewDesc("luna_agentx_varbinds_total", "Variable bindings answered.", nil, nil)
	agentxErrors    = prometheus.NewDesc("luna_agentx_errors_total", "Requests answered with an error, refused sets included.", nil, nil)
	agentxSessions  = prometheus.NewDesc("luna_agentx_sessions_total", "Sessions opened with snmpd.", nil, nil)
	delivered       = prometheus.NewDesc("luna_notifications_delivered_total", "Notifications that a receiver took.", []string{"receiver"}, nil)
	attemptsFailed  = prometheus.NewDesc("luna_notification_failed_attempts_total", "Attempts to deliver that failed.", []string{"receiver"}, nil)
	waiting         = prometheus.NewDesc("luna_notifications_waiting", "Notifications that wait for a receiver.", []string{"receiver"}, nil)
	syslogReceived  = prometheus.NewDesc("luna_syslog_received_total", "Lines that were sent to the syslog listener.", nil, nil)
	syslogDropped   = prometheus.NewDesc("luna_syslog_dropped_total", "Lines sent to the syslog listener that were dropped or cut, and why.", []string{"reason"}, nil)
	rejected        = prometheus.NewDesc("luna_notifications_rejected_total", "Notifications given up because the receiver will never take them.", []string{"receiver"}, nil)
	expired         = prometheus.NewDesc("luna_notifications_expired_total", "Notifications given up because they could not be delivered in time.", []string{"receiver"}, nil)
	failedLogins    = prometheus.NewDesc("luna_hsm_failed_logins_total", "Logins that the HSM refused, by its audit log.", []string{"device"}, nil)
	auditEvents     = prometheus.NewDesc("luna_hsm_audit_critical_events_total", "Tampers, decommissions, zeroizations, initializations, by the HSM's audit log.", []string{"device"}, nil)
	oldest          = prometheus.NewDesc("luna_notification_oldest_seconds", "Age of the oldest notification that waits.", []string{"receiver"}, nil)
)

// Describe implements [prometheus.Collector].
func (s self) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{buildInfo, agentxConnected, agentxRequests, agentxVarbinds, agentxErrors, agentxSessions, delivered, attemptsFailed, waiting, rejected, expired, oldest, syslogReceived, syslogDropped, failedLogins, auditEvents} {
		out <- d
	}
	s.describeAlarms(out)
}

// Collect implements [prometheus.Collector].
func (s self) Collect(out chan<- prometheus.Metric) {
	emit := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	version, goversion := Version()
	emit(buildInfo, prometheus.GaugeValue, 1, version, goversion)
	s.alarms(time.Now(), emit)
	for _, h := range s.a.config().HSMs {
		if n := s.a.watch.Counted(h.Name); len(h.AuditLogs) > 0 || n.AuditCritical+n.FailedLogins > 0 {
			emit(failedLogins, prometheus.CounterValue, float64(n.FailedLogins), h.Name)
			emit(auditEvents, prometheus.CounterValue, float64(n.AuditCritical), h.Name)
		}
	}
	for name, d := range s.a.watch.Deliveries() {
		emit(delivered, prometheus.CounterValue, float64(d.Delivered), name)
		emit(attemptsFailed, prometheus.CounterValue, float64(d.Failed), name)
		emit(rejected, prometheus.CounterValue, float64(d.Rejected), name)
		emit(expired, prometheus.CounterValue, float64(d.Expired), name)
		emit(waiting, prometheus.GaugeValue, float64(d.Waiting), name)
		age := 0.0
		if d.Waiting > 0 {
			age = time.Since(d.Oldest).Seconds()
		}
		emit(oldest, prometheus.GaugeValue, age, name)
	}
	n := &s.a.listener.Counts
	emit(syslogReceived, prometheus.CounterValue, float64(n.Received.Load()))
	for reason, dropped := range map[string]uint64{"unknown_sender": n.Unknown.Load(), "rate": n.TooFast.Load(), "queue_full": n.QueueFull.Load(), "too_long": n.TooLong.Load(), "connections": n.Connections.Load(), "kernel": n.Kernel()} {
		emit(syslogDropped, prometheus.CounterValue, float64(dropped), reason)
	}
	if s.a.session == nil {
		return
	}
	st := s.a.session.Stats()
	connected := 0.0
	if st.Connected {
		connected = 1
	}
	emit(agentxConnected, prometheus.GaugeValue, connected)
	emit(agentxVarbinds, prometheus.CounterValue, float64(st.Varbinds))
	emit(agentxErrors, prometheus.CounterValue, float64(st.Errors))
	emit(agentxSessions, prometheus.CounterValue, float64(st.Opens))
	for kind, n := range st.Requests {
		emit(agentxRequests, prometheus.CounterValue, float64(n), kind.String())
	}
}

// Version returns the version of this binary and of the Go that built it.
func Version() (version, goversion string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", "unknown"
	}
	return info.Main.Version, info.GoVersion
}
