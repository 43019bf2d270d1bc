package alarms

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Match selects alarms. Each list holds shell patterns; an empty one, and a
// zero severity, selects all.
type Match struct {
	HSMs     []string `json:"hsms,omitempty" yaml:"hsms"`
	Groups   []string `json:"groups,omitempty" yaml:"groups"`
	Objects  []string `json:"objects,omitempty" yaml:"objects"`
	Codes    []string `json:"codes,omitempty" yaml:"codes"`                                                // 2004 or 20*; one of the alarm's is enough
	Severity Severity `json:"severity" yaml:"severity" words:"indeterminate warning minor major critical"` // this or worse; of a Silence, this or milder
}

// Selects reports whether m's lists select a.
func (m Match) Selects(a Alarm) bool {
	return matches(m.HSMs, a.Device) && matches(m.Groups, a.Group) && matches(m.Objects, a.Object) &&
		(len(m.Codes) == 0 || slices.ContainsFunc(a.Codes, func(c string) bool { return matches(m.Codes, c) }))
}

// Takes reports whether m selects a, and a is as severe as m's Severity or
// worse.
func (m Match) Takes(a Alarm) bool { return m.Selects(a) && a.Severity >= m.Severity }

func matches(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, s)
		return ok
	})
}

// Validate returns all that is wrong with m.
func (m Match) Validate() error {
	var errs []error
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"hsms", m.HSMs}, {"groups", m.Groups}, {"objects", m.Objects}, {"codes", m.Codes}} {
		for i, p := range list.patterns {
			at := fmt.Sprintf("%s[%d]", list.key, i)
			if _, err := path.Match(p, ""); err != nil {
				errs = append(errs, setting.Faultf(at, "%q is not a pattern; wildcards * and ? are allowed", p))
			} else if list.key == "groups" && !slices.ContainsFunc(Groups(), func(g Group) bool { return matches([]string{p}, g.Name) }) {
				errs = append(errs, setting.Faultf(at, "%q %w", p, validateGroup(p)))
			}
		}
	}
	return errors.Join(errs...)
}

// A Silence suppresses the notifications of alarms for some time: planned work,
// a known fault. The alarms stay active, and in every table.
type Silence struct {
	ID     uint64    `json:"id"`
	Match  Match     `json:"match"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
	From   time.Time `json:"from"` // in the future: a maintenance window
	Until  time.Time `json:"until"`
}

// Validate returns all that is wrong with s.
func (s Silence) Validate() error {
	var errs []error
	if s.Author == "" || s.Reason == "" {
		errs = append(errs, errors.New("a silence needs an author and a reason"))
	}
	if !s.Until.After(s.From) {
		errs = append(errs, errors.New("a silence needs an end after its beginning"))
	}
	return errors.Join(append(errs, s.Match.Validate())...)
}

// LongSilence is how long a silence lasts at most without being wide.
const LongSilence = 24 * time.Hour

// Wide reports whether s hides so much, or for so long, that others should know:
// every alarm, or more than a day.
func (s Silence) Wide() bool {
	all := func(patterns []string) bool { return len(patterns) == 0 || slices.Contains(patterns, "*") }
	m := s.Match
	return all(m.HSMs) && all(m.Groups) && all(m.Objects) && all(m.Codes) || s.Until.Sub(s.From) > LongSilence
}

// Covers reports whether s silences a, while it is in force.
func (s Silence) Covers(a Alarm) bool {
	return s.Match.Selects(a) && (s.Match.Severity == None || a.Severity <= s.Match.Severity)
}

// holds reports whether s silences a at now.
func (s Silence) holds(a Alarm, now time.Time) bool {
	return !now.Before(s.From) && now.Before(s.Until) && s.Covers(a)
}

// SilencedBy returns the silence that holds for an alarm at now; nil: none
// does.
func SilencedBy(silences []Silence, a Alarm, now time.Time) *Silence {
	for i := range silences {
		if silences[i].holds(a, now) {
			return &silences[i]
		}
	}
	return nil
}
