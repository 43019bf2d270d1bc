package watch

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/forecast"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// forecasts adds to the series of devices, and returns the findings of
// their trends.
func (w *Watch) forecasts(devices []*hsm.Device, now time.Time) (findings []alarms.Finding) {
	if w.gained.Swap(false) {
		w.takeSeries()
	}
	longer := make(map[journal.Series][]journal.Sample)
	for _, d := range devices {
		for _, m := range forecast.Measurements(rules.Poll{Device: d, Now: now, Thresholds: w.setup().Settings.Thresholds}) {
			next, added := forecast.Sampled(w.series[m.Series], m.Sample)
			w.series[m.Series] = next
			if added {
				longer[m.Series] = next
			}
			if f, ok := forecast.Evaluate(m, next, w.setup().Settings.Thresholds); ok {
				findings = append(findings, f)
			}
		}
	}
	if len(longer) > 0 {
		if err := w.Journal.StoreSamples(longer); err != nil {
			w.Log.Warn("trends not stored", "of", len(longer), "err", err)
		}
	}
	return findings
}
