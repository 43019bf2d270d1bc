package glance

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestCurve: a curve has each reading once, ends where the value is no longer known, and
// says so.
func TestCurve(t *testing.T) {
	c := Curve{Measure: "temperature", Begun: noon}
	for i := range 3 {
		d := network("a", 0)
		d.Show.At, d.Show.MaxAge = noon.Add(time.Duration(10*i)*time.Second), 15*time.Second
		d.Show.Value.Environment.TemperatureCelsius = hsm.Some(40 + float64(i))
		c.Add(d, d.Show.At)
		c.Add(d, d.Show.At.Add(time.Second))
	}
	for _, x := range []struct {
		seconds int
		why     string
		want    string
	}{
		{30, "", `
a, of the card, in degrees Celsius: 42, hsm show, 10s ago
42.0|            ######
    |            ######
    |      ############
40.0|......############
     -30s           now`},
		{60, "", `
a, of the card, in degrees Celsius: ?, hsm show, 40s ago
42.0|      #####
    |      #####
    |   ########
40.0|...########???????
     -1m0s          now`},
		{30, "no agent answers\x1b[2J", `
a, of the card, in degrees Celsius: 42; OLD: no agent answers?[2J
42.0|            ######
    |            ######
    |      ############
40.0|......############
     -30s           now`},
	} {
		lines := c.Lines(noon.Add(time.Duration(x.seconds)*time.Second), x.why, 80, 4, true)
		narrow := c.Lines(noon.Add(time.Duration(x.seconds)*time.Second), x.why, 24, 4, true)
		if diff := cmp.Diff(x.want, "\n"+strings.Join(append(lines[:1:1], narrow[1:]...), "\n")); diff != "" {
			t.Errorf("after %d s: %s", x.seconds, diff)
		}
	}
}

// TestRules: what the rules that read a value say of it, and of nothing else; nothing is
// said of what is not known.
func TestRules(t *testing.T) {
	low := network("a", time.Second)
	low.Show.Value.Environment.BatteryVolts = hsm.Some(2.7)
	for _, x := range []struct {
		device  *hsm.Device
		measure string
		want    []string
	}{
		{low, "battery", []string{"battery: battery at 2.700 V, threshold 2.750 V", "battery: ALARM", "forecast/battery: ALARM"}},
		{network("a", time.Second), "battery", []string{"battery: battery at 3.072 V", "battery: ALARM", "forecast/battery: ALARM"}},
		{network("a", time.Second), "temperature", []string{"temp-warn: card at 41 C", "temp-low: card at 41 C"}},
		{network("a", time.Second), "storage", []string{"hsm-storage: 25 % used"}},
		{network("a", time.Hour), "temperature", nil},
		{network("a", time.Hour), "battery", []string{"battery: ALARM", "forecast/battery: ALARM"}},
	} {
		active := []alarms.Active{alarm("a", "battery", alarms.Minor, "x", 0), alarm("b", "temp-warn", alarms.Minor, "x", 0), alarm("a", "fan", alarms.Minor, "x", 0)}
		trend := alarm("a", "forecast", alarms.Minor, "x", 0)
		trend.Object = "battery"
		r, ok := Read(x.device, x.measure, rules.DefaultThresholds(), noon)
		if !ok {
			t.Fatalf("%s is no measure", x.measure)
		}
		var got []string
		for _, rule := range r.Rules(&hsm.Snapshot{Devices: []*hsm.Device{x.device}}, x.device, append(active, trend), rules.DefaultThresholds(), noon) {
			for _, f := range rule.Findings {
				got = append(got, rule.Name+": "+f.Text)
			}
			for range rule.Active {
				got = append(got, rule.Name+": ALARM")
			}
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s: %s", x.measure, diff)
		}
	}
}

// TestWays: each rule of a measure has a group of alarms, and a stale value has no value.
func TestWays(t *testing.T) {
	for _, name := range ReadMeasures() {
		r, _ := Read(network("a", time.Hour), name, rules.DefaultThresholds(), noon)
		if r.Value.Known || r.Text() != "?" {
			t.Errorf("%s is stale, and %s", name, r.Text())
		}
		if len(r.rules) == 0 || len(r.Metrics) == 0 {
			t.Errorf("%s: no rule or no metric", name)
		}
		for _, rule := range r.rules {
			group, _, _ := strings.Cut(rule, "/")
			if alarms.GroupNamed(group).Number == 0 {
				t.Errorf("%s: no alarm is named %s", name, group)
			}
		}
	}
}

// TestCurveOfADay: a curve begins with what was kept before it, also where nothing was read
// between, and not with what is newer than it.
func TestCurveOfADay(t *testing.T) {
	c := Curve{Measure: "temperature", Begun: noon}
	c.Add(network("a", 0), noon)
	c.Precede([]plot.Point{{From: noon.Add(time.Second), Until: noon.Add(time.Minute), Value: 3}})
	c.Precede([]plot.Point{{From: noon.Add(-time.Hour), Until: noon.Add(-30 * time.Minute), Value: 39}})
	got := "\n" + strings.Join(c.Lines(noon.Add(10*time.Minute), "", 60, 3, true), "\n")
	if diff := cmp.Diff(`
a, of the card, in degrees Celsius: 41, hsm show, 10m ago
41.0|                                              ########
    |                                              ########
39.0|........................??????????????????????########
     -1h10m0s                                           now`, got); diff != "" {
		t.Error(diff)
	}
}
