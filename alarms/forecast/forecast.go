// Package forecast finds trends of values that lead to a limit.
package forecast

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
)

const (
	sampleEvery = 4 * time.Hour
	trendSpan   = 7 * 24 * time.Hour // the least that a trend rests on
	trendValues = 21                 // the fewest that a trend rests on
	trendFit    = 0.7                // the least part of their variance that the line explains
)

// A Measurement is a value of a device now, and the limit that its trend may
// reach.
type Measurement struct {
	journal.Series
	journal.Sample
	limit  float64
	rising bool // the limit is above
	text   func(v float64) string
}

func inVolts(v float64) string { return fmt.Sprintf("%.3f V", v) }

func inPercent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }

// Measurements returns the values of a device whose trends mean something: they
// move slowly, and in one direction.
func Measurements(p rules.Poll) (all []Measurement) {
	add := func(object string, at time.Time, v, limit float64, rising bool, text func(float64) string) {
		all = append(all, Measurement{journal.Series{Device: p.Name, Object: object}, journal.Sample{At: at, Value: v}, limit, rising, text})
	}
	if s, ok := p.Show.Get(p.Now); ok {
		if e := s.Environment; e != nil && e.BatteryVolts.Known {
			limit := 2.75
			if e.BatteryWarning.Known {
				limit = e.BatteryWarning.Value
			}
			add("battery", p.Show.Asked(), e.BatteryVolts.Value, limit, false, inVolts)
		}
		if ratio, known := s.Storage.UsedRatio(); known {
			add("hsm-storage", p.Show.Asked(), ratio, p.StorageRatio, true, inPercent)
		}
	}
	if list, ok := p.Partitions.Get(p.Now); ok {
		for _, x := range list {
			if ratio, known := x.Storage.UsedRatio(); known {
				add("partition-storage/"+cmp.Or(x.Serial, x.Name), p.Partitions.Asked(), ratio, p.StorageRatio, true, inPercent)
			}
		}
	}
	if d, ok := p.Disk.Get(p.Now); ok {
		for _, f := range d.Filesystems {
			if f.Mount == "/var/log" {
				add("log-disk", p.Disk.Asked(), f.UsedRatio, 0.95, true, inPercent)
			}
		}
	}
	return all
}

// Evaluate returns a Bad finding if the trend of past reaches m's limit
// within limits.ForecastDays. Without a clear trend it returns none.
func Evaluate(m Measurement, past []journal.Sample, limits rules.Thresholds) (alarms.Finding, bool) {
	f := alarms.Finding{Key: alarms.Key{Device: m.Device, Group: "forecast", Object: m.Object}, Severity: alarms.Warning}
	if limits.ForecastDays == 0 || len(past) == 0 {
		return f, false
	}
	last := past[len(past)-1]
	slope, now, ok := fit(past)
	days := math.Inf(1)
	if ok && (slope > 0) == m.rising && slope != 0 {
		days = (m.limit - now) / slope
	}
	f.Evidence = alarms.Evidence{At: last.At, Text: fmt.Sprintf("%s, no trend towards %s", m.text(m.Value), m.text(m.limit)),
		Measure: &alarms.Measure{Value: m.Value, Threshold: m.limit}}
	switch {
	case !ok:
		return f, false
	case days < 0: // past the limit, which has an alarm of its own
		return f, true
	case days <= float64(limits.ForecastDays):
		f.Condition = alarms.Bad
		f.Text = fmt.Sprintf("%s now; at this rate %s in %.0f days, by %d values since %s",
			m.text(m.Value), m.text(m.limit), math.Ceil(days), len(past), past[0].At.UTC().Format(time.DateOnly))
		f.Evidence.Text = f.Text
	case days <= 1.5*float64(limits.ForecastDays):
		f.Condition = alarms.Between
	}
	return f, true
}

// fit returns the straight line through samples, as its slope a day and its
// value at the last sample; not ok: they are too few, or too far from a line.
func fit(past []journal.Sample) (slope, now float64, ok bool) {
	n := len(past)
	if n < trendValues || past[n-1].At.Sub(past[0].At) < trendSpan {
		return 0, 0, false
	}
	var x, y, xx, xy, yy float64
	for _, s := range past {
		t := s.At.Sub(past[n-1].At).Hours() / 24
		x, y, xx, xy, yy = x+t, y+s.Value, xx+t*t, xy+t*s.Value, yy+s.Value*s.Value
	}
	c := float64(n)
	sxx, sxy, syy := xx-x*x/c, xy-x*y/c, yy-y*y/c
	slope = sxy / sxx
	if syy <= 1e-12*math.Max(1, yy) {
		return 0, past[n-1].Value, true // it does not move
	}
	return slope, (y - slope*x) / c, sxy*sxy/(sxx*syy) >= trendFit
}

// Sampled returns past with s, if it is time for another sample, without those
// that are too old, and whether it added s.
func Sampled(past []journal.Sample, s journal.Sample) (next []journal.Sample, added bool) {
	if n := len(past); n > 0 && s.At.Sub(past[n-1].At) < sampleEvery {
		return past, false
	}
	for len(past) > 0 && s.At.Sub(past[0].At) > journal.SamplesKept {
		past = past[1:]
	}
	return append(slices.Clip(past), s), true
}
