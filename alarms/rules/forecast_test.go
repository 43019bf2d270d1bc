package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
)

// trend is a line of samples: hours apart, beginning at value, with a slope a
// day.
func trend(n int, hours float64, value, slope float64, noise ...float64) (list []alarms.Sample) {
	for i := range n {
		v := value + slope*float64(i)*hours/24
		if len(noise) > 0 {
			v += noise[i%len(noise)]
		}
		list = append(list, alarms.Sample{At: alarmstest.T0.Add(time.Duration(float64(i) * hours * float64(time.Hour))), Value: v})
	}
	return list
}

func TestForecast(t *testing.T) {
	battery := Measurement{Series: alarms.Series{Device: "a", Object: "battery"}, limit: 2.75, text: inVolts}
	disk := Measurement{Series: alarms.Series{Device: "a", Object: "log-disk"}, limit: 0.95, rising: true, text: inPercent}
	for name, x := range map[string]struct {
		m    Measurement
		past []alarms.Sample
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
			if f, ok := EvaluateForecast(x.m, x.past, DefaultThresholds()); ok {
				got = strings.TrimSpace(map[alarms.Condition]string{alarms.Good: "good", alarms.Between: "between", alarms.Bad: "bad"}[f.Condition] + " " + f.Text)
			}
			if got != x.want {
				t.Errorf("got  %q\nwant %q", got, x.want)
			}
		})
	}
}

func TestInventory(t *testing.T) {
	want := Expected{Serial: "1234", Firmware: "7.2.0", Partitions: []string{"app", "1002"}, Activated: []string{"pay"}, Members: map[string][]string{"g": {"11", "12"}}}
	s := DefaultThresholds()
	s.Expected = map[string]Expected{"a": want}
	emitted := func(r Rule, d hsm.Device) (list []string) {
		d.Name = "a"
		r.Evaluate(Poll{Device: d, Now: alarmstest.At(10), Thresholds: s}, func(o Result) {
			if !o.All {
				list = append(list, map[alarms.Condition]string{alarms.Good: "good ", alarms.Between: "between ", alarms.Bad: "bad "}[o.Condition]+o.Object)
			}
		})
		return list
	}
	alarmstest.Same(t, "as it should be", []string{"good serial", "good firmware"}, emitted(inventory, show(hsm.Show{Serial: "1234", Firmware: "7.2.0"})))
	alarmstest.Same(t, "another one", []string{"bad serial", "between firmware"}, emitted(inventory, show(hsm.Show{Serial: "1235"})))
	alarmstest.Same(t, "not read", nil, emitted(inventory, hsm.Device{}))
	partitions := func(list ...hsm.Partition) hsm.Device { return hsm.Device{Partitions: alarmstest.Read(list)} }
	alarmstest.Same(t, "partitions", []string{"good pay", "good app", "good 1002"}, emitted(inventoryPartitions,
		partitions(hsm.Partition{Name: "app"}, hsm.Partition{Serial: "1002"}, hsm.Partition{Label: hsm.Some("pay"), Activated: hsm.Some(true)})))
	alarmstest.Same(t, "partitions that are wrong", []string{"bad pay", "bad app", "good 1002"}, emitted(inventoryPartitions,
		partitions(hsm.Partition{Serial: "1002"}, hsm.Partition{Name: "pay", Activated: hsm.Some(false)})))
	alarmstest.Same(t, "activation not stated", []string{"between pay", "bad app", "bad 1002"}, emitted(inventoryPartitions, partitions(hsm.Partition{Name: "pay"})))
	g := hsm.HAGroupState{Label: "g", Members: []hsm.HAMemberState{{Serial: "11"}}}
	alarmstest.Same(t, "members", []string{"good g/11", "bad g/12"}, emitted(inventoryMembers, ha(g)))
	alarmstest.Same(t, "no group", []string{"bad g/11", "bad g/12"}, emitted(inventoryMembers, ha()))
}
