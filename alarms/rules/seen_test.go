package rules

import (
	"slices"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/hsm"
)

// A look is what is polled at a time of a story, and the changes of alarms that
// come of it.
type look struct {
	at   int // s
	poll func(second int, d *hsm.Device)
	want []string
}

// watchLooks plays looks on one device with whatever is remembered between
// them, and holds the changes of each.
func watchLooks(t *testing.T, limits Thresholds, looks ...look) alarms.State {
	t.Helper()
	state, d := alarms.NewState(), &hsm.Device{Name: "a", Kind: hsm.NetworkHSM}
	for _, l := range looks {
		l.poll(l.at, d)
		snap, now := &hsm.Snapshot{Devices: []*hsm.Device{d}}, alarmstest.At(l.at+5)
		changes := alarms.Eval(state, EvaluateSnapshot(snap, state, limits, now), alarms.Damping{}, now)
		state.Apply(changes)
		state.Memory = map[string]alarms.Memory{"a": Remember(Poll{Device: d, Now: now, Thresholds: limits, Memory: state.Memory["a"]})}
		var got []string
		for _, c := range alarmstest.Describe(changes) {
			if len(c) < 4 || c[:4] != "seen" {
				got = append(got, c)
			}
		}
		alarmstest.Same(t, alarmstest.At(l.at).Format("15:04:05"), l.want, got)
	}
	return state
}

func partitionsOf(list ...hsm.Partition) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) { d.Partitions = alarmstest.ReadAt(second, list) }
}

func sensorsOf(s hsm.Sensors) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) { d.Sensors = alarmstest.ReadAt(second, s) }
}

func showOf(s hsm.Show) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) { d.Show = alarmstest.ReadAt(second, s) }
}

func counters(requests, failed, critical uint64) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.Information = alarmstest.ReadAt(second, hsm.Information{
			OperationRequests: hsm.Some(requests + 9000), OperationErrors: hsm.Some(failed + 700),
			CryptoRequests: hsm.Some(requests), CryptoErrors: hsm.Some(failed), CriticalEvents: hsm.Some(critical)})
	}
}

func oldCounters(requests, failed uint64) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.Information = alarmstest.ReadAt(second, hsm.Information{OperationRequests: hsm.Some(requests), OperationErrors: hsm.Some(failed)})
	}
}

func uptime(seconds uint64) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.Monitor = alarmstest.ReadAt(second, hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 1}, {UptimeSeconds: seconds}}})
	}
}

func checked(checkTime string) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.System = alarmstest.ReadAt(second, hsm.System{State: "ISO", Codes: []int64{0}, CheckTime: checkTime})
	}
}

func unit(serial string, tamper hsm.TamperState) func(int, *hsm.Device) {
	return showOf(hsm.Show{Serial: serial, Label: hsm.Some("root"), Zeroized: hsm.Some(false), Tamper: tamper})
}

func answered(unread ...string) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.Sources = map[string]hsm.Source{"hsm show": {At: alarmstest.At(second), Success: alarmstest.At(second), Unread: unread}}
	}
}

// silentFor is an attempt that failed; what was unread before is kept.
func silentFor(f hsm.Failure) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		s := d.Sources["hsm show"]
		s.At, s.Failure, s.Failures, s.Unread = alarmstest.At(second), f, 1, []string{"cut off"}
		d.Sources = map[string]hsm.Source{"hsm show": s}
	}
}

func loaded(load, memory, swap float64) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		d.CPU = alarmstest.ReadAt(second, hsm.CPU{Load1: 99, Load5: 50, Load15: load})
		d.RAM = alarmstest.ReadAt(second, hsm.RAM{Total: hsm.Some[int64](1e6), Available: hsm.Some(int64((1 - memory) * 1e6)), SwapTotal: hsm.Some[int64](1e6), SwapUsed: hsm.Some(int64(swap * 1e6))})
	}
}

// fromSource is partitions that a source lists.
func fromSource(source string, list ...hsm.Partition) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		partitionsOf(list...)(second, d)
		d.Partitions.Source = source
	}
}

// unreadFrom is a source that lists partitions, with lines that nobody could read.
func unreadFrom(source string, unread []string, list ...hsm.Partition) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		fromSource(source, list...)(second, d)
		d.Sources = map[string]hsm.Source{source: {At: alarmstest.At(second), Success: alarmstest.At(second), Unread: unread}}
	}
}

