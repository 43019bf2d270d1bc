package alarms

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is so many seconds into a story.
func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

// told renders changes in the order of their making: "raised minor a/stm".
func told(changes []Change) (list []string) {
	for _, c := range changes {
		list = append(list, fmt.Sprintf("%s %s %s", c.Kind, c.Alarm.Severity, c.Alarm.Key))
	}
	return list
}

// A step gives judgements to the engine at a time, and tells what comes of it.
type step struct {
	at   int
	js   []Judgement
	want []string
}

// after is a step at a second, with what comes of it.
func after(second int, js []Judgement, want ...string) step { return step{second, js, want} }

func play(t *testing.T, steps []step) State {
	t.Helper()
	s := NewState()
	for i, x := range steps {
		changes := Eval(s, x.js, Damping{}, at(x.at))
		if diff := cmp.Diff(x.want, told(changes)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
		s.Apply(changes)
	}
	return s
}

func isBad(second int, s Severity) []Judgement {
	text := fmt.Sprintf("%s at %d", s, second)
	return []Judgement{{Key: Key{Device: "a", Group: "stm"}, Verdict: Bad, Severity: s, Text: text, Evidence: Evidence{At: at(second), Text: text}}}
}

func isGood(second int) []Judgement {
	return []Judgement{{Key: Key{Device: "a", Group: "stm"}, Evidence: Evidence{At: at(second), Text: "good"}}}
}

// coded is a judgement by an ALM code.
func coded(second int, code string) []Judgement {
	c, ok := CodeNamed(code)
	if !ok {
		panic(code)
	}
	j := Judgement{Key: Key{Device: "a", Group: c.Group}, Verdict: Bad, Severity: c.Severity, Code: code, Text: c.Text,
		Clears: c.Clears, Evidence: Evidence{At: at(second), Text: c.Text}}
	if c.Kind == Clear {
		j.Verdict = Good
	}
	return []Judgement{j}
}

func join(lists ...[]Judgement) (all []Judgement) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func TestEval(t *testing.T) {
	event := isBad(0, Minor)
	event[0].Age = time.Minute
	later := isBad(30, Minor)
	later[0].Age = time.Minute
	test := isBad(0, Major)
	test[0].Test = true
	between := isGood(5)
	between[0].Verdict = Between
	other := isGood(5)
	other[0].Object = "k7pf1"
	for name, steps := range map[string][]step{
		"raised and cleared": {
			after(0, isBad(0, Major), "raised major a/stm"),
			after(5, isGood(5), "cleared major a/stm"),
			after(9, isGood(9)),
		},
		"silence never clears": {
			after(0, isBad(0, Major), "raised major a/stm"),
			after(1e6, nil),
		},
		"the band neither raises nor clears": {
			after(5, between),
			after(6, isBad(6, Major), "raised major a/stm"),
			after(7, between),
		},
		"another object changes nothing": {
			after(0, isBad(0, Major), "raised major a/stm"),
			after(5, other),
		},
		"an older good poll does not clear": {
			after(5, isBad(5, Major), "raised major a/stm"),
			after(6, isGood(4)),
			after(7, isGood(5), "cleared major a/stm"),
		},
		"an older bad poll raises nothing that is over": {
			after(0, isBad(0, Major), "raised major a/stm"),
			after(5, isGood(5), "cleared major a/stm"),
			after(6, isBad(4, Critical)),
			after(8, isBad(8, Major), "raised major a/stm"),
		},
		"an older bad poll does not move a newer line back": {
			after(5, isBad(5, Major), "raised major a/stm"),
			after(6, isBad(1, Critical)),
			after(7, isGood(3)),
		},
		"the same reading judged again is no new sight": {
			after(0, isBad(0, Major), "raised major a/stm"),
			after(1, isBad(0, Major)),
			after(2, isBad(2, Major), "seen major a/stm"),
		},
		"time alone can make the same reading worse": {
			after(0, isBad(0, Minor), "raised minor a/stm"),
			after(1, isBad(0, Major), "updated major a/stm"),
			after(2, isBad(0, Major)),
		},
		"worse is told, milder is not": {
			after(0, isBad(0, Minor), "raised minor a/stm"),
			after(1, isBad(1, Critical), "updated critical a/stm"),
			after(2, isBad(2, Minor), "seen critical a/stm"),
			after(3, isBad(3, Critical), "seen critical a/stm"),
		},
		"an event ends by itself, later if it comes again": {
			after(0, event, "raised minor a/stm"),
			after(30, later, "seen minor a/stm"),
			after(60, nil),
			after(89, nil),
			after(90, nil, "cleared minor a/stm"),
		},
		"an event does not end the state that stood before": {
			after(0, coded(0, "0016"), "raised major a/comm"),
			after(1, func() []Judgement { j := coded(1, "0017"); j[0].Age = time.Minute; return j }(), "seen major a/comm"),
			after(90, nil),
		},
		"a state takes over from an event": {
			after(0, event, "raised minor a/stm"),
			after(1, isBad(1, Minor), "seen minor a/stm"),
			after(90, nil),
		},
		"tests live apart": {
			after(0, test, "raised major a/stm (test)"),
			after(1, isGood(1)),
			after(2, isBad(2, Minor), "raised minor a/stm"),
		},
		"raised, over and raised in one batch": {
			after(0, join(isBad(0, Major), isGood(0), isBad(0, Major)), "raised major a/stm", "cleared major a/stm", "raised major a/stm"),
		},
	} {
		t.Run(name, func(t *testing.T) { play(t, steps) })
	}
}

func TestCodesOfOneGroupAreOneAlarm(t *testing.T) {
	s := play(t, []step{
		after(0, coded(0, "0014"), "raised minor a/battery"),
		after(1, coded(1, "2003"), "seen minor a/battery"),
		after(2, coded(2, "2004"), "updated critical a/battery"),
		after(3, coded(3, "2003"), "seen critical a/battery"),
	})
	a := s.Active[Key{Device: "a", Group: "battery"}]
	if diff := cmp.Diff([]string{"0014", "2003", "2004"}, a.Codes); diff != "" {
		t.Error(diff)
	}
	if a.Count != 4 || a.Text != "Battery depleted" || !a.Raised.Equal(at(0)) || !a.Last.Equal(at(3)) {
		t.Errorf("got %+v", a)
	}
}

// TestClearCodes ends by each clear code exactly what the catalogue says.
func TestClearCodes(t *testing.T) {
	for _, clear := range Catalogue() {
		if clear.Kind != Clear {
			continue
		}
		for _, c := range Catalogue() {
			if c.Kind != Assert {
				continue
			}
			s := NewState()
			s.Apply(Eval(s, coded(0, c.Code), Damping{}, at(0)))
			ended := len(Eval(s, coded(1, clear.Code), Damping{}, at(1))) == 1
			if want := strings.Contains(strings.Join(clear.Clears, ","), c.Code); ended != want {
				t.Errorf("%s ends %s: %v, want %v", clear.Code, c.Code, ended, want)
			}
		}
		s := NewState() // what was polled only
		j := coded(0, clear.Code)[0]
		j.Verdict, j.Severity, j.Clears, j.Code = Bad, Minor, nil, ""
		s.Apply(Eval(s, []Judgement{j}, Damping{}, at(0)))
		if len(Eval(s, coded(1, clear.Code), Damping{}, at(1))) != 1 {
			t.Errorf("%s does not end what was polled of %s", clear.Code, clear.Group)
		}
	}
	// Neither on another card, nor of a test.
	s := NewState()
	s.Apply(Eval(s, coded(0, "2012"), Damping{}, at(0)))
	for _, change := range []func(*Key){
		func(k *Key) { k.Object = "k7pf1" }, func(k *Key) { k.Test = true }, func(k *Key) { k.Device = "b" },
	} {
		j := coded(1, "2013")
		change(&j[0].Key)
		if got := Eval(s, j, Damping{}, at(1)); len(got) > 0 {
			t.Errorf("%s ended %v", j[0].Key, told(got))
		}
	}
}

func TestEvalLeavesStateAlone(t *testing.T) {
	s := play(t, []step{after(0, coded(0, "2001"), "raised minor a/temp-warn")})
	before := fmt.Sprintf("%+v", s)
	Eval(s, join(coded(1, "0013"), coded(2, "2002"), isBad(3, Major)), Damping{}, at(4))
	if after := fmt.Sprintf("%+v", s); after != before {
		t.Errorf("state changed\nfrom %s\nto   %s", before, after)
	}
	k := Key{Device: "a", Group: "decom"}
	s.Active[k] = Alarm{Key: k, Severity: Critical, Codes: append(make([]string, 0, 4), "0010")}
	first := Eval(s, coded(1, "1016"), Damping{}, at(1))
	Eval(s, coded(1, "2006"), Damping{}, at(1))
	if got := first[0].Alarm.Codes; got[1] != "1016" {
		t.Errorf("a second evaluation changed the first to %q", got)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	s := NewState()
	for i := range 100 {
		s.Apply(Eval(s, isBad(i, Minor), Damping{}, at(i)))
	}
	a := s.Active[Key{Device: "a", Group: "stm"}]
	var seconds []int
	for _, e := range a.Evidence {
		seconds = append(seconds, int(e.At.Sub(t0).Seconds()))
	}
	if diff := cmp.Diff([]int{0, 95, 96, 97, 98, 99}, seconds); diff != "" {
		t.Error(diff)
	}
	over := Eval(s, isGood(100), Damping{}, at(100))[0].Alarm
	if len(over.Evidence) != maxEvidence || over.Evidence[maxEvidence-1].Text != "good" || !over.Cleared.Equal(at(100)) {
		t.Errorf("got %+v", over)
	}
}

func TestEndedIsForgotten(t *testing.T) {
	s := play(t, []step{after(0, isBad(0, Major), "raised major a/stm"), after(1, isGood(1), "cleared major a/stm")})
	if len(s.Past) != 1 {
		t.Fatalf("remembers %v", s.Past)
	}
	week := 7 * 24 * 3600
	b := isBad(week+1, Major)
	b[0].Device = "b"
	s.Apply(Eval(s, b, Damping{}, at(week+1)))
	g := isGood(week + 2)
	g[0].Device = "b"
	s.Apply(Eval(s, g, Damping{}, at(week+2)))
	if _, old := s.Past[Key{Device: "a", Group: "stm"}]; old || len(s.Past) != 1 {
		t.Errorf("remembers %v", s.Past)
	}
}

func TestNext(t *testing.T) {
	s := NewState()
	if !s.Next(Damping{}).IsZero() {
		t.Error("an empty state ends something")
	}
	for i, group := range []string{"a", "b", "c"} {
		s.Active[Key{Group: group}] = Alarm{Expires: at(30 - 10*i)}
	}
	s.Active[Key{Group: "d"}] = Alarm{}
	s.Due = at(0)
	s.settle(at(0))
	if !s.Next(Damping{}).Equal(at(10)) {
		t.Errorf("next is %v", s.Next(Damping{}))
	}
}

func TestSort(t *testing.T) {
	list := []Alarm{
		{Key: Key{Device: "c"}, Severity: Minor, Raised: at(0)}, {Key: Key{Device: "b"}, Severity: Critical, Raised: at(2)},
		{Key: Key{Device: "d"}, Severity: Critical, Raised: at(1)}, {Key: Key{Device: "a"}, Severity: Critical, Raised: at(2)},
	}
	slices.SortFunc(list, Alarm.compare)
	got := ""
	for _, a := range list {
		got += a.Device
	}
	if got != "dabc" {
		t.Errorf("order %s", got)
	}
}

func TestClip(t *testing.T) {
	if got := clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	got := clip(strings.Repeat("x", maxText-1) + "\u2013" + strings.Repeat("y", 1000))
	if want := strings.Repeat("x", maxText-1) + " ..."; got != want {
		t.Errorf("got %q", got)
	}
}
