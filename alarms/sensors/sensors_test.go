package sensors

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestUnknownWords: a word that nobody knows is never nothing, whatever the part.
func TestUnknownWords(t *testing.T) {
	for _, x := range []struct {
		name, word string
		condition  alarms.Condition
		severity   alarms.Severity
	}{
		{"PSU1_Status", "Presence detected", alarms.Good, alarms.None},
		{"PSU1_Status", "asleep", alarms.Bad, alarms.Indeterminate},
		{"Bezel", "ajar", alarms.Bad, alarms.Indeterminate},
		{"Bezel", "No Reading", alarms.Between, alarms.None},
		{"Watchdog", "Timer expired", alarms.Between, alarms.None},
		{"Power Button", "pressed", alarms.Between, alarms.None},
	} {
		if r := Stated(hsm.Fan{Name: x.name, Status: x.word}); r.Condition != x.condition || r.Severity != x.severity {
			t.Errorf("%s: %s: %+v", x.name, x.word, r)
		}
	}
}
