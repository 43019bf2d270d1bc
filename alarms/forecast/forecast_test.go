package forecast

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
)

// trend is a line of samples: hours apart, beginning at value, with a slope a
// day.
func trend(n int, hours float64, value, slope float64, noise ...float64) (list []journal.Sample) {
	for i := range n {
		v := value + slope*float64(i)*hours/24
		if len(noise) > 0 {
			v += noise[i%len(noise)]
		}
		list = append(list, journal.Sample{At: alarmstest.T0.Add(time.Duration(float64(i) * hours * float64(time.Hour))), Value: v})
	}
	return list
}

func TestForecast(t *testing.T) {
	battery := Measurement{Series: journal.Series{Device: "a", Object: "battery"}, limit: 2.75, text: inVolts}
	disk := Measurement{Series: journal.Series{Device: "a", Object: "log-disk"}, limit: 0.95, rising: true, text: inPercent}
	for name, x := range map[string]struct {
		m    Measurement
		past []journal.Sample
		want string // "": no finding
	}{
		"fades":               {battery, trend(60, 4, 2.85, -0.004), "bad 2.811 V now; at this rate 2.750 V in 16 days, by 60 values since 2026-03-01"},
		"fades, with noise":   {battery, trend(60, 4, 2.85, -0.004, 0.002, -0.002), "bad 2.809 V now; at this rate 2.750 V in 16 days, by 60 values since 2026-03-01"},
		"noise only":          {battery, trend(60, 4, 2.85, 0, 0.01, -0.01, 0.005), ""},
		"does not move":       {battery, trend(60, 4, 3.05, 0), "good"},
		"slowly":              {battery, trend(60, 4, 3.05, -0.001), "good"},
		"between":             {battery, trend(60, 4, 2.85, -0.0019), "between"},
		"up":                  {battery, trend(60, 4, 2.85, 0.004), "good"},
		"past it":             {battery, trend(60, 4, 2.76, -0.004), "good"},
		"six days":            {battery, trend(36, 4, 2.85, -0.004), ""},
		"a few values":        {battery, trend(20, 24, 2.85, -0.004), ""},
		"grows":               {disk, trend(60, 4, 0.50, 0.02), "bad 70 % now; at this rate 95 % in 13 days, by 60 values since 2026-03-01"},
		"shrinks":             {disk, trend(60, 4, 0.50, -0.02), "good"},
		"a saw, as logs have": {disk, trend(60, 4, 0.50, 0, 0, 0.1, 0.2, 0.3), ""},
	} {
		t.Run(name, func(t *testing.T) {
			x.m.Sample = x.past[len(x.past)-1]
			got := ""
			if f, ok := Evaluate(x.m, x.past, rules.DefaultThresholds()); ok {
				got = strings.TrimSpace(map[alarms.Condition]string{alarms.Good: "good", alarms.Between: "between", alarms.Bad: "bad"}[f.Condition] + " " + f.Text)
			}
			if got != x.want {
				t.Errorf("got  %q\nwant %q", got, x.want)
			}
		})
	}
}
