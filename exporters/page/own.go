package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/hsm"
)

// An agentPage is what the agent says of itself.
type agentPage struct {
	Facts     []fact
	Trouble   []string
	Receivers []receiverView
	Sources   []sourceView
	Answering int // sources
	All       int
	Cluster   [][][]string // tables, whose first rows are headings; nil: the agent is on its own
	Acts      bool
	Test      *testView // the last one; nil: there was none
}

type receiverView struct {
	Name, Error              string
	Delivered, Waiting, Lost uint64
	Oldest                   stamp
	Word, State              string
}

type sourceView struct {
	HSM, Href, Source, Failure, Error string
	Since                             stamp
}

func (s *Site) agentView(m *moment) view {
	p := agentPage{Trouble: troubleOf(m.alarms), Facts: s.ownFacts(m), Acts: m.alarms.acting, Test: s.lastTest(m.now)}
	for _, name := range slices.Sorted(maps.Keys(m.alarms.Deliveries)) {
		p.Receivers = append(p.Receivers, receiverOf(name, m.alarms.Deliveries[name], m.now))
	}
	for _, d := range m.snapshot.Devices {
		p.All += len(d.Sources)
		for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
			if x := d.Sources[name]; x.Failure != hsm.None {
				p.Sources = append(p.Sources, sourceView{d.Name, devicePath(d.Name), name, string(x.Failure), x.Error, stampOf(x.Success, m.now)})
			}
		}
	}
	if s.Cluster != nil {
		p.Cluster = s.Cluster()
	}
	p.Answering = p.All - len(p.Sources)
	return view{Title: "Agent", Nav: "agent", Template: "page-agent", Parts: []part{{ID: "own", Group: "own", Template: "own", Data: p}}}
}

func receiverOf(name string, d notify.Delivery, now time.Time) receiverView {
	v := receiverView{Name: name, Error: d.Error, Delivered: d.Delivered, Waiting: uint64(max(0, d.Waiting)), Lost: d.Rejected + d.Expired, Oldest: stampOf(d.Oldest, now)} //nolint:gosec // not negative
	switch {
	case v.Lost > 0:
		v.Word, v.State = "critical", "gave up notifications"
	case d.Waiting > 0 && d.Error != "":
		v.Word, v.State = "major", "fails"
	case d.Waiting > 0:
		v.Word, v.State = "warning", "waits"
	case d.Delivered == 0:
		v.Word, v.State = "unknown", "nothing sent yet"
	default:
		v.Word, v.State = "well", "delivers"
	}
	return v
}

// ownMetrics are the figures of the agent's process that its page has.
var ownMetrics = []struct {
	name, metric string
	text         func(v float64, up time.Duration) string
}{
	{"Memory", "process_resident_memory_bytes", func(v float64, _ time.Duration) string { return bytesOf(hsm.Some(int64(v))) }},
	{"CPU since the start", "process_cpu_seconds_total", func(v float64, up time.Duration) string {
		return fmt.Sprintf("%.1f s, %.1f %% of one processor", v, 100*v/max(1, up.Seconds()))
	}},
	{"Goroutines", "go_goroutines", func(v float64, _ time.Duration) string { return fmt.Sprintf("%.0f", v) }},
	{"Open files", "process_open_fds", func(v float64, _ time.Duration) string { return fmt.Sprintf("%.0f", v) }},
}

func (s *Site) ownFacts(m *moment) []fact {
	started := s.Started()
	list := []fact{{"Version", stated(s.Version)}, {"Started", stampOf(started, m.now).Clock}, {"HSMs", fmt.Sprint(len(m.snapshot.HSMs()))}, {"Active alarms", fmt.Sprint(len(m.alarms.Active))}}
	journal := "on disk"
	if m.alarms.Trouble != "" {
		journal = "IN MEMORY ONLY: " + m.alarms.Trouble
	}
	list = append(list, fact{"Journal", journal})
	values := s.gathered()
	for _, x := range ownMetrics {
		if v, known := values[x.metric]; known {
			list = append(list, fact{x.name, x.text(v, m.now.Sub(started))})
		}
	}
	return list
}

// gathered returns the figures without labels of the process and of the runtime.
func (s *Site) gathered() map[string]float64 {
	values := make(map[string]float64)
	if s.Own == nil {
		return values
	}
	families, _ := s.Own.Gather() // what cannot be gathered is not shown
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "process_") && !strings.HasPrefix(f.GetName(), "go_") || len(f.GetMetric()) != 1 {
			continue
		}
		switch x := f.GetMetric()[0]; {
		case x.GetGauge() != nil:
			values[f.GetName()] = x.GetGauge().GetValue()
		case x.GetCounter() != nil:
			values[f.GetName()] = x.GetCounter().GetValue()
		}
	}
	return values
}
