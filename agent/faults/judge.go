package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A strike is a fault that happened.
type strike struct {
	Name    string
	Of      string // which agent or server; "": none, or several
	Begun   time.Time
	Address string          // of the agent
	Devices map[string]bool // that it owned then
}

// A verdict is what the receivers were sent, beside what was due.
type verdict struct {
	events    []event
	strikes   []strike
	receivers map[string]*outcome
	takeovers map[string][]time.Duration // by fault
	missed    map[string]int             // faults of an agent after which no other one notified
}

// An outcome is what receivers of one kind were sent.
type outcome struct {
	sent     int
	taken    int
	shown    map[string]int // by ID: how often it was taken
	lost     []int          // events that no notification shows
	doubled  map[int][]string
	merged   int // events that one notification shows together with another one
	others   map[alarms.Kind]int
	firsts   []time.Duration // from when an event was due
	repeated int             // notifications that were taken again under their ID
}

// judge compares what was notified with what was due.
func judge(events []event, records []record, strikes []strike) *verdict {
	v := &verdict{events: events, strikes: strikes, receivers: make(map[string]*outcome), takeovers: make(map[string][]time.Duration), missed: make(map[string]int)}
	for _, kind := range []string{steady, flaky} {
		v.receivers[kind] = outcomeOf(events, slices.DeleteFunc(slices.Clone(records), func(r record) bool { return r.Receiver != kind }))
	}
	for _, s := range strikes {
		v.takeover(s, records)
	}
	return v
}

func outcomeOf(events []event, records []record) *outcome {
	o := &outcome{sent: len(records), shown: make(map[string]int), doubled: make(map[int][]string), others: make(map[alarms.Kind]int)}
	ids := make(map[int][]string)
	first := make(map[int]time.Time)
	for _, r := range records {
		if !r.Taken {
			continue
		}
		o.taken++
		if o.shown[r.ID]++; o.shown[r.ID] > 1 {
			o.repeated++
			continue
		}
		switch r.Kind {
		case alarms.RaisedAndCleared:
			o.merged += len(r.Shows)
		case alarms.Raised, alarms.Cleared:
		default:
			o.others[r.Kind]++
		}
		for _, n := range r.Shows {
			if ids[n] = append(ids[n], r.ID+" from "+r.From+r.At.Format(" 15:04:05.000")); len(ids[n]) == 1 {
				first[n] = r.At
			}
		}
	}
	for n, e := range events {
		switch {
		case len(ids[n]) == 0:
			o.lost = append(o.lost, n)
			continue
		case len(ids[n]) > 1:
			o.doubled[n] = ids[n]
		}
		o.firsts = append(o.firsts, first[n].Sub(e.Due))
	}
	return o
}

// takeover finds the first notification, by another agent than the one that was struck, of
// an event of one of its devices that was due after the strike.
func (v *verdict) takeover(s strike, records []record) {
	if s.Address == "" || len(s.Devices) == 0 {
		return
	}
	next := time.Time{}
	if i := slices.IndexFunc(v.strikes, func(o strike) bool { return o.Begun.After(s.Begun) && o.Address != "" }); i >= 0 {
		next = v.strikes[i].Begun
	}
	for _, r := range records {
		if r.Receiver != steady || r.From == s.Address || r.At.Before(s.Begun) || !next.IsZero() && r.At.After(next) {
			continue
		}
		for _, n := range r.Shows {
			if n < len(v.events) && s.Devices[v.events[n].Device] && !v.events[n].Due.Before(s.Begun) {
				v.takeovers[s.Name] = append(v.takeovers[s.Name], r.At.Sub(s.Begun))
				return
			}
		}
	}
	v.missed[s.Name]++
}

// table returns the verdict in Markdown.
func (v *verdict) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d faults, %d events due\n\n| | steady | flaky |\n|---|--:|--:|\n", len(v.strikes), len(v.events))
	row := func(title string, of func(*outcome) string) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", title, of(v.receivers[steady]), of(v.receivers[flaky]))
	}
	count := func(title string, of func(*outcome) int) {
		row(title, func(o *outcome) string { return fmt.Sprint(of(o)) })
	}
	count("notifications sent", func(o *outcome) int { return o.sent })
	count("taken by the receiver", func(o *outcome) int { return o.taken })
	count("events lost", func(o *outcome) int { return len(o.lost) })
	count("events shown by notifications with different IDs", func(o *outcome) int { return len(o.doubled) })
	count("taken again under the same ID", func(o *outcome) int { return o.repeated })
	count("events shown as raised and cleared in one", func(o *outcome) int { return o.merged })
	count("notifications of another kind", func(o *outcome) int { return total(o.others) })
	row("from event to notification, p50 / p99 / most", func(o *outcome) string { return quantiles(o.firsts) })
	b.WriteString("\n| fault | times | takeover p50 / p99 / most | none |\n|---|--:|--:|--:|\n")
	times := make(map[string]int)
	for _, s := range v.strikes {
		times[s.Name]++
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		fmt.Fprintf(&b, "| %s | %d | %s | %d |\n", name, times[name], quantiles(v.takeovers[name]), v.missed[name])
	}
	for _, kind := range []string{steady, flaky} {
		v.explain(&b, kind)
	}
	return b.String()
}

// explain lists the first events that were lost or doubled, with the fault before each.
func (v *verdict) explain(b *strings.Builder, kind string) {
	const most = 15
	o := v.receivers[kind]
	line := func(what string, n int, more string) {
		e, before := v.events[n], "before all faults"
		for _, s := range v.strikes {
			if s.Begun.Before(e.Due) {
				before = fmt.Sprintf("%.1f s after %s %s, owned by it: %t", e.Due.Sub(s.Begun).Seconds(), s.Name, s.Of, s.Devices[e.Device])
			}
		}
		fmt.Fprintf(b, "%s, %s: %d %s/%s raises %t at %s, %s%s\n", what, kind, n, e.Device, e.Group, e.Raises, e.Due.Format("15:04:05.000"), before, more)
	}
	b.WriteString("\n")
	for _, n := range o.lost[:min(most, len(o.lost))] {
		line("lost", n, "")
	}
	doubled := slices.Sorted(maps.Keys(o.doubled))
	for _, n := range doubled[:min(most, len(doubled))] {
		line("doubled", n, fmt.Sprintf(": %q", o.doubled[n]))
	}
}

func total(counts map[alarms.Kind]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// quantiles returns the median, the 99th percentile and the greatest, in seconds.
func quantiles(all []time.Duration) string {
	if len(all) == 0 {
		return "unknown"
	}
	sorted := slices.Sorted(slices.Values(all))
	at := func(q float64) float64 { return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Seconds() }
	return fmt.Sprintf("%.2f / %.2f / %.2f s", at(0.5), at(0.99), sorted[len(sorted)-1].Seconds())
}
