package alarms_test

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// TestOff: every group can be switched off, by which its active alarms end, and
// those of others do not.
func TestOff(t *testing.T) {
	for _, g := range alarms.Groups() {
		other := "battery"
		if g.Name == other {
			other = "stm"
		}
		bad := func(second int, group string) alarms.Finding {
			return alarms.Finding{Key: alarms.Key{Device: "a", Group: group}, Condition: alarms.Bad, Severity: alarms.Major, Text: "x",
				Evidence: alarms.Evidence{At: alarmstest.At(second), Text: "x"}}
		}
		s := alarms.NewState()
		s.Apply(alarms.Eval(s, []alarms.Finding{bad(0, g.Name), bad(0, other)}, alarms.Damping{}, alarmstest.At(0)))
		off := alarms.Damping{Off: []string{g.Name}}
		changes := alarms.Eval(s, []alarms.Finding{bad(10, g.Name), bad(10, other)}, off, alarmstest.At(10))
		alarmstest.Same(t, g.Name, []string{"cleared major a/" + g.Name, "seen major a/" + other}, alarmstest.Describe(changes))
		s.Apply(changes)
		changes = alarms.Eval(s, []alarms.Finding{bad(20, g.Name)}, off, alarmstest.At(20))
		if len(changes) > 0 {
			t.Errorf("%s: %q although it is off", g.Name, alarmstest.Describe(changes))
		}
	}
	if err := (alarms.Damping{FlapWindow: 1, Off: []string{"fan", "no-such"}}).Validate(); err == nil {
		t.Error("an unknown group may be switched off")
	}
}
