package agent

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/alarms"
)

// A mark is what holds for an alarm, or not: a family of its own with the
// labels of luna_alarm_active, so that a query can join the two.
type mark struct {
	desc  *prometheus.Desc
	holds func(alarms.Active) bool
}

func markOf(name, help string, holds func(alarms.Active) bool) mark {
	return mark{prometheus.NewDesc(name, help, []string{"device", "group", "object", "severity", "test"}, nil), holds}
}

var marks = []mark{
	markOf("luna_alarm_active", "An active alarm; always 1.", func(alarms.Active) bool { return true }),
	markOf("luna_alarm_acknowledged", "1 while somebody looks after the alarm.", func(a alarms.Active) bool { return a.Ack != nil }),
	markOf("luna_alarm_silenced", "1 while a silence suppresses notifications of the alarm.", func(a alarms.Active) bool { return a.Silence != nil }),
	markOf("luna_alarm_suppressed", "1 while the alarm is caused by another one; notifications are sent for that one only.", func(a alarms.Active) bool { return a.RelatedTo != nil }),
	markOf("luna_alarm_flapping", "1 while the alarm comes and goes.", func(a alarms.Active) bool { return a.Flapping }),
}

var (
	alarmsRaised  = prometheus.NewDesc("luna_alarms_raised_total", "Alarms raised, by the severity that they had then.", []string{"severity"}, nil)
	silences      = prometheus.NewDesc("luna_silences", "Silences that are active or to come (pending).", []string{"state"}, nil)
	storming      = prometheus.NewDesc("luna_storm", "1 while so many alarms are new that only a summary of them is notified.", nil, nil)
	clusterShards = prometheus.NewDesc("luna_cluster_shards", "Shards of 256 that an agent of the cluster owns; agent \"\": nobody does.", []string{"agent"}, nil)
	clusterLease  = prometheus.NewDesc("luna_cluster_lease_age_seconds", "Since the last proof that etcd holds the lease of this agent.", nil, nil)
	clusterEtcd   = prometheus.NewDesc("luna_cluster_etcd_up", "1 while a server of etcd answers.", []string{"endpoint"}, nil)
	clusterAlone  = prometheus.NewDesc("luna_cluster_degraded", "1 while this agent goes on without etcd.", nil, nil)
	clusterQueued = prometheus.NewDesc("luna_cluster_changes_waiting", "Changes of the state that etcd does not have.", nil, nil)
	stateInMemory = prometheus.NewDesc("luna_state_in_memory", "1 while the state cannot be stored: a restart forgets what is new.", nil, nil)
)

func (s self) describeAlarms(out chan<- *prometheus.Desc) {
	for _, m := range marks {
		out <- m.desc
	}
	for _, d := range []*prometheus.Desc{alarmsRaised, silences, storming, stateInMemory, clusterShards, clusterLease, clusterEtcd, clusterAlone, clusterQueued} {
		out <- d
	}
}

// alarms emits the metrics of alarms.
func (s self) alarms(now time.Time, emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
	storm := false
	for _, a := range s.a.watch.Active() {
		if !s.a.owns(a.Device) && !s.a.config().Metrics.AllAgents {
			continue // its agent has it
		}
		storm = storm || a.Device == alarms.Self && a.Group == "storm"
		object := strings.ToValidUTF8(a.Object, "\uFFFD")
		for _, m := range marks {
			emit(m.desc, prometheus.GaugeValue, bit(m.holds(a)), a.Device, a.Group, object, a.Severity.String(), strconv.FormatBool(a.Test))
		}
	}
	raised := s.a.watch.RaisedBy()
	for severity := alarms.Indeterminate; severity <= alarms.Critical; severity++ {
		emit(alarmsRaised, prometheus.CounterValue, float64(raised[severity]), severity.String())
	}
	held := map[string]int{"active": 0, "pending": 0}
	for _, x := range s.a.watch.Silences() {
		if x.From.After(now) {
			held["pending"]++
		} else {
			held["active"]++
		}
	}
	for state, n := range held {
		emit(silences, prometheus.GaugeValue, float64(n), state)
	}
	emit(storming, prometheus.GaugeValue, bit(storm))
	emit(stateInMemory, prometheus.GaugeValue, bit(s.a.watch.Journal.Trouble() != nil))
	if s.a.cluster != nil {
		s.cluster(emit)
	}
}

// cluster emits the metrics of the cluster.
func (s self) cluster(emit func(*prometheus.Desc, prometheus.ValueType, float64, ...string)) {
	r := s.a.clusterReport()
	for _, m := range r.Members {
		emit(clusterShards, prometheus.GaugeValue, float64(m.Shards), m.Name)
	}
	for _, e := range r.Etcd {
		emit(clusterEtcd, prometheus.GaugeValue, bit(e.Error == ""), e.URL)
	}
	emit(clusterLease, prometheus.GaugeValue, r.Lease)
	emit(clusterAlone, prometheus.GaugeValue, bit(r.Degraded))
	emit(clusterQueued, prometheus.GaugeValue, float64(r.Waiting))
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
