package alarms

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/syslog"
)

const (
	ofAppliance = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	later4s     = "2026 Mar  1 12:00:04 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	later6s     = "2026 Mar  1 12:00:06 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	short       = "<6>Mar  1 12:00:00 luna-a kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	newYear     = "<6>Dec 31 23:59:59 luna-a kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	oldYear     = "2025 Dec 31 23:59:59 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning"
	zoned       = "<6>1 2026-03-01T12:00:00+01:00 luna-a kernel - - - k7pf0: [HSM] ALM2003: Battery low voltage warning"
	ring        = "6,9,9731221934,-;k7pf0: [HSM] ALM2003: Battery low voltage warning"
	otherCard   = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf1: [HSM] ALM2003: Battery low voltage warning"
	otherText   = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: k7pf0: [HSM] ALM2003: Battery low voltage warning 2"
	ofATest     = "2026 Mar  1 12:00:00 luna-a  kern info  kernel: ***TEST : k7pf0: [HSM] ALM2003: Battery low voltage warning"
)

// TestSawBefore has a second line come from some log, seconds after the first.
func TestSawBefore(t *testing.T) {
	t.Parallel()
	read := time.Date(2026, 3, 1, 12, 0, 1, 0, time.UTC)
	for _, c := range []struct {
		what, first, second, log string
		after                    time.Duration
		same                     bool
	}{
		{"another way", ofAppliance, ofAppliance, "/b", 0, true},
		{"the same log twice", ofAppliance, ofAppliance, "/a", 0, false},
		{"a way that is hours late", ofAppliance, ofAppliance, "/b", 3 * time.Hour, true},
		{"four seconds apart by what they say", ofAppliance, later4s, "/b", 0, true},
		{"six seconds apart by what they say", ofAppliance, later6s, "/b", 0, false},
		{"without a year", ofAppliance, short, "", 0, true},
		{"without a year, a day late", ofAppliance, short, "", 24 * time.Hour, true},
		{"without a year, months late", ofAppliance, short, "", 265 * 24 * time.Hour, true},
		{"with a zone", ofAppliance, zoned, "", 0, true},
		{"with a zone, when the first is long ago", ofAppliance, zoned, "", time.Hour, false},
		{"of the ring, read at once", ofAppliance, ring, "kernel log", 4 * time.Second, true},
		{"of the ring, read later", ofAppliance, ring, "kernel log", 6 * time.Second, false},
		{"another card", ofAppliance, otherCard, "/b", 0, false},
		{"another text", ofAppliance, otherText, "/b", 0, false},
		{"a test", ofAppliance, ofATest, "/b", 0, false},
		{"the year before", oldYear, newYear, "", 0, true},
	} {
		l := func(text, file string, after time.Duration) Line {
			return Line{LogLine: syslog.ParseLine(text), Device: "a", File: file, At: read.Add(after)}
		}
		all, _ := sawBefore(nil, l(c.first, "/a", 0))
		if _, before := sawBefore(all, l(c.second, c.log, c.after)); before != c.same {
			t.Errorf("%s: %v, want %v", c.what, before, c.same)
		}
		if len(all[0].logs) != 1 {
			t.Errorf("%s: what was given is changed", c.what)
		}
	}
	var all []sighting
	for range 3 * maxSightings {
		all, _ = sawBefore(all, line(ofAppliance))
	}
	if len(all) != maxSightings {
		t.Errorf("keeps %d", len(all))
	}
}

// TestCardsOfAHost are told apart by their names, the first as well.
func TestCardsOfAHost(t *testing.T) {
	l := line("6,1,10,-;k7pf0: ALM0014: Low Battery")
	l.Cards = true
	if js := JudgeLine(l, DefaultThresholds()); len(js) != 1 || js[0].Object != "k7pf0" {
		t.Errorf("%+v", js)
	}
}
