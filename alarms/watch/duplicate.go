package watch

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
)

// seenLines are the recent lines of every device's logs. A seenLines does not
// change.
type seenLines map[string][]seenLine

// with returns s with l, and whether another log had it before.
func (s seenLines) with(l rules.Line) (next seenLines, duplicate bool) {
	next = maps.Clone(s)
	if next == nil {
		next = make(seenLines)
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
func findDuplicate(all []seenLine, l rules.Line) (with []seenLine, duplicate bool) {
	s := seenLine{seenKey(l), rules.LineTime(l), l.At, []string{l.File}}
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

func seenKey(l rules.Line) string {
	if l.Audit != nil {
		return "audit\n" + l.Audit.Text
	}
	if l.Alarm == nil {
		return l.Process + "\n" + l.Message
	}
	test := ""
	if l.Test {
		test = testMark
	}
	return test + l.Card() + "\n" + l.Alarm.Code + "\n" + l.Alarm.Text
}

const testMark = "test\n"

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