// by is polls of one source.
func by(source string, polls ...func(int, *hsm.Device)) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		all(polls...)(second, d)
		d.Information.Source, d.Monitor.Source = source, source
	}
}

func all(polls ...func(int, *hsm.Device)) func(int, *hsm.Device) {
	return func(second int, d *hsm.Device) {
		for _, poll := range polls {
			poll(second, d)
		}
	}
}

func activated(serial string, yes bool) hsm.Partition {
	return hsm.Partition{Serial: serial, Name: "pay", Label: hsm.Some("pay"), Activated: hsm.Some(yes)}
}

func role(locked hsm.Opt[bool], left hsm.Opt[int64]) hsm.Partition {
	return hsm.Partition{Serial: "1", Name: "pay", Roles: []hsm.Role{{Name: "Crypto User", LockedOut: hsm.Some(false), LoginAttemptsLeft: hsm.Some[int64](10)},
		{Name: "Crypto Officer", LockedOut: locked, LoginAttemptsLeft: left}}}
}

func degrees(v float64) hsm.Show {
	return hsm.Show{Environment: &hsm.Environment{TemperatureCelsius: hsm.Some(v)}}
}

func chassis(name, word string) hsm.Sensors {
	c := map[string]string{"System Power": "on", "Main Power Fault": "false", "Drive Fault": "false", "Chassis Intrusion": "inactive", "Last Power Event": "ac-failed", "Power Restore Policy": "always-on", "Front Panel Control": "none"}
	c[name] = word
	return hsm.Sensors{Chassis: c}
}

func supply(word string) hsm.Sensors {
	return hsm.Sensors{PowerSupplies: []hsm.Fan{{Name: "PSU1_Status", Status: "Presence detected"}, {Name: "PSU2_Status", Status: word}}}
}

func frontFan(word string) hsm.Sensors {
	return hsm.Sensors{Fans: []hsm.Fan{{Name: "Fan1A", Status: "OK", RPM: hsm.Some(4300.0)}, {Name: "Fan1B", Status: word}, {Name: "PSU1 FAN_value", Status: "OK"}}}
}

