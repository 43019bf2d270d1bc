package agent

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/simulator"
)

// TestStatesFromOutside injects each state that polls show into a simulated
// appliance, and reads it as the agent does: by LunaSH, the parsers and the
// rules. Before the first and after the last there is no alarm.
func TestStatesFromOutside(t *testing.T) {
	t.Parallel()
	sim := collectortest.StartEstate(t, "")
	const name = "luna72"
	runner := (&lunash.Client{Address: sim.Appliance(t, name).SSHAddress, User: simulator.User,
		PasswordFile: setting.File(sim.PasswordFile), KnownHostsFile: sim.KnownHosts}).Start()
	defer runner.Close()
	poller := lunash.NewPoller(name, runner, 0, poll.DefaultIntervals())
	inject(t, sim, name, "load 0") // else requests of clients come with time, and clear what has failed
	look := outside(t, name, poller.Capture)
	d, changes := look()
	alarmstest.Same(t, "an ordinary appliance", nil, changes)
	partition := d.Partitions.Value[0]
	own := func(group string) string { return name + "/" + group + "/" + partition.Serial }
	for _, x := range []struct {
		events []string
		want   []string
	}{
		{[]string{"partition-deactivate " + partition.Name}, []string{"raised major " + own("partition-deactivated")}},
		{[]string{"partition-activate " + partition.Name}, []string{"cleared major " + own("partition-deactivated")}},
		{[]string{"role-lock " + partition.Name}, []string{"raised major " + own("role-locked")}},
		{[]string{"role-unlock " + partition.Name}, []string{"cleared major " + own("role-locked")}},
		{[]string{"role-reset " + partition.Name}, nil},
		{[]string{"partition-zeroize " + partition.Name}, []string{"raised critical " + own("partition-zeroized")}},
		{[]string{"system-says OOS"}, []string{"raised critical luna72/system-status/state"}},
		{[]string{"system-says OFT 100"}, nil},
		{[]string{"system-says IST 0"}, nil},
		{[]string{"system-says ISO 100,55"}, []string{"cleared critical luna72/system-status/state", "raised indeterminate luna72/system-status/55"}},
		{[]string{"system-says DOZING 0"}, []string{"raised indeterminate luna72/system-status/state", "cleared indeterminate luna72/system-status/55"}},
		{[]string{"system-says ISO 0"}, []string{"cleared indeterminate luna72/system-status/state"}},
		{[]string{"temperature -3"}, []string{"raised major luna72/temp-low"}},
		{[]string{"temperature 38"}, []string{"cleared major luna72/temp-low"}},
		{[]string{"hsm-fan-says 1 fault"}, []string{"raised minor luna72/fan"}},
		{[]string{"hsm-fan-says 2 stopped"}, []string{"updated major luna72/fan"}},
		{[]string{"hsm-fan-says 1 standby", "hsm-fan-says 2 active"}, []string{"cleared major luna72/fan"}},
		{[]string{"hsm-fan-says 1 dozing"}, []string{"raised indeterminate luna72/fan"}},
		{[]string{"hsm-fan-says 1 standby"}, []string{"cleared indeterminate luna72/fan"}},
		{[]string{"chassis-says Chassis Intrusion: active"}, []string{"raised critical luna72/appliance-chassis/Chassis Intrusion"}},
		{[]string{"chassis-says Chassis Intrusion: inactive"}, []string{"cleared critical luna72/appliance-chassis/Chassis Intrusion"}},
		{[]string{"chassis-says Main Power Fault: true"}, []string{"raised major luna72/appliance-chassis/Main Power Fault"}},
		{[]string{"chassis-says Main Power Fault: false"}, []string{"cleared major luna72/appliance-chassis/Main Power Fault"}},
		{[]string{"supply-says 2 Predictive failure"}, []string{"raised minor luna72/power-supply/PSU2"}},
		{[]string{"supply-says 2 Failed"}, []string{"updated major luna72/power-supply/PSU2"}},
		{[]string{"supply-says 2 Presence detected"}, []string{"cleared major luna72/power-supply/PSU2"}},
		{[]string{"critical-event"}, []string{"raised critical luna72/critical-events"}},
		{[]string{"crypto-errors 3"}, []string{"raised minor luna72/error-ratio"}},
		{[]string{"appliance-load 12"}, []string{"raised minor luna72/appliance-load/cpu"}},
		{[]string{"appliance-memory 98 70"}, []string{"raised minor luna72/appliance-load/memory", "raised minor luna72/appliance-load/swap"}},
		{[]string{"appliance-load 1", "appliance-memory 10 1"}, []string{"cleared minor luna72/appliance-load/cpu", "cleared minor luna72/appliance-load/memory", "cleared minor luna72/appliance-load/swap"}},
		{[]string{"hsm-reset"}, []string{"raised minor luna72/hsm-restarted"}},
		{[]string{"hsm-tamper-hidden chassis"}, []string{"raised critical luna72/lock"}},
		{[]string{"hsm-replace 591234"}, []string{
			"cleared critical luna72/critical-events", "cleared minor luna72/error-ratio", "cleared minor luna72/hsm-restarted", "cleared critical luna72/lock",
			"cleared critical " + own("partition-zeroized"), "raised major luna72/unit-replaced"}},
	} {
		for _, e := range x.events {
			inject(t, sim, name, e)
		}
		_, changes := look()
		alarmstest.Same(t, strings.Join(x.events, ", "), x.want, changes)
	}
}

