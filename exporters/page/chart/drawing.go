package chart

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Drawing is how a measure of the history is shown.
type Drawing struct {
	Name, Label, Unit string
	digits            int
	factor            float64 // of the history's unit
	floor, ceiling    float64 // that the chart shows at least; NaN: as the values are
	limit             func(*hsm.Device, rules.Thresholds) float64
	groups            []string // of alarms that are about it
}

var nan = math.NaN()

func noLimit(*hsm.Device, rules.Thresholds) float64 { return 0 }

// drawings are the measures in the order of their charts. One that is not here is drawn
// behind them under its own name.
var drawings = []Drawing{
	{"utilization_ratio", "Utilization", "%", 0, 100, 0, 100, func(d *hsm.Device, t rules.Thresholds) float64 { _, _, l, _ := Limits(d, t); return l },
		[]string{"utilization", "function-unproven"}},
	{"operations_per_second", "Operations", "/s", 1, 1, 0, nan, noLimit,
		[]string{"utilization", "function-unproven", "hsm-sessions"}},
	{"errors_per_second", "Errors", "/s", 2, 1, 0, nan, noLimit,
		[]string{"error-ratio", "hsm-sessions"}},
	{"temperature_celsius", "Temperature", "°C", 0, 1, nan, nan, func(d *hsm.Device, t rules.Thresholds) float64 { _, l, _, _ := Limits(d, t); return l },
		[]string{"temp-warn", "temp-low", "soft-t", "hard-ht", "hard-lt", "fan", "appliance-fan"}},
	{"battery_volts", "Battery", "V", 3, 1, nan, nan, func(d *hsm.Device, t rules.Thresholds) float64 { l, _, _, _ := Limits(d, t); return l },
		[]string{"battery"}},
	{"storage_ratio", "Storage used", "%", 1, 100, 0, nan, func(d *hsm.Device, t rules.Thresholds) float64 { _, _, _, l := Limits(d, t); return l },
		[]string{"hsm-storage", "capacity"}},
	{"answer_seconds", "Answer time of commands", "s", 2, 1, 0, nan, noLimit,
		[]string{"comm", "hsm-silent", "source-failing", "data-stale"}},
	{"probe_seconds", "Probes", "s", 2, 1, 0, nan, noLimit,
		[]string{"probe-failed"}},
	{"probe_failed_ratio", "Failed probes", "%", 0, 100, 0, 100, noLimit,
		[]string{"probe-failed"}},
}

// stateChanges are the groups of alarms that explain every curve of an HSM.
var stateChanges = []string{"unreachable", "hsm-silent", "hsm-status", "hsm-restarted", "restart", "halt", "hsm-crashed", "tamper-reboot", "lock", "stm", "zeroize", "fwupd", "removal", "decom", "destroyed", "unit-replaced"}

// Shows reports whether the chart of d is marked with an alarm: it is about d, or about
// the state of the HSM. A forecast is about what the group is that its object names.
func (d Drawing) Shows(k alarms.Key) bool {
	group := k.Group
	if group == "forecast" {
		group = k.Object
	}
	return slices.Contains(d.groups, group) || slices.Contains(stateChanges, group)
}

// DrawingOf returns how a measure is shown.
func DrawingOf(m history.Measure) Drawing {
	for _, d := range drawings {
		if d.Name == string(m) {
			return d
		}
	}
	return Drawing{string(m), string(m), "", 2, 1, nan, nan, noLimit, nil}
}

// Limits are those of the alarms of an HSM: its own where it states them; 0: there is none,
// or the HSM has no such sensor.
func Limits(d *hsm.Device, t rules.Thresholds) (battery, temperature, load, storage float64) {
	if e := d.Show.Value.Environment; e != nil {
		battery, temperature = rules.BatteryLow, rules.TemperatureHigh
		if e.BatteryWarning.Known {
			battery = e.BatteryWarning.Value
		}
		if e.TemperatureWarning.Known {
			temperature = e.TemperatureWarning.Value
		}
	}
	return battery, temperature, 100 * t.UtilizationRatio, 100 * t.StorageRatio
}

// scaled returns a series in the unit in which it is shown.
func (d Drawing) scaled(s history.Series) history.Series {
	times := func(points []float64) []float64 {
		list := make([]float64, len(points))
		for i, p := range points {
			list[i] = p * d.factor
		}
		return list
	}
	return history.Series{Start: s.Start, Min: times(s.Min), Median: times(s.Median), Max: times(s.Max)}
}

func (d Drawing) format() string { return fmt.Sprintf("%%.%df %s", d.digits, d.percentSafe()) }

// percentSafe is the unit as a format has it.
func (d Drawing) percentSafe() string {
	if d.Unit == "%" {
		return "%%"
	}
	return d.Unit
}

// place orders a chart among the others.
func (d Drawing) place() int {
	if i := slices.IndexFunc(drawings, func(x Drawing) bool { return x.Name == d.Name }); i >= 0 {
		return i
	}
	return len(drawings)
}

// text returns a value with its unit; unknown if it is not known.
func (d Drawing) text(v float64) string {
	if math.IsNaN(v) {
		return "unknown"
	}
	return fmt.Sprintf(d.format(), v)
}

// byHour returns the least, the mean of the medians and the greatest of each hour.
func byHour(s history.Series) (least, median, greatest []float64) {
	return thinned(s.Min, tableEvery, math.Min), thinned(s.Median, tableEvery, middle), thinned(s.Max, tableEvery, math.Max)
}

// Small returns a curve without a limit and without units, of which each point is so many
// of the series.
func (d Drawing) Small(s history.Series, every int) Line {
	return LineOf(d.scaled(s), every, "%.0f", d.floor, d.ceiling, 0)
}

// tableEvery is how many points of a series are one line of its table: an hour.
const tableEvery = int(time.Hour / history.Step)

// A Chart is a series of an HSM, and how it is shown, in its unit.
type Chart struct {
	Drawing
	series history.Series
	limit  float64 // 0: none
}

// Of returns the chart of a series of d.
func Of(m history.Measure, s history.Series, d *hsm.Device, t rules.Thresholds) Chart {
	how := DrawingOf(m)
	return Chart{how, how.scaled(s), how.limit(d, t)}
}

// Compare orders charts as a page has them.
func (c Chart) Compare(other Chart) int { return c.place() - other.place() }

// Plotted returns c for the script, with those of marks that it shows.
func (c Chart) Plotted(marks []Mark) Plotted {
	marks = slices.DeleteFunc(slices.Clone(marks), func(m Mark) bool { return !c.Shows(m.Of) })
	return Plotted{Marks: marks, Measure: c.Name, Label: c.Label, Unit: c.Unit, Digits: c.digits, Limit: c.limit,
		Start: c.series.Start.Unix(), Step: int(history.Step.Seconds()), Min: sparsely(c.series.Min), Median: sparsely(c.series.Median), Max: sparsely(c.series.Max)}
}

// Line returns c as a curve, of which each point is so many of the series.
func (c Chart) Line(every int) Line {
	return LineOf(c.series, every, c.format(), c.floor, c.ceiling, c.limit)
}

// Rows returns c as a table: from, least, median and greatest of each hour, in the zone of
// a place.
func (c Chart) Rows(zone *time.Location) (rows [][]string) {
	least, median, greatest := byHour(c.series)
	for i := range median {
		at := c.series.Start.Add(time.Duration(i) * time.Hour).In(zone)
		rows = append(rows, []string{at.Format("15:04"), c.text(least[i]), c.text(median[i]), c.text(greatest[i])})
	}
	return rows
}
