package rules

import (
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
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
	state, d := alarms.NewState(), hsm.Device{Name: "a", Kind: hsm.NetworkHSM}
	for _, l := range looks {
		l.poll(l.at, &d)
		snap, now := &hsm.Snapshot{Devices: []hsm.Device{d}}, alarmstest.At(l.at+5)
		changes := alarms.Eval(state, EvaluateSnapshot(snap, state, limits, now), alarms.Damping{}, now)
		state.Apply(changes)
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
			{60, partitionsOf(zeroizedPartition), []string{"raised critical a/partition-status/1"}},
			{120, partitionsOf(zeroizedPartition), nil},
			{180, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device"}), []string{"cleared critical a/partition-status/1"}},
		},
		"a partition is zeroized before the first look": {
			{0, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Zeroized: yes}), []string{"raised critical a/partition-status/1"}},
		},
		"a partition was never initialized": {
			{0, partitionsOf(zeroizedPartition), nil},
			{60, partitionsOf(zeroizedPartition), nil},
		},
		"a partition has an unknown status": {
			{0, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "L3 Device, Asleep"}), []string{"raised indeterminate a/partition-status/1"}},
			{60, partitionsOf(hsm.Partition{Serial: "1", Label: hsm.Some("pay"), Status: "Decommissioned"}), []string{"updated critical a/partition-status/1"}},
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
		"a partition is deleted, after it was deactivated": {
			{0, partitionsOf(activated("1", true), activated("2", true)), nil},
			{60, partitionsOf(activated("1", false), activated("2", true)), []string{"raised major a/partition-deactivated/1"}},
			{120, partitionsOf(activated("2", true)), []string{"cleared major a/partition-deactivated/1"}},
		},
	} {
		t.Run(name, func(t *testing.T) { watchLooks(t, limits, looks...) })
	}
}
