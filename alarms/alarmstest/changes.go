package alarmstest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
)

// PlayDamped is play with delays, flapping and storms.
func PlayDamped(t *testing.T, calm alarms.Damping, steps []Step) alarms.State {
	t.Helper()
	s := alarms.NewState()
	for i, x := range steps {
		changes := alarms.Eval(s, x.js, calm, At(x.at))
		if diff := cmp.Diff(x.want, Describe(changes)); diff != "" {
			t.Errorf("step %d at %d (-want +got):\n%s", i, x.at, diff)
		}
		s.Apply(changes)
	}
	return s
}

// Describe renders changes in the order of their making: "raised minor a/stm".
func Describe(changes []alarms.Change) (list []string) {
	for _, c := range changes {
		list = append(list, fmt.Sprintf("%s %s %s", c.Kind, c.Alarm.Severity, c.Alarm.Key))
	}
	return list
}

// A Step gives judgements to the engine at a time, and tells what comes of it.
type Step struct {
	at   int
	js   []alarms.Finding
	want []string
}

// After is a step at a second, with what comes of it.
func After(second int, js []alarms.Finding, want ...string) Step { return Step{second, js, want} }

func Play(t *testing.T, steps []Step) alarms.State {
	t.Helper()
	s := alarms.NewState()
	for i, x := range steps {
		changes := alarms.Eval(s, x.js, alarms.Damping{}, At(x.at))
		if diff := cmp.Diff(x.want, Describe(changes)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
		s.Apply(changes)
	}
	return s
}

func Same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
