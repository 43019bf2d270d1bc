package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// A drawn is how a measure of the history is shown.
type drawn struct {
	name, label, unit string
	digits            int
	factor            float64 // of the history's unit
	floor, ceiling    float64 // that the chart shows at least; NaN: as the values are
	limit             func(*hsm.Device, rules.Thresholds) float64
}

var nan = math.NaN()

func noLimit(*hsm.Device, rules.Thresholds) float64 { return 0 }

// drawings are the measures in the order of their charts. One that is not here is drawn
// behind them under its own name.
var drawings = []drawn{
	{"utilization_ratio", "Utilization", "%", 0, 100, 0, 100, func(d *hsm.Device, t rules.Thresholds) float64 { _, _, l, _ := limits(d, t); return l }},
	{"operations_per_second", "Operations", "/s", 1, 1, 0, nan, noLimit},
	{"errors_per_second", "Errors", "/s", 2, 1, 0, nan, noLimit},
	{"temperature_celsius", "Temperature", "°C", 0, 1, nan, nan, func(d *hsm.Device, t rules.Thresholds) float64 { _, l, _, _ := limits(d, t); return l }},
	{"battery_volts", "Battery", "V", 3, 1, nan, nan, func(d *hsm.Device, t rules.Thresholds) float64 { l, _, _, _ := limits(d, t); return l }},
	{"storage_ratio", "Storage used", "%", 1, 100, 0, nan, func(d *hsm.Device, t rules.Thresholds) float64 { _, _, _, l := limits(d, t); return l }},
	{"answer_seconds", "Answer time of commands", "s", 2, 1, 0, nan, noLimit},
}

// drawing returns how a measure is shown.
func drawing(m history.Measure) drawn {
	for _, d := range drawings {
		if d.name == string(m) {
			return d
		}
	}
	return drawn{string(m), string(m), "", 2, 1, nan, nan, noLimit}
}

// scaled returns a series in the unit in which it is shown.
func (d drawn) scaled(s history.Series) history.Series {
	times := func(points []float64) []float64 {
		list := make([]float64, len(points))
		for i, p := range points {
			list[i] = p * d.factor
		}
		return list
	}
	return history.Series{Start: s.Start, Min: times(s.Min), Median: times(s.Median), Max: times(s.Max)}
}

func (d drawn) format() string { return fmt.Sprintf("%%.%df %s", d.digits, d.percentSafe()) }

// percentSafe is the unit as a format has it.
func (d drawn) percentSafe() string {
	if d.unit == "%" {
		return "%%"
	}
	return d.unit
}

// place orders a chart among the others.
func (d drawn) place() int {
	if i := slices.IndexFunc(drawings, func(x drawn) bool { return x.name == d.name }); i >= 0 {
		return i
	}
	return len(drawings)
}

// text returns a value with its unit; unknown if it is not known.
func (d drawn) text(v float64) string {
	return said(hsm.Opt[float64]{Value: v, Known: !math.IsNaN(v)}, d.format())
}

// byHour returns the least, the mean of the medians and the greatest of each hour.
func byHour(s history.Series) (least, median, greatest []float64) {
	return thinned(s.Min, tableEvery, math.Min), thinned(s.Median, tableEvery, middle), thinned(s.Max, tableEvery, math.Max)
}
