// Package glance says how an estate is, one line an HSM: for a terminal, for programs,
// and as a plugin of Nagios, Icinga and Checkmk.
package glance

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// A State is how well something is. Its number is the exit code of a plugin.
type State int

// The states.
const (
	OK       State = iota // watched, and no alarm is active
	Warning               // an alarm up to minor, or a part of the data is stale
	Critical              // an alarm of severity major or critical
	Unknown               // not watched: nothing of its state is fresh
)

var stateWords = []string{"ok", "warning", "critical", "unknown"}

// String returns ok, warning, critical or unknown.
func (s State) String() string { return stateWords[s] }

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *State) UnmarshalText(b []byte) error {
	i := slices.Index(stateWords, string(b))
	if i < 0 {
		return fmt.Errorf("%q is none of %s", b, strings.Join(stateWords, ", "))
	}
	*s = State(i)
	return nil
}

// badness orders states: unknown is worse than a warning, and critical the worst.
var badness = [...]int{OK: 0, Warning: 1, Unknown: 2, Critical: 3}

// worse returns the worse of two states.
func worse(a, b State) State {
	if badness[b] > badness[a] {
		return b
	}
	return a
}

// A Row is how one device is. What is not known now, and what is stale, is an unknown
// [hsm.Opt]; in JSON null.
type Row struct {
	Name  string   `json:"name"`
	Kind  hsm.Kind `json:"kind,omitempty"` // "": Lunawatch itself, or a device that is not watched any more
	State State    `json:"state"`

	Reason   string          `json:"reason,omitempty"` // why State is not ok: the worst alarm, or the source that fails
	Since    time.Time       `json:"since,omitzero"`   // when that began; zero: not known
	Severity alarms.Severity `json:"severity"`         // of the worst alarm; none: there is none
	Alarm    uint64          `json:"alarm,omitzero"`   // its number
	Alarms   int             `json:"alarms"`           // how many are active
	Newest   time.Time       `json:"newest,omitzero"`  // when its newest value was read; zero: never
	Stale    []string        `json:"stale,omitempty"`  // sections that are past their maximum age

	Proven   time.Time `json:"proven,omitzero"`     // newest moment at which it is known to have worked for a client; zero: not known
	ProvenBy string    `json:"proven_by,omitempty"` // what shows that

	Serial      hsm.Opt[string]  `json:"serial"`
	Model       hsm.Opt[string]  `json:"model"`
	Firmware    hsm.Opt[string]  `json:"firmware"`
	Status      hsm.Opt[string]  `json:"hsm_status"` // as the HSM prints it
	Battery     hsm.Opt[float64] `json:"battery_volts"`
	Temperature hsm.Opt[float64] `json:"temperature_celsius"`
	Utilization hsm.Opt[float64] `json:"utilization_ratio"` // 0 to 1, in the last interval
	Storage     hsm.Opt[float64] `json:"storage_ratio"`     // used part, 0 to 1
	SOLogins    hsm.Opt[int64]   `json:"so_login_attempts_left"`

	BatteryLow      hsm.Opt[float64] `json:"battery_warning_volts"` // the limits of its alarms
	TemperatureHigh hsm.Opt[float64] `json:"temperature_warning_celsius"`

	Tried bool `json:"-"` // it was read, or a source has failed: what is not known is not merely not known yet
}

// An Estate is how every device is, worst first.
type Estate struct {
	At    time.Time `json:"at"`
	State State     `json:"state"` // the worst of Rows; unknown if there are none
	Rows  []Row     `json:"devices"`
}

// Of returns how the devices of a snapshot are at now. Alarms of devices that it does
// not have, such as those on Lunawatch itself, are rows, too; test alarms do not count.
func Of(s *hsm.Snapshot, active []alarms.Active, now time.Time) Estate {
	byDevice := make(map[string][]alarms.Active)
	for _, a := range active {
		if !a.Test {
			byDevice[a.Device] = append(byDevice[a.Device], a)
		}
	}
	e := Estate{At: now, State: Unknown, Rows: []Row{}}
	for _, d := range s.Devices {
		e.Rows = append(e.Rows, rowOf(d, byDevice[d.Name], now))
		delete(byDevice, d.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(byDevice)) {
		e.Rows = append(e.Rows, Row{Name: name}.with(byDevice[name]))
	}
	slices.SortStableFunc(e.Rows, compare)
	if len(e.Rows) > 0 {
		e.State = e.Rows[0].State
	}
	return e
}

// compare orders rows worst first; of the equally bad, the older ones.
func compare(a, b Row) int {
	return cmp.Or(cmp.Compare(badness[b.State], badness[a.State]), cmp.Compare(b.Severity, a.Severity), a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name))
}

