package glance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// A way is where a measure comes from, and who shows and judges it.
type way struct {
	section string   // of the device, by its JSON name
	digits  int      // behind the point, that a chart has
	objects []string // of the MIB modules; none: it is in SNMP only as the value of an alarm
	metrics []string
	rules   []string // that read it: GROUP, or GROUP/OBJECT where a rule reads more
}

// The ways of the measures that are read of a section.
var (
	batteryWay     = way{"show", 3, nil, []string{"luna_hsm_battery_volts", "luna_hsm_battery_warning_volts"}, []string{"battery", "forecast/battery"}}
	temperatureWay = way{"show", 1, nil, []string{"luna_hsm_temperature_celsius", "luna_hsm_temperature_warning_celsius"}, []string{"temp-warn", "temp-low"}}
	utilizationWay = way{"monitor", 0, nil, []string{"luna_hsm_utilization_ratio"}, []string{"utilization"}}
	storageWay     = way{"show", 0, []string{"hsmStorageTotalBytes", "hsmStorageAllocatedBytes", "hsmStorageAvailableBytes"},
		[]string{"luna_hsm_storage_size_bytes", "luna_hsm_storage_used_bytes", "luna_hsm_storage_free_bytes"}, []string{"hsm-storage", "forecast/hsm-storage"}}
	soLoginsWay = way{"show", 0, []string{"hsmAdminLoginAttempts"}, []string{"luna_hsm_so_login_attempts_left"}, []string{"so-login-attempts"}}
)

// A Reading is a measure of a device: its value, how old that is, from where it comes, and
// who shows and judges it.
type Reading struct {
	Name, What        string
	Unit              string           // s, %, or none
	Section           string           // of the device, by its JSON name
	Value             hsm.Opt[float64] // unknown: it was not stated, or is stale
	Source            string           // that filled the section; "": none has
	At                time.Time        // when it was read; zero: never
	MaxAge            time.Duration    // after which it is stale
	Warning, Critical Range            // outside of which a rule of the agent raises
	Objects           []string         // of the MIB modules
	Metrics           []string

	digits int
	rules  []string
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
		Source: age.Source, At: age.At, MaxAge: age.MaxAge, Warning: m.warning(t, r), Critical: m.critical(t, r),
		Objects: m.objects, Metrics: m.metrics, digits: m.digits, rules: m.rules}, true
}

// ReadMeasures returns the names of the measures that [Read] knows.
func ReadMeasures() (names []string) {
	for _, m := range measures {
		if m.section != "" {
			names = append(names, m.name)
		}
	}
	return names
}

// Text returns the value of r with its unit; unknown as "?".
func (r Reading) Text() string {
	if !r.Value.Known {
		return unknown
	}
	return strings.TrimSpace(number(r.Value.Value) + " " + r.Unit)
}

// kept is how many points of a measure are kept, the newest.
const kept = 500

// Extended returns points, which it does not change, and that of r if it is known and new.
func (r Reading) Extended(points []plot.Point) []plot.Point {
	if n := len(points); !r.Value.Known || n > 0 && !r.At.After(points[n-1].From) {
		return points
	}
	points = append(slices.Clip(points), plot.Point{From: r.At, Until: r.At.Add(r.MaxAge), Value: r.Value.Value})
	return points[max(0, len(points)-kept):]
}

// Chart returns a chart of readings of the measure of r. The scale of what is in percent
// is fixed.
func (r Reading) Chart(points []plot.Point, from, to time.Time) plot.Chart {
	c := plot.Chart{Points: points, From: from, To: to, Format: fmt.Sprintf("%%.%df", r.digits)}
	if r.Unit == "%" {
		c.High = 100
	}
	return c
}

// A Rule is what one rule says of a reading.
type Rule struct {
	Name     string           // GROUP, or GROUP/OBJECT
	Findings []alarms.Finding // none: it is not known, between the limits, or not for a snapshot alone to say
	Active   []alarms.Active  // its alarms
}

// Rules returns what the rules that read the measure of r say of d now.
func (r Reading) Rules(s *hsm.Snapshot, d *hsm.Device, active []alarms.Active, t rules.Thresholds, now time.Time) (list []Rule) {
	all := rules.Evaluate(s, []*hsm.Device{d}, alarms.State{}, t, now)
	for _, name := range r.rules {
		of := func(k alarms.Key) bool {
			return k.Device == d.Name && (k.Group == name || k.Group+"/"+k.Object == name)
		}
		list = append(list, Rule{name,
			slices.DeleteFunc(slices.Clone(all), func(f alarms.Finding) bool { return !of(f.Key) }),
			slices.DeleteFunc(slices.Clone(active), func(a alarms.Active) bool { return !of(a.Key) })})
	}
	return list
}
