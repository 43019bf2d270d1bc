package alarms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

func TestEval(t *testing.T) {
	event := alarmstest.Raising(0, alarms.Minor)
	event[0].Age = time.Minute
	later := alarmstest.Raising(30, alarms.Minor)
	later[0].Age = time.Minute
	test := alarmstest.Raising(0, alarms.Major)
	test[0].Test = true
	between := alarmstest.Clearing(5)
	between[0].Condition = alarms.Between
	other := alarmstest.Clearing(5)
	other[0].Object = "k7pf1"
	for name, steps := range map[string][]alarmstest.Step{
		"raised and cleared": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(5, alarmstest.Clearing(5), "cleared major a/stm"),
			alarmstest.After(9, alarmstest.Clearing(9)),
		},
		"silence never clears": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(1e6, nil),
		},
		"the band neither raises nor clears": {
			alarmstest.After(5, between),
			alarmstest.After(6, alarmstest.Raising(6, alarms.Major), "raised major a/stm"),
			alarmstest.After(7, between),
		},
		"another object changes nothing": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(5, other),
		},
		"an older good poll does not clear": {
			alarmstest.After(5, alarmstest.Raising(5, alarms.Major), "raised major a/stm"),
			alarmstest.After(6, alarmstest.Clearing(4)),
			alarmstest.After(7, alarmstest.Clearing(5), "cleared major a/stm"),
		},
		"an older bad poll raises nothing that has cleared": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(5, alarmstest.Clearing(5), "cleared major a/stm"),
			alarmstest.After(6, alarmstest.Raising(4, alarms.Critical)),
			alarmstest.After(8, alarmstest.Raising(8, alarms.Major), "raised major a/stm"),
		},
		"an older bad poll does not move a newer line back": {
			alarmstest.After(5, alarmstest.Raising(5, alarms.Major), "raised major a/stm"),
			alarmstest.After(6, alarmstest.Raising(1, alarms.Critical)),
			alarmstest.After(7, alarmstest.Clearing(3)),
		},
		"the same reading evaluated again does not count": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(1, alarmstest.Raising(0, alarms.Major)),
			alarmstest.After(2, alarmstest.Raising(2, alarms.Major), "seen major a/stm"),
		},
		"time alone can make the same reading worse": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Minor), "raised minor a/stm"),
			alarmstest.After(1, alarmstest.Raising(0, alarms.Major), "updated major a/stm"),
			alarmstest.After(2, alarmstest.Raising(0, alarms.Major)),
		},
		"worse is an update, milder is not": {
			alarmstest.After(0, alarmstest.Raising(0, alarms.Minor), "raised minor a/stm"),
			alarmstest.After(1, alarmstest.Raising(1, alarms.Critical), "updated critical a/stm"),
			alarmstest.After(2, alarmstest.Raising(2, alarms.Minor), "seen critical a/stm"),
			alarmstest.After(3, alarmstest.Raising(3, alarms.Critical), "seen critical a/stm"),
		},
		"an event clears by itself, later if it comes again": {
			alarmstest.After(0, event, "raised minor a/stm"),
			alarmstest.After(30, later, "seen minor a/stm"),
			alarmstest.After(60, nil),
			alarmstest.After(89, nil),
			alarmstest.After(90, nil, "cleared minor a/stm"),
		},
		"an event does not clear the state that was active before": {
			alarmstest.After(0, alarmstest.Coded(0, "0016"), "raised major a/comm"),
			alarmstest.After(1, func() []alarms.Finding { f := alarmstest.Coded(1, "0017"); f[0].Age = time.Minute; return f }(), "seen major a/comm"),
			alarmstest.After(90, nil),
		},
		"a state takes over from an event": {
			alarmstest.After(0, event, "raised minor a/stm"),
			alarmstest.After(1, alarmstest.Raising(1, alarms.Minor), "seen minor a/stm"),
			alarmstest.After(90, nil),
		},
		"tests are separate": {
			alarmstest.After(0, test, "raised major a/stm (test)"),
			alarmstest.After(1, alarmstest.Clearing(1)),
			alarmstest.After(2, alarmstest.Raising(2, alarms.Minor), "raised minor a/stm"),
		},
		"raised, cleared and raised in one batch": {
			alarmstest.After(0, alarmstest.Join(alarmstest.Raising(0, alarms.Major), alarmstest.Clearing(0), alarmstest.Raising(0, alarms.Major)), "raised major a/stm", "cleared major a/stm", "raised major a/stm"),
		},
	} {
		t.Run(name, func(t *testing.T) { alarmstest.Play(t, steps) })
	}
}

