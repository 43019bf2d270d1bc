package alarms_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

func TestDelays(t *testing.T) {
	minutes := map[string]time.Duration{"stm": time.Minute}
	for name, x := range map[string]struct {
		damping alarms.Damping
		steps   []alarmstest.Step
	}{
		"raised after a while": {alarms.Damping{RaiseAfter: minutes}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "pending major a/stm"),
			alarmstest.After(30, alarmstest.Raising(30, alarms.Major), "pending major a/stm"),
			alarmstest.After(59, nil),
			alarmstest.After(60, nil, "raised major a/stm"),
			alarmstest.After(70, alarmstest.Clearing(70), "cleared major a/stm"),
		}},
		"ended before": {alarms.Damping{RaiseAfter: minutes}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "pending major a/stm"),
			alarmstest.After(30, alarmstest.Clearing(30), "dropped major a/stm"),
			alarmstest.After(60, alarmstest.Raising(20, alarms.Major)), // older than what ended it
			alarmstest.After(90, alarmstest.Raising(90, alarms.Major), "pending major a/stm"),
			alarmstest.After(150, nil, "raised major a/stm"),
		}},
		"missing data neither raise sooner nor clear": {alarms.Damping{RaiseAfter: minutes}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "pending major a/stm"),
			alarmstest.After(1000, nil, "raised major a/stm"),
			alarmstest.After(100000, nil),
		}},
		"cleared after a while": {alarms.Damping{ClearAfter: minutes}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(10, alarmstest.Clearing(10), "seen major a/stm"),
			alarmstest.After(20, alarmstest.Clearing(20)),
			alarmstest.After(69, nil),
			alarmstest.After(70, nil, "cleared major a/stm"),
		}},
		"back before": {alarms.Damping{ClearAfter: minutes}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
			alarmstest.After(10, alarmstest.Clearing(10), "seen major a/stm"),
			alarmstest.After(30, alarmstest.Raising(30, alarms.Major), "seen major a/stm"),
			alarmstest.After(80, nil),
			alarmstest.After(90, alarmstest.Clearing(90), "seen major a/stm"),
			alarmstest.After(150, nil, "cleared major a/stm"),
		}},
		"another group": {alarms.Damping{RaiseAfter: map[string]time.Duration{"battery": time.Minute}}, []alarmstest.Step{
			alarmstest.After(0, alarmstest.Raising(0, alarms.Major), "raised major a/stm"),
		}},
	} {
		t.Run(name, func(t *testing.T) { alarmstest.PlayDamped(t, x.damping, x.steps) })
	}
}

func TestFlapping(t *testing.T) {
	damping := alarms.Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}
	raised, cleared := []string{"raised major a/stm"}, []string{"cleared major a/stm"}
	s := alarmstest.PlayDamped(t, damping, []alarmstest.Step{
		alarmstest.After(0, alarmstest.Raising(0, alarms.Major), raised...), alarmstest.After(10, alarmstest.Clearing(10), cleared...),
		alarmstest.After(20, alarmstest.Raising(20, alarms.Major), raised...), alarmstest.After(30, alarmstest.Clearing(30), cleared...),
		alarmstest.After(40, alarmstest.Raising(40, alarms.Major), raised...), // the third: it flaps
		alarmstest.After(50, alarmstest.Clearing(50), "seen major a/stm"),
		alarmstest.After(60, alarmstest.Raising(60, alarms.Major), "seen major a/stm"),
		alarmstest.After(70, alarmstest.Clearing(70), "seen major a/stm"),
		alarmstest.After(600, nil),
		alarmstest.After(670, nil, cleared...), // quiet for ten minutes
		alarmstest.After(2000, alarmstest.Raising(2000, alarms.Major), raised...),
	})
	if a := s.Active[alarms.Key{Device: "a", Group: "stm"}]; a.Flapping || len(a.Begun) != 1 {
		t.Errorf("got %+v", a)
	}
	// One that stays bad is steady again.
	s = alarmstest.PlayDamped(t, damping, []alarmstest.Step{
		alarmstest.After(0, alarmstest.Raising(0, alarms.Major), raised...), alarmstest.After(1, alarmstest.Clearing(1), cleared...), alarmstest.After(2, alarmstest.Raising(2, alarms.Major), raised...), alarmstest.After(3, alarmstest.Clearing(3), cleared...),
		alarmstest.After(4, alarmstest.Raising(4, alarms.Major), raised...), alarmstest.After(603, nil), alarmstest.After(604, nil, "seen major a/stm"), alarmstest.After(700, alarmstest.Clearing(700), cleared...),
	})
	if len(s.Active) != 0 {
		t.Errorf("active %v", s.Active)
	}
}

func manyBad(second, from, to int) (findings []alarms.Finding) {
	for i := from; i < to; i++ {
		f := alarmstest.Raising(second, alarms.Major)[0]
		f.Object = fmt.Sprintf("%03d", i)
		findings = append(findings, f)
	}
	return findings
}

