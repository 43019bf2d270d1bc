package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestUnreachableFromElsewhere: the alarm says what other agents found in this outage. It
// waits for them, but not long, and says nothing of an earlier outage.
func TestUnreachableFromElsewhere(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	ok := func(agent string) hsm.Opinion { return hsm.Opinion{Agent: agent, OK: true} }
	not := func(agent string) hsm.Opinion { return hsm.Opinion{Agent: agent, Err: "refused"} }
	asked := func(answered time.Time, opinions ...hsm.Opinion) hsm.Elsewhere {
		return hsm.Elsewhere{Self: "lw1", Asked: at, Answered: answered, Opinions: opinions}
	}
	for _, test := range []struct {
		name  string
		found hsm.Elsewhere
		later time.Duration // after they were asked
		works time.Duration // the last success of the source, after that
		want  string        // "": no alarm
	}{
		{"nobody is asked", hsm.Elsewhere{}, 0, -time.Second, "why"},
		{"asked", asked(time.Time{}), time.Second, -time.Second, ""},
		{"asked, and no answer", asked(time.Time{}), 3 * time.Second, -time.Second, "why"},
		{"nobody could say", asked(at), time.Second, -time.Second, "why"},
		{"not either", asked(at, not("lw2")), time.Second, -time.Second, "why; also not from lw2"},
		{"two, not either", asked(at, not("lw2"), not("lw3")), time.Second, -time.Second, "why; also not from lw2, lw3"},
		{"reached", asked(at, ok("lw2")), time.Second, -time.Second, "why; lw2 reaches it: the path from lw1 is broken"},
		{"reached by two", asked(at, ok("lw2"), ok("lw3")), time.Second, -time.Second, "why; lw2, lw3 reach it: the path from lw1 is broken"},
		{"reached by one of two", asked(at, not("lw2"), ok("lw3")), time.Second, -time.Second, "why; reached from lw3, also not from lw2: the path from lw1 is broken"},
		{"of the outage before", asked(at, ok("lw2")), time.Minute, time.Second, "why"},
		{"asked in the outage before", asked(time.Time{}), 2 * time.Second, time.Second, "why"},
	} {
		d := source(hsm.Unreachable, 2)
		s := d.Sources["hsm show"]
		s.Success = at.Add(test.works)
		d.Sources["hsm show"], d.Elsewhere = s, test.found
		got := ""
		for _, f := range unreachable.findings(Poll{Device: d, Now: at.Add(test.later), Thresholds: DefaultThresholds()}, nil) {
			got = f.Text
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
