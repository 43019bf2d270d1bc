package rules

import (
	"math"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestOrdinaryMonthOfPolls polls an ordinary appliance every five minutes for a month:
// load by the hour of the day, requests that fail now and then, wrong PINs, a
// partition that is created and used later, counters that are reset, a fan that
// cannot be read for a while. Nothing is raised.
func TestOrdinaryMonthOfPolls(t *testing.T) {
	const every, polls = 5 * time.Minute, 30 * 24 * 12
	state, limits := alarms.NewState(), DefaultThresholds()
	requests, failed := uint64(9e6), uint64(40)
	for i := range polls {
		second := i * int(every.Seconds())
		day := 2 * math.Pi * float64(i%288) / 288
		load := 0.4 + 0.3*math.Sin(day)
		requests, failed = requests+uint64(60000*load), failed+uint64(i%7)
		if i == 4000 {
			requests, failed = 12, 0 // hsm information reset
		}
		d := ordinary(second, i, load)
		d.Information = alarmstest.ReadAt(second, hsm.Information{OperationRequests: hsm.Some(3 * requests), OperationErrors: hsm.Some(300 + failed),
			CryptoRequests: hsm.Some(requests), CryptoErrors: hsm.Some(failed), CriticalEvents: hsm.Some[uint64](0)})
		now := alarmstest.At(second + 10)
		changes := alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []hsm.Device{d}}, state, limits, now), alarms.Damping{}, now)
		state.Apply(changes)
		state.Memory = map[string]alarms.Memory{"a": Remember(Poll{Device: d, Now: now, Thresholds: limits, Memory: state.Memory["a"]})}
		if len(changes) > 0 {
			t.Fatalf("day %d: %q: %s", i/288, alarmstest.Describe(changes), changes[0].Alarm.Text)
		}
	}
}

// ordinary is an ordinary appliance at a second, the i-th time that it is
// polled.
func ordinary(second, i int, load float64) hsm.Device {
	at := alarmstest.At(second)
	d := hsm.Device{Name: "a", Kind: hsm.NetworkHSM, Sources: map[string]hsm.Source{"hsm show": {At: at, Success: at, Unread: []string{"A line of a new version: 7"}}}}
	d.Show = alarmstest.ReadAt(second, hsm.Show{Serial: "70001", Label: hsm.Some("root"), Zeroized: hsm.Some(false), Tamper: hsm.TamperNone, Status: "L3 Device",
		SecureTransportMode: hsm.Some(false), SOLoginAttemptsLeft: hsm.Some[int64](3), Environment: &hsm.Environment{
			BatteryVolts: hsm.Some(3.08), BatteryWarning: hsm.Some(2.75), TemperatureCelsius: hsm.Some(34 + 8*load), TemperatureWarning: hsm.Some(75.0),
			Fans: []hsm.Fan{{Name: "Fan 1", Status: []string{"standby", "active"}[i/100%2]}, {Name: "Fan 2", Status: "active"}}}})
	d.Tamper = alarmstest.ReadAt(second, hsm.Tamper{State: hsm.TamperNone})
	d.Monitor = alarmstest.ReadAt(second, hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: uint64(86400 + second), UtilizationInt: load}}, IntervalSeconds: hsm.Some[int64](5)})
	d.System = alarmstest.ReadAt(second, hsm.System{State: "ISO", Codes: []int64{100, 61, 62, 63, 95}, CheckTime: at.Format("2006-01-02T15:04")})
	d.CPU = alarmstest.ReadAt(second, hsm.CPU{Load1: 6 * load, Load5: 3 * load, Load15: 2 * load})
	d.RAM = alarmstest.ReadAt(second, hsm.RAM{Total: hsm.Some[int64](4e9), Available: hsm.Some(int64(3.6e9 - 1e9*load)), SwapTotal: hsm.Some[int64](4e9), SwapUsed: hsm.Some[int64](2e7)})
	pay := hsm.Partition{Serial: "1", Name: "pay", Label: hsm.Some("pay"), Activated: hsm.Some(true), Status: "L3 Device",
		Roles: []hsm.Role{{Name: "Crypto Officer", LockedOut: hsm.Some(false), LoginAttemptsLeft: hsm.Some(int64(10 - i%3))}, {Name: "Crypto User", Initialized: hsm.Some(false)}}}
	list := []hsm.Partition{pay}
	switch {
	case i > 3000: // somebody uses it
		list = append(list, hsm.Partition{Serial: "2", Name: "new", Label: hsm.Some("new"), Status: "L3 Device", Activated: hsm.Some(i > 3100), Roles: pay.Roles})
	case i > 2000: // it is created, and not initialized
		list = append(list, hsm.Partition{Serial: "2", Name: "new", Label: hsm.Some(""), Status: "L3 Device, Zeroized", Zeroized: hsm.Some(true),
			Roles: []hsm.Role{{Name: "Partition SO", Initialized: hsm.Some(false)}, {Name: "Crypto Officer", Initialized: hsm.Some(false)}}})
	}
	d.Partitions = alarmstest.ReadAt(second, list)
	reading := "OK"
	if i%1000 < 3 {
		reading = "No Reading"
	}
	d.Sensors = alarmstest.ReadAt(second, hsm.Sensors{
		Sensors:       []hsm.Sensor{alarmstest.ApplianceFan("Fan1A", 4000+1500*load), alarmstest.Sensor("PSU1 Temp_value", 30+10*load, "degrees C", 0, 0, 0, 115)},
		PowerSupplies: []hsm.Fan{{Name: "PSU1_Status", Status: "Presence detected"}, {Name: "CPU_Thermtrip", Status: "OK"}},
		Fans:          []hsm.Fan{{Name: "Fan1A", Status: reading}},
		Chassis:       map[string]string{"System Power": "on", "Main Power Fault": "false", "Power Overload": "false", "Drive Fault": "false", "Cooling/Fan Fault": "false", "Chassis Intrusion": "inactive", "Last Power Event": "ac-failed", "Front-Panel Lockout": "inactive"},
	})
	return d
}
