package alarms

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// playCalm is play with delays, flapping and storms.
func playCalm(t *testing.T, calm Damping, steps []step) State {
	t.Helper()
	s := NewState()
	for i, x := range steps {
		changes := Eval(s, x.js, calm, at(x.at))
		if diff := cmp.Diff(x.want, told(changes)); diff != "" {
			t.Errorf("step %d at %d (-want +got):\n%s", i, x.at, diff)
		}
		s.Apply(changes)
	}
	return s
}

func TestDelays(t *testing.T) {
	minutes := map[string]time.Duration{"stm": time.Minute}
	for name, x := range map[string]struct {
		calm  Damping
		steps []step
	}{
		"raised after a while": {Damping{RaiseAfter: minutes}, []step{
			after(0, isBad(0, Major), "pending major a/stm"),
			after(30, isBad(30, Major), "pending major a/stm"),
			after(59, nil),
			after(60, nil, "raised major a/stm"),
			after(70, isGood(70), "cleared major a/stm"),
		}},
		"over before": {Damping{RaiseAfter: minutes}, []step{
			after(0, isBad(0, Major), "pending major a/stm"),
			after(30, isGood(30), "dropped major a/stm"),
			after(60, isBad(20, Major)), // older than its end
			after(90, isBad(90, Major), "pending major a/stm"),
			after(150, nil, "raised major a/stm"),
		}},
		"missing data neither raise sooner nor end": {Damping{RaiseAfter: minutes}, []step{
			after(0, isBad(0, Major), "pending major a/stm"),
			after(1000, nil, "raised major a/stm"),
			after(100000, nil),
		}},
		"cleared after a while": {Damping{ClearAfter: minutes}, []step{
			after(0, isBad(0, Major), "raised major a/stm"),
			after(10, isGood(10), "seen major a/stm"),
			after(20, isGood(20)),
			after(69, nil),
			after(70, nil, "cleared major a/stm"),
		}},
		"back before": {Damping{ClearAfter: minutes}, []step{
			after(0, isBad(0, Major), "raised major a/stm"),
			after(10, isGood(10), "seen major a/stm"),
			after(30, isBad(30, Major), "seen major a/stm"),
			after(80, nil),
			after(90, isGood(90), "seen major a/stm"),
			after(150, nil, "cleared major a/stm"),
		}},
		"another group": {Damping{RaiseAfter: map[string]time.Duration{"battery": time.Minute}}, []step{
			after(0, isBad(0, Major), "raised major a/stm"),
		}},
	} {
		t.Run(name, func(t *testing.T) { playCalm(t, x.calm, x.steps) })
	}
}

func TestFlapping(t *testing.T) {
	calm := Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}
	raised, cleared := []string{"raised major a/stm"}, []string{"cleared major a/stm"}
	s := playCalm(t, calm, []step{
		after(0, isBad(0, Major), raised...), after(10, isGood(10), cleared...),
		after(20, isBad(20, Major), raised...), after(30, isGood(30), cleared...),
		after(40, isBad(40, Major), raised...), // the third: it flaps
		after(50, isGood(50), "seen major a/stm"),
		after(60, isBad(60, Major), "seen major a/stm"),
		after(70, isGood(70), "seen major a/stm"),
		after(600, nil),
		after(670, nil, cleared...), // quiet for ten minutes
		after(2000, isBad(2000, Major), raised...),
	})
	if a := s.Active[Key{Device: "a", Group: "stm"}]; a.Flapping || len(a.Begun) != 1 {
		t.Errorf("got %+v", a)
	}
	// One that stays bad is steady again.
	s = playCalm(t, calm, []step{
		after(0, isBad(0, Major), raised...), after(1, isGood(1), cleared...), after(2, isBad(2, Major), raised...), after(3, isGood(3), cleared...),
		after(4, isBad(4, Major), raised...), after(603, nil), after(604, nil, "seen major a/stm"), after(700, isGood(700), cleared...),
	})
	if len(s.Active) != 0 {
		t.Errorf("stands %v", s.Active)
	}
}

func manyBad(second, from, to int) (js []Judgement) {
	for i := from; i < to; i++ {
		j := isBad(second, Major)[0]
		j.Object = fmt.Sprintf("%03d", i)
		js = append(js, j)
	}
	return js
}

func TestStorm(t *testing.T) {
	s := NewState()
	calm := Damping{StormAlarms: 10}
	step := func(second int, js []Judgement) (kinds map[Kind]int) {
		kinds = make(map[Kind]int)
		for _, c := range Eval(s, js, calm, at(second)) {
			kinds[c.Kind]++
			s.Apply([]Change{c})
		}
		return kinds
	}
	if got := step(0, manyBad(0, 0, 10)); got[Raised] != 10 || len(s.Active) != 10 {
		t.Errorf("before a storm: %v", got)
	}
	if got := step(10, manyBad(10, 10, 100)); got[Raised] != 91 {
		t.Errorf("the storm: %v", got)
	}
	storm, quiet := s.Active[stormKey], 0
	for _, a := range s.Active {
		if a.InStorm {
			quiet++
		}
	}
	if quiet != 90 || storm.Severity != Major || !strings.HasPrefix(storm.Text, "90 alarms on 1 devices, 0 of them critical") {
		t.Errorf("%d in the storm, %+v", quiet, storm)
	}
	if got := step(20, manyBad(20, 100, 150)); got[Raised] != 50 || !strings.HasPrefix(s.Active[stormKey].Text, "140 alarms") {
		t.Errorf("it goes on: %v, %s", got, s.Active[stormKey].Text)
	}
	worst := manyBad(21, 150, 151)
	worst[0].Severity = Critical
	step(26, worst)
	if storm := s.Active[stormKey]; storm.Severity != Critical || !strings.Contains(storm.Text, "1 of them critical") {
		t.Errorf("a critical one in it: %+v", storm)
	}
	if next := s.Next(calm); next.Before(at(79)) || next.After(at(80)) {
		t.Errorf("looks again at %v", next)
	}
	if got := step(79, nil); got[Ended] != 0 {
		t.Errorf("too early: %v", got)
	}
	if got := step(80, nil); got[Ended] != 1 {
		t.Errorf("its end: %v", got)
	}
	if got := step(81, manyBad(81, 200, 205)); got[Raised] != 5 || s.Active[Key{Device: "a", Group: "stm", Object: "204"}].InStorm {
		t.Errorf("after it: %v", got)
	}
}

// TestHiddenCause has a lost link replaced by what a restart tells of it.
func TestHiddenCause(t *testing.T) {
	s := play(t, []step{
		after(0, coded(0, "0015"), "raised critical a/chassis"),
		after(60, coded(60, "1015"), "cleared critical a/chassis", "raised critical a/removal"),
		after(61, coded(61, "1001"), "raised critical a/restart"),
	})
	a := s.Active[Key{Device: "a", Group: "removal"}]
	if diff := cmp.Diff([]string{"0015", "1015"}, a.Codes); diff != "" || len(a.Evidence) != 2 {
		t.Errorf("codes %s, evidence %+v", diff, a.Evidence)
	}
	play(t, []step{ // of its own group, it is the same alarm
		after(0, coded(0, "0015"), "raised critical a/chassis"),
		after(60, coded(60, "1014"), "updated critical a/chassis"),
		after(61, coded(61, "1015"), "raised critical a/removal"),
	})
}
