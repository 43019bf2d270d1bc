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
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{30, isBad(30, Major), []string{"pending major a/stm"}},
			{59, nil, nil},
			{60, nil, []string{"raised major a/stm"}},
			{70, isGood(70), []string{"cleared major a/stm"}},
		}},
		"over before": {Damping{RaiseAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{30, isGood(30), []string{"dropped major a/stm"}},
			{60, isBad(20, Major), nil}, // older than its end
			{90, isBad(90, Major), []string{"pending major a/stm"}},
			{150, nil, []string{"raised major a/stm"}},
		}},
		"missing data neither raise sooner nor end": {Damping{RaiseAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"pending major a/stm"}},
			{1000, nil, []string{"raised major a/stm"}},
			{100000, nil, nil},
		}},
		"cleared after a while": {Damping{ClearAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
			{10, isGood(10), []string{"seen major a/stm"}},
			{20, isGood(20), nil},
			{69, nil, nil},
			{70, nil, []string{"cleared major a/stm"}},
		}},
		"back before": {Damping{ClearAfter: minutes}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
			{10, isGood(10), []string{"seen major a/stm"}},
			{30, isBad(30, Major), []string{"seen major a/stm"}},
			{80, nil, nil},
			{90, isGood(90), []string{"seen major a/stm"}},
			{150, nil, []string{"cleared major a/stm"}},
		}},
		"another group": {Damping{RaiseAfter: map[string]time.Duration{"battery": time.Minute}}, []step{
			{0, isBad(0, Major), []string{"raised major a/stm"}},
		}},
	} {
		t.Run(name, func(t *testing.T) { playCalm(t, x.calm, x.steps) })
	}
}

func TestFlapping(t *testing.T) {
	calm := Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}
	raised, cleared := []string{"raised major a/stm"}, []string{"cleared major a/stm"}
	s := playCalm(t, calm, []step{
		{0, isBad(0, Major), raised}, {10, isGood(10), cleared},
		{20, isBad(20, Major), raised}, {30, isGood(30), cleared},
		{40, isBad(40, Major), raised}, // the third: it flaps
		{50, isGood(50), []string{"seen major a/stm"}},
		{60, isBad(60, Major), []string{"seen major a/stm"}},
		{70, isGood(70), []string{"seen major a/stm"}},
		{600, nil, nil},
		{670, nil, cleared}, // quiet for ten minutes
		{2000, isBad(2000, Major), raised},
	})
	if a := s.Active[Key{Device: "a", Group: "stm"}]; a.Flapping || len(a.Begun) != 1 {
		t.Errorf("got %+v", a)
	}
	// One that stays bad is steady again.
	s = playCalm(t, calm, []step{
		{0, isBad(0, Major), raised}, {1, isGood(1), cleared}, {2, isBad(2, Major), raised}, {3, isGood(3), cleared},
		{4, isBad(4, Major), raised}, {603, nil, nil}, {604, nil, []string{"seen major a/stm"}}, {700, isGood(700), cleared},
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
		{0, coded(0, "0015"), []string{"raised critical a/chassis"}},
		{60, coded(60, "1015"), []string{"cleared critical a/chassis", "raised critical a/removal"}},
		{61, coded(61, "1001"), []string{"raised critical a/restart"}},
	})
	a := s.Active[Key{Device: "a", Group: "removal"}]
	if diff := cmp.Diff([]string{"0015", "1015"}, a.Codes); diff != "" || len(a.Evidence) != 2 {
		t.Errorf("codes %s, evidence %+v", diff, a.Evidence)
	}
	play(t, []step{ // of its own group, it is the same alarm
		{0, coded(0, "0015"), []string{"raised critical a/chassis"}},
		{60, coded(60, "1014"), []string{"updated critical a/chassis"}},
		{61, coded(61, "1015"), []string{"raised critical a/removal"}},
	})
}
