// Package alarmstest is what the tests of alarms share: times, devices, lines,
// findings, and a receiver. It knows nothing of the agent.
package alarmstest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Step gives findings to the engine at a time, and holds what must come of
// it.
type Step struct {
	at       int // s
	findings []alarms.Finding
	want     []string
}

// After is a step at a second, with the changes that it must cause.
func After(second int, findings []alarms.Finding, want ...string) Step {
	return Step{second, findings, want}
}

// Play has the engine take steps, without damping, and returns its last state.
func Play(t *testing.T, steps []Step) alarms.State {
	t.Helper()
	return PlayDamped(t, alarms.Damping{}, steps)
}

// PlayDamped is [Play] with delays, flapping and storms.
func PlayDamped(t *testing.T, damping alarms.Damping, steps []Step) alarms.State {
	t.Helper()
	s := alarms.NewState()
	for i, x := range steps {
		changes := alarms.Eval(s, x.findings, damping, At(x.at))
		if diff := cmp.Diff(x.want, Describe(changes)); diff != "" {
			t.Errorf("step %d at %d (-want +got):\n%s", i, x.at, diff)
		}
		s.Apply(changes)
	}
	return s
}

// Describe renders changes in their order: "raised minor a/stm".
func Describe(changes []alarms.Change) (list []string) {
	for _, c := range changes {
		list = append(list, fmt.Sprintf("%s %s %s", c.Kind, c.Alarm.Severity, c.Alarm.Key))
	}
	return list
}

// Same fails the test if got differs from want, and says of what.
func Same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
