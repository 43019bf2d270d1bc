package watch

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/forecast"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// forecasts adds to the series of devices, and returns the findings of
// their trends.
func (w *Watch) forecasts(devices []*hsm.Device, now time.Time) (findings []alarms.Finding) {
	for _, d := range devices {
		for _, m := range forecast.Measurements(rules.Poll{Device: d, Now: now, Thresholds: w.Settings.Thresholds}) {
			next, added := forecast.Sampled(w.series[m.Series], m.Sample)
			w.series[m.Series] = next
			if added {
				if err := w.Journal.StoreSamples(m.Series, next); err != nil {
					w.Log.Warn("trend not stored", "hsm", m.Device, "of", m.Object, "err", err)
				}
			}
			if f, ok := forecast.Evaluate(m, next, w.Settings.Thresholds); ok {
				findings = append(findings, f)
			}
		}
	}
	return findings
}