func TestCodesOfOneGroupAreOneAlarm(t *testing.T) {
	s := alarmstest.Play(t, []alarmstest.Step{
		alarmstest.After(0, alarmstest.Coded(0, "0014"), "raised minor a/battery"),
		alarmstest.After(1, alarmstest.Coded(1, "2003"), "seen minor a/battery"),
		alarmstest.After(2, alarmstest.Coded(2, "2004"), "updated critical a/battery"),
		alarmstest.After(3, alarmstest.Coded(3, "2003"), "seen critical a/battery"),
	})
	a := s.Active[alarms.Key{Device: "a", Group: "battery"}]
	if diff := cmp.Diff([]string{"0014", "2003", "2004"}, a.Codes); diff != "" {
		t.Error(diff)
	}
	if a.Count != 4 || a.Text != "Battery depleted" || !a.Raised.Equal(alarmstest.At(0)) || !a.Last.Equal(alarmstest.At(3)) {
		t.Errorf("got %+v", a)
	}
}

// TestClearCodes has each clear code clear exactly what the catalogue says.
func TestClearCodes(t *testing.T) {
	for _, clear := range alarms.Catalogue() {
		if clear.Kind != alarms.Clear {
			continue
		}
		for _, c := range alarms.Catalogue() {
			if c.Kind != alarms.Assert {
				continue
			}
			s := alarms.NewState()
			s.Apply(alarms.Eval(s, alarmstest.Coded(0, c.Code), alarms.Damping{}, alarmstest.At(0)))
			cleared := len(alarms.Eval(s, alarmstest.Coded(1, clear.Code), alarms.Damping{}, alarmstest.At(1))) == 1
			if want := strings.Contains(strings.Join(clear.Clears, ","), c.Code); cleared != want {
				t.Errorf("%s clears %s: %v, want %v", clear.Code, c.Code, cleared, want)
			}
		}
		s := alarms.NewState() // what was polled only
		f := alarmstest.Coded(0, clear.Code)[0]
		f.Condition, f.Severity, f.Clears, f.Code = alarms.Bad, alarms.Minor, nil, ""
		s.Apply(alarms.Eval(s, []alarms.Finding{f}, alarms.Damping{}, alarmstest.At(0)))
		if len(alarms.Eval(s, alarmstest.Coded(1, clear.Code), alarms.Damping{}, alarmstest.At(1))) != 1 {
			t.Errorf("%s does not clear what was polled of %s", clear.Code, clear.Group)
		}
	}
	// Neither on another card, nor of a test.
	s := alarms.NewState()
	s.Apply(alarms.Eval(s, alarmstest.Coded(0, "2012"), alarms.Damping{}, alarmstest.At(0)))
	for _, change := range []func(*alarms.Key){
		func(k *alarms.Key) { k.Object = "k7pf1" }, func(k *alarms.Key) { k.Test = true }, func(k *alarms.Key) { k.Device = "b" },
	} {
		f := alarmstest.Coded(1, "2013")
		change(&f[0].Key)
		if got := alarms.Eval(s, f, alarms.Damping{}, alarmstest.At(1)); len(got) > 0 {
			t.Errorf("%s cleared %v", f[0].Key, alarmstest.Describe(got))
		}
	}
}

