package rules

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// SeenLines are the recent lines of every device's logs. A SeenLines does not
// change.
type SeenLines map[string][]seenLine

// With returns s with l, and whether another log had it before.
func (s SeenLines) With(l Line) (next SeenLines, duplicate bool) {
	next = maps.Clone(s)
	if next == nil {
		next = make(SeenLines)
	}
	next[l.Device], duplicate = findDuplicate(s[l.Device], l)
	return next, duplicate
}

// A seenLine is one line with findings, and every log that had it.
type seenLine struct {
	key    string
	stated time.Time // as the line says, taken as UTC; zero: it does not say
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
	// maxSeen bounds how many lines are kept of each device.
	maxSeen = 1000
)

// findDuplicate looks for l among the lines seen of its device. What another
// log had within five seconds is the same line; what the same log has once more
// happened once more. It returns the seen lines with l, and does not change
// those that it was given.
func findDuplicate(all []seenLine, l Line) (with []seenLine, duplicate bool) {
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

// LineTime returns the time that a line states; zero: it states none. One
// without a year is of the last year that has its day and does not put it into
// the future.
func LineTime(l Line) time.Time {
	if l.Time.Known {
		return l.Time.Value
	}
	t, err := time.Parse("2006 Jan _2 15:04:05", "2000 "+l.Stamp) // a leap year
	if err != nil {
		return time.Time{}
	}
	for year := l.At.Year() + 1; ; year-- {
		at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if at.Day() == t.Day() && at.Before(l.At.Add(24*time.Hour)) {
			return at
		}
	}
}

// sameLine compares the times that the lines state, since one way may be hours
// late; where one states none, the times at which they were read.
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

// StillOpen returns the findings of an old line whose alarms no poll since has
// cleared.
func StillOpen(findings []alarms.Finding, snap *hsm.Snapshot, limits Thresholds, now time.Time) []alarms.Finding {
	s := alarms.NewState()
	s.Apply(alarms.Eval(s, findings, alarms.Damping{}, now))
	s.Apply(alarms.Eval(s, EvaluateSnapshot(snap, s, limits, now), alarms.Damping{}, now))
	return slices.DeleteFunc(findings, func(f alarms.Finding) bool {
		_, active := s.Active[f.Key]
		return f.Condition == alarms.Bad && !active
	})
}
