package rules

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// LineTime returns the time that a line states; zero: it states none. One
// without a year is of the last year that does not put it into the future, and
// an audit record in the order of day, month and year that does so.
func LineTime(l Line) time.Time {
	if l.Time.Known {
		return l.Time.Value
	}
	if l.Stamp == "" && l.Audit != nil {
		for _, at := range slices.Backward(l.Audit.Times()) {
			if at.Before(l.At.Add(24 * time.Hour)) {
				return at
			}
		}
		return time.Time{}
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
