package alarms

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
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
			return Line{LogLine: collectors.ParseLogLine(text), Device: "a", File: file, At: read.Add(after)}
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

// TestTwoWaysCountOnce gives the same hundred lines by a file and by the
// listener, in every order and in batches that do not match.
func TestTwoWaysCountOnce(t *testing.T) {
	for name, order := range map[string][]string{"file first": {"/log", ""}, "listener first": {"", "/log"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := start(t, t.TempDir(), nil)
				defer a.stop()
				today := strings.NewReplacer("2026 Mar", "2000 Jan", "Mar", "Jan") // in a bubble
				forms := map[string]string{"/log": today.Replace(ofAppliance), "": today.Replace(short)}
				left := map[string]int{"/log": 100, "": 100}
				for _, n := range []int{30, 50, 20, 100} {
					for _, way := range order {
						var lines []hsm.LogLine
						for range min(n, left[way]) {
							lines = append(lines, collectors.ParseLogLine(forms[way]))
						}
						left[way] -= len(lines)
						a.must(a.Lines("a", way, lines, nil))
						pass(time.Second)
					}
				}
				if critical, other := a.Events("a"); critical != 0 || other != 100 {
					t.Errorf("%d critical and %d other events", critical, other)
				}
				// The lines of a batch are read at one moment: the alarm counts moments.
				if active := a.Active(); len(active) != 1 || active[0].Count != 3 {
					t.Errorf("%+v", active)
				}
			})
		})
	}
}

// TestLineThatWasNotStored comes again, from the same log: it must count.
func TestLineThatWasNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, t.TempDir(), nil)
		defer a.stop()
		lines := []hsm.LogLine{collectors.ParseLogLine(ofAppliance)}
		if err := a.Lines("a", strings.Repeat("x", bbolt.MaxKeySize+1), lines, nil); err == nil {
			t.Fatal("stored under a name that cannot be")
		}
		a.must(a.Lines("a", "/other", lines, nil))
		if _, other := a.Events("a"); other != 1 {
			t.Errorf("%d events", other)
		}
	})
}

// TestOldLines have happened long before they were read: what a poll has since
// found to be over is not raised, what no poll tells of is.
func TestOldLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, t.TempDir(), nil)
		defer a.stop()
		long := time.Now().Add(-24 * time.Hour)
		a.polled(hsm.Show{Status: "OK"})
		pass(time.Second)
		old := func(text string) Line {
			return Line{LogLine: collectors.ParseLogLine(text), Device: "a", File: "kernel log", At: long}
		}
		a.must(a.Take("kernel log", []Line{
			old("6,1,10,-;k7pf0: ALM0016: Device Error"),
			old("6,2,20,-;k7pf0: [HSM] ALM2007: HSM zeroized"),
		}, nil))
		same(t, "alarms", []string{"zeroize"}, a.active())
		if critical, other := a.Events("a"); critical != 1 || other != 1 {
			t.Errorf("%d critical and %d other events", critical, other)
		}
	})
}

// TestCardsOfAHost are told apart by their names, the first as well.
func TestCardsOfAHost(t *testing.T) {
	l := line("6,1,10,-;k7pf0: ALM0014: Low Battery")
	l.Cards = true
	if js := JudgeLine(l, DefaultSettings); len(js) != 1 || js[0].Object != "k7pf0" {
		t.Errorf("%+v", js)
	}
}