func TestStorm(t *testing.T) {
	s := alarms.NewState()
	damping := alarms.Damping{StormAlarms: 10}
	step := func(second int, findings []alarms.Finding) (kinds map[alarms.Kind]int) {
		kinds = make(map[alarms.Kind]int)
		for _, c := range alarms.Eval(s, findings, damping, alarmstest.At(second)) {
			kinds[c.Kind]++
			s.Apply([]alarms.Change{c})
		}
		return kinds
	}
	if got := step(0, manyBad(0, 0, 10)); got[alarms.Raised] != 10 || len(s.Active) != 10 {
		t.Errorf("before a storm: %v", got)
	}
	if got := step(10, manyBad(10, 10, 100)); got[alarms.Raised] != 91 {
		t.Errorf("the storm: %v", got)
	}
	storm, quiet := s.Active[alarms.StormKey], 0
	for _, a := range s.Active {
		if a.InStorm {
			quiet++
		}
	}
	if quiet != 90 || storm.Severity != alarms.Major || !strings.HasPrefix(storm.Text, "90 alarms are held") || !strings.Contains(storm.Text, "90 of a/stm") {
		t.Errorf("%d in the storm, %+v", quiet, storm)
	}
	if got := step(20, manyBad(20, 100, 150)); got[alarms.Raised] != 50 || !strings.HasPrefix(s.Active[alarms.StormKey].Text, "140 alarms") {
		t.Errorf("it goes on: %v, %s", got, s.Active[alarms.StormKey].Text)
	}
	for name, f := range map[string]alarms.Finding{"critical": manyBad(21, 150, 151)[0], "held, and now worse": manyBad(22, 120, 121)[0], "another group": manyBad(23, 1, 2)[0], "another device": manyBad(23, 1, 2)[0]} {
		switch name {
		case "another group":
			f.Group = "battery"
		case "another device":
			f.Device = "b"
		default:
			f.Severity = alarms.Critical
		}
		step(26, []alarms.Finding{f})
		if a, active := s.Active[f.Key]; !active || a.InStorm {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if next := s.Next(damping); next.Before(alarmstest.At(79)) || next.After(alarmstest.At(80)) {
		t.Errorf("next evaluation at %v", next)
	}
	if got := step(79, nil); got[alarms.Cleared] != 0 {
		t.Errorf("too early: %v", got)
	}
	if got := step(80, nil); got[alarms.Cleared] != 1 || got[alarms.Seen] != 139 || len(s.Held) != 0 {
		t.Errorf("its end: %v, %v", got, s.Held)
	}
	if got := step(81, manyBad(81, 200, 205)); got[alarms.Raised] != 5 || s.Active[alarms.Key{Device: "a", Group: "stm", Object: "204"}].InStorm {
		t.Errorf("after it: %v", got)
	}
}

// TestMaskedCause has a lost link replaced by what a restart reveals of it.
func TestMaskedCause(t *testing.T) {
	s := alarmstest.Play(t, []alarmstest.Step{
		alarmstest.After(0, alarmstest.Coded(0, "0015"), "raised critical a/chassis"),
		alarmstest.After(60, alarmstest.Coded(60, "1015"), "cleared critical a/chassis", "raised critical a/removal"),
		alarmstest.After(61, alarmstest.Coded(61, "1001"), "raised critical a/restart"),
	})
	a := s.Active[alarms.Key{Device: "a", Group: "removal"}]
	if diff := cmp.Diff([]string{"0015", "1015"}, a.Codes); diff != "" || len(a.Evidence) != 2 {
		t.Errorf("codes %s, evidence %+v", diff, a.Evidence)
	}
	alarmstest.Play(t, []alarmstest.Step{ // of its own group, it is the same alarm
		alarmstest.After(0, alarmstest.Coded(0, "0015"), "raised critical a/chassis"),
		alarmstest.After(60, alarmstest.Coded(60, "1014"), "updated critical a/chassis"),
		alarmstest.After(61, alarmstest.Coded(61, "1015"), "raised critical a/removal"),
	})
}

// TestFutureOrdersNothing: a time that is still to come was stored by a wrong
// clock.
func TestFutureOrdersNothing(t *testing.T) {
	s := alarms.NewState()
	s.Apply(alarms.Eval(s, alarmstest.Raising(3600, alarms.Major), alarms.Damping{}, alarmstest.At(3600)))
	if got := alarmstest.Describe(alarms.Eval(s, alarmstest.Clearing(10), alarms.Damping{}, alarmstest.At(10))); len(got) != 1 || got[0] != "cleared major a/stm" {
		t.Errorf("the clock was an hour ahead: %q", got)
	}
	if got := alarmstest.Describe(alarms.Eval(s, alarmstest.Clearing(10), alarms.Damping{}, alarmstest.At(3610))); len(got) != 0 {
		t.Errorf("an old reading: %q", got)
	}
}