// TestStatesThatPollsShow plays each state that a poll can show from good to
// bad and back.
func TestStatesThatPollsShow(t *testing.T) {
	limits := DefaultThresholds()
	yes, no, unknown := hsm.Some(true), hsm.Some(false), hsm.Opt[bool]{}
	left := func(n int64) hsm.Opt[int64] { return hsm.Some(n) }
	zeroizedPartition := hsm.Partition{Serial: "1", Label: hsm.Some(""), Status: "L3 Device, Zeroized", Zeroized: yes}
	for name, looks := range map[string][]look{
		"a role is locked out": {
			{0, partitionsOf(role(no, left(10))), nil},
			{60, partitionsOf(role(yes, left(0))), []string{"raised major a/role-locked/1"}},
			{120, partitionsOf(role(no, left(10))), []string{"cleared major a/role-locked/1"}},
		},
		"a role has no attempt left": {
			{0, partitionsOf(role(unknown, left(0))), []string{"raised major a/role-locked/1"}},
			{60, partitionsOf(role(unknown, hsm.Opt[int64]{})), nil},
			{120, partitionsOf(role(unknown, left(3))), []string{"cleared major a/role-locked/1"}},
		},
		"a partition is zeroized": {
			{0, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device"}), nil},
			{60, partitionsOf(zeroizedPartition), []string{"raised critical a/partition-zeroized/1"}},
			{120, partitionsOf(zeroizedPartition), nil},
			{180, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device"}), []string{"cleared critical a/partition-zeroized/1"}},
		},
		"a partition is zeroized before the first look": {
			{0, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Zeroized: yes}), []string{"raised critical a/partition-zeroized/1"}},
		},
		"a partition was never initialized": {
			{0, partitionsOf(zeroizedPartition), nil},
			{60, partitionsOf(zeroizedPartition), nil},
		},
		"a partition has an unknown status": {
			{0, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device, Asleep"}), []string{"raised indeterminate a/partition-status/1"}},
			{60, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "Decommissioned"}), []string{"raised critical a/partition-zeroized/1"}},
			{120, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device, Asleep"}), nil},
		},
		"the card is cold": {
			{0, showOf(degrees(22)), nil},
			{60, showOf(degrees(1)), []string{"raised minor a/temp-low"}},
			{120, showOf(degrees(-3)), []string{"updated major a/temp-low"}},
			{180, showOf(degrees(3)), nil},
			{240, showOf(degrees(12)), []string{"cleared major a/temp-low"}},
		},
		"the chassis is opened": {
			{0, sensorsOf(chassis("Chassis Intrusion", "inactive")), nil},
			{60, sensorsOf(chassis("Chassis Intrusion", "active")), []string{"raised critical a/appliance-chassis/Chassis Intrusion"}},
			{120, sensorsOf(hsm.Sensors{Chassis: map[string]string{"System Power": "on"}}), nil},
			{180, sensorsOf(chassis("Chassis Intrusion", "inactive")), []string{"cleared critical a/appliance-chassis/Chassis Intrusion"}},
		},
		"faults of the chassis": {
			{0, sensorsOf(chassis("Main Power Fault", "true")), []string{"raised major a/appliance-chassis/Main Power Fault"}},
			{60, sensorsOf(chassis("Drive Fault", "true")), []string{"cleared major a/appliance-chassis/Main Power Fault", "raised major a/appliance-chassis/Drive Fault"}},
			{120, sensorsOf(chassis("Cooling/Fan Fault", "TRUE")), []string{"cleared major a/appliance-chassis/Drive Fault", "raised major a/appliance-chassis/Cooling/Fan Fault"}},
		},
		"a fault of the chassis that a fan explains": {
			{0, sensorsOf(hsm.Sensors{Chassis: map[string]string{"Cooling/Fan Fault": "true"}, Fans: []hsm.Fan{{Name: "Fan1A", Status: "Failed"}}}), []string{"raised major a/appliance-fan/FAN1A"}},
		},
		"a word of the chassis that nobody knows": {
			{0, sensorsOf(chassis("Chassis Intrusion", "latched")), []string{"raised indeterminate a/appliance-chassis/Chassis Intrusion"}},
			{60, sensorsOf(chassis("Drive Fault", "maybe")), []string{"cleared indeterminate a/appliance-chassis/Chassis Intrusion", "raised indeterminate a/appliance-chassis/Drive Fault"}},
		},
		"a power supply is about to fail": {
			{0, sensorsOf(supply("Presence detected")), nil},
			{60, sensorsOf(supply("Predictive failure")), []string{"raised minor a/power-supply/PSU2"}},
			{120, sensorsOf(supply("Failed")), []string{"updated major a/power-supply/PSU2"}},
			{180, sensorsOf(supply("No Reading")), nil},
			{240, sensorsOf(supply("Presence detected")), []string{"cleared major a/power-supply/PSU2"}},
		},
		"two words of a power supply": {
			{0, sensorsOf(supply("Presence detected, Power Supply AC lost")), []string{"raised major a/power-supply/PSU2"}},
		},
		"a word of a power supply that nobody knows": {
			{0, sensorsOf(supply("Presence detected, humming")), []string{"raised indeterminate a/power-supply/PSU2"}},
		},
		"a word of a part that is neither power supply nor fan": {
			{0, sensorsOf(hsm.Sensors{PowerSupplies: []hsm.Fan{{Name: "Watchdog", Status: "humming"}, {Name: "CPU_Thermtrip", Status: "OK"}}}), nil},
			{60, sensorsOf(hsm.Sensors{PowerSupplies: []hsm.Fan{{Name: "CPU_Thermtrip", Status: "Failed"}}}), []string{"raised major a/motherboard/CPUTHERMTRIP"}},
		},
		"a front fan": {
			{0, sensorsOf(frontFan("OK")), nil},
			{60, sensorsOf(frontFan("Failed")), []string{"raised major a/appliance-fan/FAN1B"}},
			{120, sensorsOf(frontFan("No Reading")), nil},
			{180, sensorsOf(frontFan("OK")), []string{"cleared major a/appliance-fan/FAN1B"}},
			{240, sensorsOf(frontFan("humming")), []string{"raised indeterminate a/appliance-fan/FAN1B"}},
		},
		"a partition is not activated any more": {
			{0, partitionsOf(activated("1", true), activated("2", false)), nil},
			{60, partitionsOf(activated("1", false), activated("2", false)), []string{"raised major a/partition-deactivated/1"}},
			{120, partitionsOf(activated("1", false), activated("2", false)), nil},
			{150, partitionsOf(hsm.Partition{Serial: "1"}, activated("2", false)), nil},
			{180, partitionsOf(activated("1", true), activated("2", false)), []string{"cleared major a/partition-deactivated/1"}},
		},
		"critical events": {
			{0, counters(5000, 0, 2), nil},
			{60, counters(5100, 0, 2), nil},
			{120, counters(5200, 0, 3), []string{"raised critical a/critical-events"}},
			{180, counters(5300, 0, 3), nil},
			{240, counters(10, 0, 0), []string{"cleared critical a/critical-events"}},
			{300, counters(20, 0, 1), []string{"raised critical a/critical-events"}},
		},
		"counters of another source": {
			{0, by("hsm information show", counters(5000, 10, 3), uptime(86400)), nil},
			{60, by("snmp hsmTable", counters(9000, 3000, 0), uptime(86000)), nil},
			{120, by("snmp hsmTable", counters(9100, 3000, 0), uptime(86060)), nil},
			{180, by("hsm information show", counters(9200, 3010, 3), uptime(86580)), nil},
			{240, by("hsm information show", counters(9400, 3010, 4), uptime(86640)), []string{"raised critical a/critical-events"}},
			{300, by("snmp hsmTable", counters(9500, 3000, 0), uptime(86700)), nil},
		},
		"a restart that another source shows": {
			{0, by("hsm information monitor", uptime(86400)), nil},
			{60, by("rest counter", uptime(30)), []string{"raised minor a/hsm-restarted"}},
		},
		"partitions by name of another source": {
			{0, fromSource("partition show", activated("1", true)), nil},
			{60, fromSource("snmp partitions", hsm.Partition{Name: "pay"}), nil},
			{120, fromSource("partition show", activated("1", false)), []string{"raised major a/partition-deactivated/1"}},
		},
		"critical events since a reset": {
			{0, counters(5000, 0, 3), nil},
			{60, counters(10, 0, 1), []string{"raised critical a/critical-events"}},
		},
		"errors": {
			{0, counters(5000, 10, 0), nil},
			{60, counters(6000, 12, 0), nil},
			{120, counters(7000, 112, 0), []string{"raised minor a/error-ratio"}},
			{180, counters(7050, 112, 0), nil}, // too few to tell
			{240, counters(8050, 180, 0), nil}, // in the band
			{300, counters(9050, 182, 0), []string{"cleared minor a/error-ratio"}},
			{360, counters(300, 290, 0), nil}, // the HSM was reset
		},
		"errors, where only operations are counted": {
			{0, oldCounters(5000, 10), nil},
			{60, oldCounters(6000, 400), []string{"raised minor a/error-ratio"}},
		},
		"a restart": {
			{0, uptime(86400), nil},
			{60, uptime(86460), nil},
			{120, uptime(40), []string{"raised minor a/hsm-restarted"}},
			{180, uptime(100), nil},
			{1200, uptime(1120), []string{"cleared minor a/hsm-restarted"}},
		},
		"the status monitor hangs": {
			{0, checked("2026-03-01T12:00"), nil},
			{300, checked("2026-03-01T12:05"), nil},
			{600, checked("2026-03-01T12:05"), nil},
			{900, checked("2026-03-01T12:05"), []string{"raised minor a/status-monitor"}},
			{1200, checked("2026-03-01T12:05"), nil},
			{1500, checked("2026-03-01T12:24"), []string{"cleared minor a/status-monitor"}},
		},
		"another unit": {
			{0, all(unit("70001", hsm.TamperDetected), uptime(86400), counters(5000, 0, 3), partitionsOf(activated("1", true))), []string{"raised critical a/lock"}},
			{60, unit("70002", hsm.TamperNone), []string{"cleared critical a/lock", "raised major a/unit-replaced"}},
			{120, all(unit("70002", hsm.TamperNone), uptime(60), counters(10, 9, 0), partitionsOf(activated("1", false))), nil},
		},
		"another unit, tampered too": {
			{0, unit("70001", hsm.TamperDetected), []string{"raised critical a/lock"}},
			{60, unit("70002", hsm.TamperDetected), []string{"cleared critical a/lock", "raised critical a/lock", "raised major a/unit-replaced"}},
		},
		"a serial number that is not read for a while": {
			{0, unit("70001", hsm.TamperDetected), []string{"raised critical a/lock"}},
			{60, unit("", hsm.TamperDetected), nil},
			{120, unit("70001", hsm.TamperDetected), nil},
		},
		"an appliance under load": {
			{0, loaded(0.4, 0.05, 0), nil},
			{60, loaded(8, 0.96, 0.6), []string{"raised minor a/appliance-load/cpu", "raised minor a/appliance-load/memory", "raised minor a/appliance-load/swap"}},
			{120, loaded(7, 0.947, 0.47), nil},
			{180, loaded(1, 0.5, 0.1), []string{"cleared minor a/appliance-load/cpu", "cleared minor a/appliance-load/memory", "cleared minor a/appliance-load/swap"}},
		},
		"memory that is not stated": {
			{0, func(second int, d *hsm.Device) {
				d.RAM = alarmstest.ReadAt(second, hsm.RAM{Total: hsm.Some[int64](1000), SwapTotal: hsm.Some[int64](0), SwapUsed: hsm.Some[int64](0)})
			}, nil},
		},
		"a state in a word that no parser knows": {
			{0, answered(), nil},
			{60, answered("   HSM Tamper State:    Perhaps", "   A new line of a version: 7"), []string{"raised indeterminate a/unknown-state/hsm show"}},
			{120, silentFor(hsm.Timeout), nil},
			{180, answered("   A new line of a version: 7"), []string{"cleared indeterminate a/unknown-state/hsm show"}},
			{240, answered("Crypto Officer   Locked Out: for a while"), []string{"raised indeterminate a/unknown-state/hsm show"}},
			{300, answered(), []string{"cleared indeterminate a/unknown-state/hsm show"}},
		},
		"a partition is deleted, after it was deactivated": {
			{0, partitionsOf(activated("1", true), activated("2", true)), nil},
			{60, partitionsOf(activated("1", false), activated("2", true)), []string{"raised major a/partition-deactivated/1"}},
			{120, partitionsOf(activated("2", true)), []string{"cleared major a/partition-deactivated/1"}},
		},
	} {
		t.Run(name, func(t *testing.T) { watchLooks(t, limits, looks...) })
	}
}