// outside returns what captures a device, evaluates it, and returns it with the
// changes of alarms.
func outside(t *testing.T, name string, capture func(context.Context, func(file, text string), func(hsm.Observation))) func() (*hsm.Device, []string) {
	snap, state, limits := &hsm.Snapshot{}, alarms.NewState(), rules.DefaultThresholds()
	return func() (*hsm.Device, []string) {
		t.Helper()
		capture(t.Context(), func(_, _ string) {}, func(o hsm.Observation) {
			if o.Failure != hsm.None {
				t.Errorf("%s: %v", o.Source, o.Err)
			}
			snap = snap.With(o)
		})
		i := slices.IndexFunc(snap.Devices, func(d *hsm.Device) bool { return d.Name == name })
		d, now := snap.Devices[i], time.Now()
		changes := alarms.Eval(state, rules.EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, limits, now), alarms.Damping{}, now)
		state.Apply(changes)
		state.Memory = map[string]alarms.Memory{name: rules.Remember(rules.Poll{Device: d, Now: now, Thresholds: limits, Memory: state.Memory[name]})}
		list := slices.DeleteFunc(alarmstest.Describe(changes), func(c string) bool { return strings.HasPrefix(c, "seen") })
		return d, slices.Clip(append([]string(nil), list...))
	}
}

// TestCardStatesFromOutside is [TestStatesFromOutside] for a card, read by
// LunaCM, whose status is in parts.
func TestCardStatesFromOutside(t *testing.T) {
	t.Parallel()
	sim := collectortest.StartEstate(t, collectortest.WriteNew(t, "card.yaml",
		"appliances:\n  - {name: slot, model: \"7.2\", card: true, serial: 532019, partitions: [{name: release, objects: 6}, {name: build}]}\n", 0o644))
	const name = "card-532019"
	cards := &lunacm.Cards{Host: "host", Name: "card", Path: sim.LunaCM(t), Intervals: poll.DefaultIntervals()}
	look := outside(t, name, cards.Capture)
	d, changes := look()
	alarmstest.Same(t, "an ordinary card", nil, changes)
	first, second := d.Partitions.Value[0].Serial, d.Partitions.Value[1].Serial
	for _, x := range []struct {
		event  string
		status hsm.Status
		want   []string
	}{
		{"role-lock build", "L3 Device", []string{"raised major card-532019/role-locked/" + second}},
		{"role-unlock build", "L3 Device", []string{"cleared major card-532019/role-locked/" + second}},
		{"partition-zeroize release", "L3 Device", []string{"raised critical card-532019/partition-zeroized/" + first}},
		{"stm on", "L3 Device, Transport Mode", []string{"raised major card-532019/hsm-status", "raised major card-532019/stm",
			"raised major card-532019/partition-status/" + second}},
		{"zeroize", "L3 Device, Transport Mode, zeroized", []string{"updated critical card-532019/hsm-status", "raised critical card-532019/zeroize",
			"cleared critical card-532019/partition-zeroized/" + first, "cleared major card-532019/partition-status/" + second}},
	} {
		inject(t, sim, "slot", x.event)
		d, changes := look()
		alarmstest.Same(t, x.event, x.want, changes)
		if d.Show.Value.Status != x.status {
			t.Errorf("%s: status %q, want %q", x.event, d.Show.Value.Status, x.status)
		}
	}
}

// inject injects an event as a scenario writes it.
func inject(t *testing.T, sim collectortest.Estate, appliance, line string) {
	t.Helper()
	event, rest, _ := strings.Cut(line, " ")
	args := strings.Fields(rest)
	if event == "chassis-says" || event == "supply-says" {
		args = []string{rest}
	}
	sim.Fault(t, appliance, append([]string{event}, args...)...)
}
