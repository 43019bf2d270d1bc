package rules

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// A seenLine is one line that the rules judged, and every log that had it.
type seenLine struct {
	key    string
	stated time.Time // as the line says, as if it were UTC; zero: it does not
	read   time.Time
	logs   []string
}

const (
	sameWithin = 5 * time.Second
	// A line with a zone and one without are hours apart. They are the same
	// only if both came at about the same time.
	zoneStep   = 15 * time.Minute
	widestZone = 14 * time.Hour
	zoneWithin = 10 * time.Minute
	// maxSeen bounds what is kept of each device.
	maxSeen = 1000
)

// findDuplicate looks for l among the sightings of its device. What another log
// had within five seconds is the same line; what the same log has once more
// happened once more. It returns the sightings with l, and does not change
// those that it was given.
func findDuplicate(all []seenLine, l Line) (with []seenLine, before bool) {
	s := seenLine{seenKey(l), LineTime(l), l.At, []string{l.File}}
	with = slices.Clone(all)
	for i, old := range with {
		if old.key == s.key && !slices.Contains(old.logs, l.File) && sameLine(old, s) {
			with[i].logs = append(slices.Clip(old.logs), l.File)
			return with, true
		}
	}
	if with = append(with, s); len(with) > maxSeen {
		with = with[1:]
	}
	return with, false
}

func seenKey(l Line) string {
	if l.Alarm == nil {
		return l.Process + "\n" + l.Message
	}
	test := ""
	if l.Test {
		test = testMark
	}
	return test + l.card() + "\n" + l.Alarm.Code + "\n" + l.Alarm.Text
}

const testMark = "test\n"

// LineTime returns the time that a line states; zero if it states none. One
// without a year is of the last year that does not put it into the future.
func LineTime(l Line) time.Time {
	if l.Time.Known {
		return l.Time.Value
	}
	t, err := time.Parse("2006 Jan _2 15:04:05", "2000 "+l.Stamp) // a leap year
	if err != nil {
		return time.Time{}
	}
	for year := l.At.Year() + 1; ; year-- {
		t = time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if t.Before(l.At.Add(24 * time.Hour)) {
			return t
		}
	}
}

// sameLine compares what the lines themselves say, since one way may be hours
// late; where one of them says nothing, when they were read.
func sameLine(a, b seenLine) bool {
	if a.stated.IsZero() || b.stated.IsZero() {
		return a.read.Sub(b.read).Abs() <= sameWithin
	}
	apart := a.stated.Sub(b.stated).Abs()
	if apart <= sameWithin {
		return true
	}
	offset := apart % zoneStep
	return apart <= widestZone+sameWithin && min(offset, zoneStep-offset) <= sameWithin && a.read.Sub(b.read).Abs() <= zoneWithin
}

// SeenLines is what every device's logs have said lately. It does not change.
type SeenLines map[string][]seenLine

// With returns h with l, and whether another log had said it.
func (h SeenLines) With(l Line) (next SeenLines, before bool) {
	next = maps.Clone(h)
	if next == nil {
		next = make(SeenLines)
	}
	next[l.Device], before = findDuplicate(h[l.Device], l)
	return next, before
}

// StillOpen returns, of what an old line says, what no poll since has found to
// be over.
func StillOpen(js []alarms.Finding, snap *hsm.Snapshot, limits Thresholds, now time.Time) []alarms.Finding {
	s := alarms.NewState()
	s.Apply(alarms.Eval(s, js, alarms.Damping{}, now))
	s.Apply(alarms.Eval(s, EvaluateSnapshot(snap, s, limits, now), alarms.Damping{}, now))
	return slices.DeleteFunc(js, func(j alarms.Finding) bool {
		_, stands := s.Active[j.Key]
		return j.Condition == alarms.Bad && !stands
	})
}