// Count returns how many rows have each state.
func (e Estate) Count() (count [4]int) {
	for _, r := range e.Rows {
		count[r.State]++
	}
	return count
}

// Word returns how r is in one word: unknown if nothing of it is fresh and no alarm is
// worse than that; critical, major, minor or warning, as its worst alarm is; stale if a
// part of it is; well.
func (r Row) Word() string {
	switch {
	case r.State == Unknown:
		return "unknown"
	case r.Severity > alarms.Warning:
		return r.Severity.String()
	case r.Severity > alarms.None:
		return alarms.Warning.String()
	case r.State == OK:
		return "well"
	}
	return "stale"
}

func rowOf(d *hsm.Device, active []alarms.Active, now time.Time) Row {
	r := Row{Name: d.Name, Kind: d.Kind, Tried: !d.Show.IsZero() || !d.Host.IsZero() || !d.HA.IsZero()}
	r.values(d, now)
	var stalest time.Time // when the newest of the stale sections was read
	fresh := false
	for name, age := range d.Ages(now) {
		r.Newest = alarms.Later(r.Newest, age.At)
		if !age.Stale {
			fresh = true
			continue
		}
		r.Stale, stalest = append(r.Stale, name), alarms.Later(stalest, age.At)
	}
	slices.Sort(r.Stale)
	switch watched := d.Kind == hsm.HostMachine || d.Show.Fresh(now); {
	case !fresh || !watched:
		r.State, r.Reason, r.Since = Unknown, "not read", stalest
	case len(r.Stale) > 0:
		r.State, r.Reason, r.Since = Warning, "stale: "+strings.Join(r.Stale, ", "), stalest
	}
	name, s := failing(d)
	r.Tried = r.Tried || name != ""
	if name != "" && r.State != OK {
		r.Reason, r.Since = name+": "+s.Error, s.Success
	}
	return r.with(active)
}

// failing returns the source that has failed for the longest time; "": none does.
func failing(d *hsm.Device) (name string, longest hsm.Source) {
	for _, n := range slices.Sorted(maps.Keys(d.Sources)) {
		if s := d.Sources[n]; s.Failure != hsm.None && (name == "" || s.Success.Before(longest.Success)) {
			name, longest = n, s
		}
	}
	return name, longest
}

// with returns r with the alarms that are active on it.
func (r Row) with(active []alarms.Active) Row {
	r.Alarms = len(active)
	if len(active) == 0 {
		return r
	}
	worst := slices.MaxFunc(active, func(a, b alarms.Active) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), b.Raised.Compare(a.Raised))
	})
	r.Severity, r.Alarm = worst.Severity, worst.Number
	state := Warning
	if worst.Severity >= alarms.Major {
		state = Critical
	}
	if worse(state, r.State) == state { // else what is not read is the reason
		r.Reason, r.Since = worst.Text, worst.Since()
		if worst.Ack != nil {
			r.Reason = fmt.Sprintf("(acknowledged) %s", r.Reason)
		}
	}
	r.State = worse(r.State, state)
	return r
}

// values fills in what is known now.
func (r *Row) values(d *hsm.Device, now time.Time) {
	r.Serial, r.Proven, r.ProvenBy = stated(d.Serial()), d.Proven.At, d.Proven.By
	r.BatteryLow, r.TemperatureHigh = hsm.Some(rules.BatteryLow), hsm.Some(rules.TemperatureHigh)
	if s, fresh := d.Show.Get(now); fresh {
		r.Model, r.Firmware, r.Status, r.SOLogins = stated(s.Model), stated(s.Firmware), stated(string(s.Status)), s.SOLoginAttemptsLeft
		if used, known := s.Storage.UsedRatio(); known {
			r.Storage = hsm.Some(used)
		}
		if e := s.Environment; e != nil {
			r.Battery, r.Temperature = e.BatteryVolts, e.TemperatureCelsius
			if e.BatteryWarning.Known {
				r.BatteryLow = e.BatteryWarning
			}
			if e.TemperatureWarning.Known {
				r.TemperatureHigh = e.TemperatureWarning
			}
		}
	}
	if m, fresh := d.Monitor.Get(now); fresh && len(m.Samples) > 0 && m.IntervalSeconds.Known {
		r.Utilization = hsm.Some(m.Samples[len(m.Samples)-1].UtilizationInt)
	}
}

// stated returns s, unknown if it is "".
func stated(s string) hsm.Opt[string] { return hsm.Opt[string]{Value: s, Known: s != ""} }