func TestEvalLeavesStateAlone(t *testing.T) {
	s := alarmstest.Play(t, []alarmstest.Step{alarmstest.After(0, alarmstest.Coded(0, "2001"), "raised minor a/temp-warn")})
	before := fmt.Sprintf("%+v", s)
	alarms.Eval(s, alarmstest.Join(alarmstest.Coded(1, "0013"), alarmstest.Coded(2, "2002"), alarmstest.Raising(3, alarms.Major)), alarms.Damping{}, alarmstest.At(4))
	if after := fmt.Sprintf("%+v", s); after != before {
		t.Errorf("state changed\nfrom %s\nto   %s", before, after)
	}
	k := alarms.Key{Device: "a", Group: "decom"}
	s.Active[k] = alarms.Alarm{Key: k, Severity: alarms.Critical, Codes: append(make([]string, 0, 4), "0010")}
	first := alarms.Eval(s, alarmstest.Coded(1, "1016"), alarms.Damping{}, alarmstest.At(1))
	alarms.Eval(s, alarmstest.Coded(1, "2006"), alarms.Damping{}, alarmstest.At(1))
	if got := first[0].Alarm.Codes; got[1] != "1016" {
		t.Errorf("a second evaluation changed the first to %q", got)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	s := alarms.NewState()
	for i := range 100 {
		s.Apply(alarms.Eval(s, alarmstest.Raising(i, alarms.Minor), alarms.Damping{}, alarmstest.At(i)))
	}
	a := s.Active[alarms.Key{Device: "a", Group: "stm"}]
	var seconds []int
	for _, e := range a.Evidence {
		seconds = append(seconds, int(e.At.Sub(alarmstest.T0).Seconds()))
	}
	if diff := cmp.Diff([]int{0, 95, 96, 97, 98, 99}, seconds); diff != "" {
		t.Error(diff)
	}
	cleared := alarms.Eval(s, alarmstest.Clearing(100), alarms.Damping{}, alarmstest.At(100))[0].Alarm
	if len(cleared.Evidence) != alarms.MaxEvidence || cleared.Evidence[alarms.MaxEvidence-1].Text != "good" || !cleared.Cleared.Equal(alarmstest.At(100)) {
		t.Errorf("got %+v", cleared)
	}
}

func TestClearedIsForgotten(t *testing.T) {
	s := alarmstest.Play(t, []alarmstest.Step{alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"), alarmstest.After(1, alarmstest.Clearing(1), "cleared major a/stm")})
	if len(s.Past) != 1 {
		t.Fatalf("remembers %v", s.Past)
	}
	week := 7 * 24 * 3600
	b := alarmstest.Raising(week+1, alarms.Major)
	b[0].Device = "b"
	s.Apply(alarms.Eval(s, b, alarms.Damping{}, alarmstest.At(week+1)))
	g := alarmstest.Clearing(week + 2)
	g[0].Device = "b"
	s.Apply(alarms.Eval(s, g, alarms.Damping{}, alarmstest.At(week+2)))
	if _, old := s.Past[alarms.Key{Device: "a", Group: "stm"}]; old || len(s.Past) != 1 {
		t.Errorf("remembers %v", s.Past)
	}
}

func TestNext(t *testing.T) {
	s := alarms.NewState()
	if !s.Next(alarms.Damping{}).IsZero() {
		t.Error("an empty state has something due")
	}
	for i, group := range []string{"a", "b", "c"} {
		s.Active[alarms.Key{Group: group}] = alarms.Alarm{Expires: alarmstest.At(30 - 10*i)}
	}
	s.Active[alarms.Key{Group: "d"}] = alarms.Alarm{}
	s.Due = alarmstest.At(0)
	s.Settle(alarmstest.At(0))
	if !s.Next(alarms.Damping{}).Equal(alarmstest.At(10)) {
		t.Errorf("next is %v", s.Next(alarms.Damping{}))
	}
}

func TestSort(t *testing.T) {
	list := []alarms.Alarm{
		{Key: alarms.Key{Device: "c"}, Severity: alarms.Minor, Raised: alarmstest.At(0)}, {Key: alarms.Key{Device: "b"}, Severity: alarms.Critical, Raised: alarmstest.At(2)},
		{Key: alarms.Key{Device: "d"}, Severity: alarms.Critical, Raised: alarmstest.At(1)}, {Key: alarms.Key{Device: "a"}, Severity: alarms.Critical, Raised: alarmstest.At(2)},
	}
	slices.SortFunc(list, alarms.Alarm.Compare)
	got := ""
	for _, a := range list {
		got += a.Device
	}
	if got != "dabc" {
		t.Errorf("order %s", got)
	}
}

func TestClip(t *testing.T) {
	if got := alarms.Clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
	got := alarms.Clip(strings.Repeat("x", alarms.MaxText-1) + "\u2013" + strings.Repeat("y", 1000))
	if want := strings.Repeat("x", alarms.MaxText-1) + " ..."; got != want {
		t.Errorf("got %q", got)
	}
}
