package rules

import (
	"fmt"
	"slices"

	"github.com/lunawatch/lunawatch/alarms"
)

// anotherUnit reports whether the HSM under this name has another serial number
// than the one that was read before.
func (p Poll) anotherUnit() bool {
	s, ok := p.Show.Get(p.Now)
	return ok && s.Serial != "" && p.Memory.Serial != "" && s.Serial != p.Memory.Serial
}

// unitReplaced warns of another HSM under the same name. That it is the
// expected one ends it.
var unitReplaced = Rule{"unit-replaced", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	switch at := p.Show.Asked(); {
	case !ok || s.Serial == "":
	case p.anotherUnit():
		emit(bad(alarms.Major, at, "serial number %s, before %s: another HSM answers under this name", s.Serial, p.Memory.Serial))
	case s.Serial == p.Expected[p.Name].Serial:
		emit(good(at, "serial number %s is the expected one", s.Serial))
	}
}}

// ofWatching are the groups whose alarms are of the watching, not of the unit
// that is watched: they outlast it.
var ofWatching = []string{
	"unit-replaced", "unreachable", "hsm-silent", "data-stale", "source-failing", "sources-disagree",
	"inventory", "inventory-partition", "forecast",
}

// replaced ends every alarm of a unit that another one has replaced, so that
// the good data of the new one do not end them as if their cause had.
func replaced(p Poll, open []alarms.Key) (findings []alarms.Finding) {
	text := fmt.Sprintf("unit replaced: serial number %s, before %s", p.Show.Value.Serial, p.Memory.Serial)
	for _, k := range open {
		if !k.Test && !slices.Contains(ofWatching, k.Group) {
			findings = append(findings, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: p.Show.Asked(), Text: text}})
		}
	}
	return findings
}
