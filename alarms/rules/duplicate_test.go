package rules

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
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
		l := func(text, file string, after time.Duration) Line {
			return Line{LogLine: syslog.ParseLine(text), Device: "a", File: file, At: read.Add(after)}
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
		all, _ = findDuplicate(all, line(alarmstest.LineOfAppliance))
	}
	if len(all) != maxSeen {
		t.Errorf("keeps %d", len(all))
	}
}

// TestCardsOfAHost distinguishes cards by their names, the first as well.
func TestCardsOfAHost(t *testing.T) {
	l := line("6,1,10,-;k7pf0: ALM0014: Low Battery")
	l.Cards = true
	if findings := EvaluateLine(l, DefaultThresholds()); len(findings) != 1 || findings[0].Object != "k7pf0" {
		t.Errorf("%+v", findings)
	}
}

// TestLineTimeWithoutYear: the year is the last one that has that day and does not
// put the line into the future.
func TestLineTimeWithoutYear(t *testing.T) {
	for _, c := range []struct{ stamp, read, want string }{
		{"Mar  1 11:00:00", "2026-03-01", "2026-03-01T11:00:00Z"},
		{"Dec 31 23:59:59", "2026-01-01", "2025-12-31T23:59:59Z"},
		{"Feb 29 23:59:59", "2026-03-01", "2024-02-29T23:59:59Z"},
		{"Feb 29 23:59:59", "2028-02-29", "2028-02-29T23:59:59Z"},
		{"Feb 28 00:00:01", "2028-02-27", "2027-02-28T00:00:01Z"},
		{"Feb 29 12:00:00", "2028-02-27", "2024-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", "2101-01-01", "2096-02-29T12:00:00Z"},
		{"Feb 30 12:00:00", "2026-03-01", ""},
		{"yesterday", "2026-03-01", ""},
	} {
		at, err := time.Parse(time.DateOnly, c.read)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if stated := LineTime(Line{LogLine: hsm.LogLine{Stamp: c.stamp}, At: at}); !stated.IsZero() {
			got = stated.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s, read on %s: %q, want %q", c.stamp, c.read, got, c.want)
		}
	}
}
