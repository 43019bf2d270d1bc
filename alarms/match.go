package alarms

import (
	"errors"
	"fmt"
	"path"
	"slices"

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

// all reports whether m's lists select every alarm.
func (m Match) all() bool {
	every := func(patterns []string) bool { return len(patterns) == 0 || slices.Contains(patterns, "*") }
	return every(m.HSMs) && every(m.Groups) && every(m.Objects) && every(m.Codes)
}
