package glance

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Reading is a measure of a device: its value, how old that is, and from where it comes.
type Reading struct {
	Name, What        string
	Unit              string           // s, %, or none
	Section           string           // of the device, by its JSON name
	Value             hsm.Opt[float64] // unknown: it was not stated, or is stale
	Source            string           // that filled the section; "": none has
	At                time.Time        // when it was read; zero: never
	MaxAge            time.Duration    // after which it is stale
	Warning, Critical Range            // outside of which a rule of the agent raises
}

// Read returns the measure of d with that name at now; false: there is no such measure of
// a section.
func Read(d *hsm.Device, name string, t rules.Thresholds, now time.Time) (Reading, bool) {
	i := slices.IndexFunc(measures, func(m measure) bool { return m.name == name && m.section != "" })
	if i < 0 {
		return Reading{}, false
	}
	m, r := measures[i], rowOf(d, nil, now)
	age := d.Ages(now)[m.section]
	return Reading{Name: m.name, What: m.what, Unit: m.unit, Section: m.section, Value: m.value(r, Estate{At: now}),
		Source: age.Source, At: age.At, MaxAge: age.MaxAge, Warning: m.warning(t, r), Critical: m.critical(t, r)}, true
}

// ReadMeasures returns the names of the measures that are read of a section of a device.
func ReadMeasures() (names []string) {
	for _, m := range measures {
		if m.section != "" {
			names = append(names, m.name)
		}
	}
	return names
}

// Text returns a value of r with its unit; unknown as "?".
func (r Reading) Text() string {
	if !r.Value.Known {
		return unknown
	}
	return strings.TrimSpace(number(r.Value.Value) + " " + r.Unit)
}