// TestUnitReplacedEndsAlarms: alarms of every group end by the exchange of the
// unit, not by the good data of the new one; those of the watching do not.
func TestUnitReplacedEndsAlarms(t *testing.T) {
	for _, g := range alarms.Groups() {
		if g.Self {
			continue
		}
		state, d := alarms.NewState(), alarmstest.Ordinary(60, 0, 0.1)
		d.Show.Value.Serial = "70002"
		k := alarms.Key{Device: "a", Group: g.Name}
		state.Active[k] = alarms.Alarm{Key: k, Severity: alarms.Critical, Serial: "70001", Last: alarmstest.At(0)}
		state.Memory = map[string]alarms.Memory{"a": {Serial: "70001"}}
		by := ""
		for _, c := range alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, DefaultThresholds(), alarmstest.At(65)), alarms.Damping{}, alarmstest.At(65)) {
			if c.Kind == alarms.Cleared {
				by = c.Alarm.LastEvidence().Text
			}
		}
		if exchanged := by == "unit replaced: serial number 70002, before 70001"; exchanged == slices.Contains(ofWatching, g.Name) {
			t.Errorf("%s: ended by %q", g.Name, by)
		}
	}
}

// TestLimitsOff: 0 switches a rule off.
func TestLimitsOff(t *testing.T) {
	limits := DefaultThresholds()
	limits.ErrorRatio, limits.LoadAverage, limits.MemoryRatio, limits.SwapRatio = 0, 0, 0, 0
	watchLooks(t, limits, look{0, loaded(99, 1, 1), nil})
	watchLooks(t, limits, look{0, counters(5000, 0, 0), nil}, look{60, counters(6000, 900, 0), nil})
}

// TestUnreadHidesNothing: a partition whose lines nobody could read is neither deleted
// nor missing, and its alarm does not clear.
func TestUnreadHidesNothing(t *testing.T) {
	const source = "partition show"
	limits := DefaultThresholds()
	limits.Expected = map[string]expect.Device{"a": {Partitions: []string{"1"}}}
	other := hsm.Partition{Serial: "2", Name: "other"}
	watchLooks(t, limits,
		look{0, unreadFrom(source, nil, activated("1", true), other), nil},
		look{60, unreadFrom(source, nil, activated("1", false), other), []string{"raised major a/partition-deactivated/1"}},
		look{120, unreadFrom(source, []string{"Partition Name: lunash:>"}, other), nil},
		look{180, unreadFrom(source, nil, activated("1", false), other), nil},
		look{240, unreadFrom(source, nil, other), []string{"cleared major a/partition-deactivated/1", "raised major a/inventory-partition/1"}},
	)
}
