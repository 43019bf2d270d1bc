package watch

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// TestDuplicate has a second line come from some log, seconds after the first.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	read := time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)
	for _, c := range []struct {
		what, first, second, log string
		after                    time.Duration
		same                     bool
	}{
		{"another way", alarmstest.LineOfAppliance, alarmstest.LineOfAppliance, "/b", 0, true},
		{"the same log twice", alarmstest.LineOfAppliance, alarmstest.LineOfAppliance, "/a", 0, false},
		{"a way that is hours late", alarmstest.LineOfAppliance, alarmstest.LineOfAppliance, "/b", 3 * time.Hour, true},
		{"four seconds apart by their own times", alarmstest.LineOfAppliance, alarmstest.Line4sLater, "/b", 0, true},
		{"six seconds apart by their own times", alarmstest.LineOfAppliance, alarmstest.Line6sLater, "/b", 0, false},
		{"without a year", alarmstest.LineOfAppliance, alarmstest.LineShort, "", 0, true},
		{"without a year, a day late", alarmstest.LineOfAppliance, alarmstest.LineShort, "", 24 * time.Hour, true},
		{"without a year, months late", alarmstest.LineOfAppliance, alarmstest.LineShort, "", 265 * 24 * time.Hour, true},
		{"with a zone", alarmstest.LineOfAppliance, alarmstest.LineZoned, "", 0, true},
		{"with a zone, when the first is long ago", alarmstest.LineOfAppliance, alarmstest.LineZoned, "", time.Hour, false},
		{"of the ring, read at once", alarmstest.LineOfAppliance, alarmstest.LineOfRing, "kernel log", 4 * time.Second, true},
		{"of the ring, read later", alarmstest.LineOfAppliance, alarmstest.LineOfRing, "kernel log", 6 * time.Second, false},
		{"another card", alarmstest.LineOfAppliance, alarmstest.LineOtherCard, "/b", 0, false},
		{"another text", alarmstest.LineOfAppliance, alarmstest.LineOtherText, "/b", 0, false},
		{"a test", alarmstest.LineOfAppliance, alarmstest.LineOfATest, "/b", 0, false},
		{"the year before", alarmstest.LineOldYear, alarmstest.LineNewYear, "", 0, true},
	} {
		l := func(text, file string, after time.Duration) rules.Line {
			return rules.Line{LogLine: syslog.ParseLine(text), Device: "a", File: file, At: read.Add(after)}
		}
		all, _ := findDuplicate(nil, l(c.first, "/a", 0))
		if _, duplicate := findDuplicate(all, l(c.second, c.log, c.after)); duplicate != c.same {
			t.Errorf("%s: %v, want %v", c.what, duplicate, c.same)
		}
		if len(all[0].logs) != 1 {
			t.Errorf("%s: what was given is changed", c.what)
		}
	}
	var all []seenLine
	for range 3 * maxSeen {
		all, _ = findDuplicate(all, rules.Line{LogLine: syslog.ParseLine(alarmstest.LineOfAppliance), File: "/a", At: read})
	}
	if len(all) != maxSeen {
		t.Errorf("keeps %d", len(all))
	}
}
