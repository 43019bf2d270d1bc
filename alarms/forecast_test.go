package alarms

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// line of samples: hours apart, beginning at value, with a slope a day.
func trend(n int, hours float64, value, slope float64, noise ...float64) (list []Sample) {
	for i := range n {
		v := value + slope*float64(i)*hours/24
		if len(noise) > 0 {
			v += noise[i%len(noise)]
		}
		list = append(list, Sample{t0.Add(time.Duration(float64(i) * hours * float64(time.Hour))), v})
	}
	return list
}

func TestForecast(t *testing.T) {
	battery := measurement{Series: Series{"a", "battery"}, limit: 2.75, text: inVolts}
	disk := measurement{Series: Series{"a", "log-disk"}, limit: 0.95, rising: true, text: inPercent}
	for name, x := range map[string]struct {
		m    measurement
		past []Sample
		want string // "": nothing is said
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
			if j, ok := judgeForecast(x.m, x.past, DefaultSettings); ok {
				got = strings.TrimSpace(map[Verdict]string{Good: "good", Between: "between", Bad: "bad"}[j.Verdict] + " " + j.Text)
			}
			if got != x.want {
				t.Errorf("got  %q\nwant %q", got, x.want)
			}
		})
	}
}

// TestTrendIsKept samples for weeks, over restarts.
func TestTrendIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{}
		var a *agent
		volts := 2.85
		for week := range 3 {
			a = start(t, dir, map[string]Notifier{"noc": r})
			for range 7 * 24 {
				a.polled(hsm.Show{Environment: &hsm.Environment{BatteryVolts: hsm.Some(volts)}})
				volts -= 0.004 / 24
				pass(time.Hour)
			}
			if n := len(a.series[Series{"a", "battery"}]); n < 42*(week+1)-1 || n > 42*(week+1)+1 {
				t.Errorf("%d values after week %d", n, week+1)
			}
			if week < 2 {
				a.stop()
			}
		}
		defer a.stop()
		if got := strings.Join(r.told(), "\n"); strings.Count(got, "raised warning a/forecast/battery") != 1 {
			t.Errorf("told\n%s", got)
		}
	})
}

func TestInventory(t *testing.T) {
	want := Expected{Serial: "1234", Firmware: "7.2.0", Partitions: []string{"app", "1002"}, Activated: []string{"pay"}, Members: map[string][]string{"g": {"11", "12"}}}
	s := DefaultSettings
	s.Expected = map[string]Expected{"a": want}
	said := func(r Rule, d hsm.Device) (list []string) {
		d.Name = "a"
		r.Judge(Poll{d, at(10), s}, func(o Opinion) {
			if !o.All {
				list = append(list, map[Verdict]string{Good: "good ", Between: "between ", Bad: "bad "}[o.Verdict]+o.Object)
			}
		})
		return list
	}
	same(t, "as it should be", []string{"good serial", "good firmware"}, said(inventory, show(hsm.Show{Serial: "1234", Firmware: "7.2.0"})))
	same(t, "another one", []string{"bad serial", "between firmware"}, said(inventory, show(hsm.Show{Serial: "1235"})))
	same(t, "not read", nil, said(inventory, hsm.Device{}))
	partitions := func(list ...hsm.Partition) hsm.Device { return hsm.Device{Partitions: read(list)} }
	same(t, "partitions", []string{"good pay", "good app", "good 1002"}, said(inventoryPartitions,
		partitions(hsm.Partition{Name: "app"}, hsm.Partition{Serial: "1002"}, hsm.Partition{Label: hsm.Some("pay"), Activated: hsm.Some(true)})))
	same(t, "partitions that are wrong", []string{"bad pay", "bad app", "good 1002"}, said(inventoryPartitions,
		partitions(hsm.Partition{Serial: "1002"}, hsm.Partition{Name: "pay", Activated: hsm.Some(false)})))
	same(t, "activation not told", []string{"between pay", "bad app", "bad 1002"}, said(inventoryPartitions, partitions(hsm.Partition{Name: "pay"})))
	g := hsm.HAGroupState{Label: "g", Members: []hsm.HAMemberState{{Serial: "11"}}}
	same(t, "members", []string{"good g/11", "bad g/12"}, said(inventoryMembers, ha(g)))
	same(t, "no group", []string{"bad g/11", "bad g/12"}, said(inventoryMembers, ha()))
}
