package history

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Measure is what is kept of an HSM: the name of a row of [Measures].
type Measure string

// A Description is what a chart of a Measure says.
type Description struct {
	Name     Measure
	Title    string // in English, such as Battery
	Unit     string // s, V, °C, 1/s; "": a ratio from 0 to 1
	Decimals int    // that are worth showing, of the value as it is
}

// A measure is a Description, and how an observation states it.
type measure struct {
	Description
	read func(*hsm.Device, hsm.Observation, *counts) (value float64, known bool)
}

// measures are in the order of charts. What is stored names them by their place: a new
// one comes last.
var measures = [...]measure{
	{Description{"utilization_ratio", "Utilization", "", 2}, utilization},
	{Description{"operations_per_second", "Operations", "1/s", 1}, rate(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationRequests })},
	{Description{"errors_per_second", "Errors", "1/s", 3}, rate(func(i hsm.Information) hsm.Opt[uint64] { return i.OperationErrors })},
	{Description{"temperature_celsius", "Temperature", "°C", 1}, environment(func(e *hsm.Environment) hsm.Opt[float64] { return e.TemperatureCelsius })},
	{Description{"battery_volts", "Battery", "V", 3}, environment(func(e *hsm.Environment) hsm.Opt[float64] { return e.BatteryVolts })},
	{Description{"storage_ratio", "Storage", "", 2}, storage},
	{Description{"answer_seconds", "Answer time", "s", 2}, answer},
	{Description{"probe_seconds", "Probes", "s", 2}, probed(func(p hsm.Probe) float64 { return p.Took.Seconds() })},
	{Description{"probe_failed_ratio", "Failed probes", "", 2}, probed(func(p hsm.Probe) float64 {
		if p.Worked {
			return 0
		}
		return 1
	})},
}

// Measures returns what is kept, in the order of charts.
func Measures() []Description {
	all := make([]Description, 0, len(measures))
	for _, m := range measures {
		all = append(all, m.Description)
	}
	return all
}

func index(name Measure) int {
	return slices.IndexFunc(measures[:], func(m measure) bool { return m.Name == name })
}

// counts are the counters of an HSM as they were read last.
type counts struct{ before, now hsm.Section[hsm.Information] }

// fills reports whether o is what a section was last filled by.
func fills[T any](s hsm.Section[T], o hsm.Observation) bool {
	return o.Failure == hsm.None && !s.IsZero() && s.At.Equal(o.At) && s.Source == o.Source
}

func utilization(d *hsm.Device, o hsm.Observation, _ *counts) (float64, bool) {
	m := d.Monitor.Value
	if !fills(d.Monitor, o) || len(m.Samples) == 0 || !m.IntervalSeconds.Known {
		return 0, false
	}
	return m.Samples[len(m.Samples)-1].UtilizationInt, true
}

func storage(d *hsm.Device, o hsm.Observation, _ *counts) (float64, bool) {
	used, known := d.Show.Value.Storage.UsedRatio()
	return used, known && fills(d.Show, o)
}

func environment(of func(*hsm.Environment) hsm.Opt[float64]) func(*hsm.Device, hsm.Observation, *counts) (float64, bool) {
	return func(d *hsm.Device, o hsm.Observation, _ *counts) (float64, bool) {
		if d.Show.Value.Environment == nil || !fills(d.Show, o) {
			return 0, false
		}
		v := of(d.Show.Value.Environment)
		return v.Value, v.Known
	}
}

// rate returns how fast a counter rises. One that falls, was reset, or was not read for
// longer than it may be believed, says nothing.
func rate(of func(hsm.Information) hsm.Opt[uint64]) func(*hsm.Device, hsm.Observation, *counts) (float64, bool) {
	return func(d *hsm.Device, o hsm.Observation, c *counts) (float64, bool) {
		before, now := of(c.before.Value), of(c.now.Value)
		took := c.now.At.Sub(c.before.At)
		if !fills(d.Information, o) || c.before.IsZero() || took <= 0 || took > c.before.MaxAge || c.before.Source != c.now.Source || !before.Known || !now.Known || now.Value < before.Value {
			return 0, false
		}
		return float64(now.Value-before.Value) / took.Seconds(), true
	}
}

// fact returns the first fact of a type that o states.
func fact[T hsm.Fact](o hsm.Observation) (v T, stated bool) {
	for _, f := range o.Facts {
		if v, stated = f.(T); stated {
			return v, true
		}
	}
	return v, false
}

// answer is how long the HSM took to answer. Measuring utilization takes as long as it is
// asked to, and a test program as long as it likes, which says nothing of the HSM.
func answer(_ *hsm.Device, o hsm.Observation, _ *counts) (float64, bool) {
	_, measuring := fact[hsm.Monitor](o)
	_, probing := fact[hsm.Probe](o)
	return o.Took.Seconds(), o.Took > 0 && !measuring && !probing
}

// probed reads a number from the result of a test program that there still is.
func probed(of func(hsm.Probe) float64) func(*hsm.Device, hsm.Observation, *counts) (float64, bool) {
	return func(d *hsm.Device, o hsm.Observation, _ *counts) (float64, bool) {
		p, ran := fact[hsm.Probe](o)
		return of(p), ran && slices.ContainsFunc(d.Probes, func(x hsm.Probe) bool { return x.Name == p.Name })
	}
}

// A reading is a value that may be believed until a time.
type reading struct {
	value       float64
	at, expires time.Time
}

// readings returns what o states of d, by the place of its measure.
func (c *counts) readings(d *hsm.Device, o hsm.Observation) (list [len(measures)]reading) {
	if o.Failure != hsm.None || d.Kind == hsm.HostMachine {
		return list
	}
	if fills(d.Information, o) {
		c.before, c.now = c.now, d.Information
	}
	maxAge := o.MaxAge
	if p, probing := fact[hsm.Probe](o); probing {
		maxAge = p.MaxAge
	}
	for i, m := range measures {
		if v, known := m.read(d, o, c); known {
			list[i] = reading{v, o.At, o.At.Add(maxAge)}
		}
	}
	return list
}
