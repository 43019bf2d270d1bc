package main

import (
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// TestJudge: one event is lost, one is shown under two IDs, one twice under one ID, one was
// refused first, and two in one notification.
func TestJudge(t *testing.T) {
	begun := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return begun.Add(time.Duration(seconds) * time.Second) }
	var events []event
	for n := range 6 {
		events = append(events, event{Device: "p000", Group: "stm", Raises: n%2 == 0, Due: at(n)})
	}
	note := func(from, id string, kind alarms.Kind, seconds int, taken bool, numbers ...int) record {
		return record{steady, at(seconds), id, kind, from, numbers, taken}
	}
	v := judge(events, []record{
		note("a1", "1 raised", alarms.Raised, 0, true, 0),
		note("a1", "1 cleared", alarms.Cleared, 1, false, 1),
		note("a1", "1 cleared", alarms.Cleared, 4, true, 1),
		note("a2", "1 cleared", alarms.Cleared, 5, true, 1),
		note("a1", "3 raised", alarms.Raised, 5, true, 2),
		note("a2", "4 raised", alarms.Raised, 6, true, 2),
		note("a2", "5 raised and cleared", alarms.RaisedAndCleared, 7, true, 4, 5),
	}, []strike{{Name: "agent killed", Of: "lwf-a1", Begun: at(3), Address: "a1", Devices: map[string]bool{"p000": true}}})
	o := v.receivers[steady]
	if !slices.Equal(o.lost, []int{3}) {
		t.Errorf("lost %v", o.lost)
	}
	if got := o.doubled[2]; len(o.doubled) != 1 || !slices.Equal(got, []string{"3 raised from a1 12:00:05.000", "4 raised from a2 12:00:06.000"}) {
		t.Errorf("doubled %v", o.doubled)
	}
	if o.repeated != 1 || o.merged != 2 || o.sent != 7 || o.taken != 6 {
		t.Errorf("repeated %d, merged %d, sent %d, taken %d", o.repeated, o.merged, o.sent, o.taken)
	}
	if o.firsts[1] != 3*time.Second {
		t.Errorf("the second event was notified after %s", o.firsts[1])
	}
	if got := v.takeovers["agent killed"]; !slices.Equal(got, []time.Duration{4 * time.Second}) {
		t.Errorf("takeovers %v", got)
	}
	if all := v.receivers[flaky]; len(all.lost) != len(events) {
		t.Errorf("the other receiver lost %v", all.lost)
	}
}

// TestShows: which events a notification shows is in the evidence of its alarm.
func TestShows(t *testing.T) {
	alarm := alarms.Alarm{Evidence: []alarms.Evidence{{Text: "k7pf0: [HSM] ALM2012: x lwf-e000001"}, {Text: "other"}, {Text: "ALM2013: x lwf-e000301"}}}
	for kind, want := range map[alarms.Kind][]int{alarms.Raised: {1}, alarms.Cleared: {301}, alarms.RaisedAndCleared: {1, 301}} {
		if got := shows(alarms.Change{Kind: kind, Alarm: alarm}); !slices.Equal(got, want) {
			t.Errorf("%s shows %v, want %v", kind, got, want)
		}
	}
	if got := shows(alarms.Change{Kind: alarms.Raised}); len(got) != 0 {
		t.Errorf("an alarm of no event shows %v", got)
	}
}

// TestEvents: each pair is raised and cleared in turns, and what is left is active.
func TestEvents(t *testing.T) {
	var events []event
	for n := range 2*pretend*len(pairs) + 2 {
		e, _ := eventOf(n)
		events = append(events, e)
	}
	if got := expected(events); !slices.Equal(got, []string{"p000/stm", "p001/stm"}) {
		t.Errorf("active: %q", got)
	}
}
