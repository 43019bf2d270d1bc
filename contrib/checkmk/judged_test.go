package checkmk

import (
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/mib/modules"
)

// instance returns the OID of a cell. Parts of its index are texts, or numbers after a #.
func instance(t *testing.T, object string, parts ...string) string {
	t.Helper()
	for name, oid := range modules.Tables().Objects() {
		if name != object {
			continue
		}
		for _, part := range parts {
			if number, is := strings.CutPrefix(part, "#"); is {
				n, err := strconv.ParseUint(number, 10, 32)
				if err != nil {
					t.Fatal(err)
				}
				oid = oid.Append(uint32(n))
				continue
			}
			oid = oid.Append(uint32(len(part)))
			for _, octet := range []byte(part) {
				oid = oid.Append(uint32(octet))
			}
		}
		return "." + oid.String()
	}
	t.Fatalf("no object %s", object)
	return ""
}

// made returns a walk with cells, as "object[part of the index][...]", after those of an
// HSM with nothing wrong. An empty cell takes one away.
func made(t *testing.T, cells map[string]string) walk {
	t.Helper()
	all := map[string]string{
		"lunaAgentVersion[#0]": "1.0", "lunaAgentShownAt[#0]": "\x07\xea\x0b", "lunaAgentHsms[#0]": "1", "lunaAgentHsmsOk[#0]": "1",
		"lunaAgentHsmsWarning[#0]": "0", "lunaAgentHsmsCritical[#0]": "0", "lunaAgentHsmsUnknown[#0]": "0", "lunaAgentState[#0]": "1",
		"lunaHsmKind[a]": "1", "lunaHsmState[a]": "1", "lunaHsmReach[a]": "1", "lunaHsmAlarms[a]": "0", "lunaHsmWorstAlarm[a]": "1",
		"lunaHsmFirmware[a]": "7.4.0", "lunaHsmTamper[a]": "1", "lunaHsmAge[a]": "10",
		"lunaHsmBattery[a]": "3050", "lunaHsmBatteryThreshold[a]": "2750", "lunaHsmBatteryWarns[a]": "2",
		"lunaHsmTemperature[a]": "36000", "lunaHsmTemperatureThreshold[a]": "75000", "lunaHsmTemperatureWarns[a]": "2",
		"lunaSensorState[a][#1][Battery]": "1", "lunaSensorLowerFatal[a][#1][Battery]": "2500",
		"lunaSensorState[a][#1][Temperature]": "1", "lunaSensorUpperFatal[a][#1][Temperature]": "88000",
		"lunaSensorState[a][#2][Fan1A]": "1", "lunaSensorValue[a][#2][Fan1A]": "4500000", "lunaSensorUnit[a][#2][Fan1A]": "RPM",
		"lunaSensorState[a][#4][Fan1A]": "1", "lunaSensorStatus[a][#4][Fan1A]": "OK", "lunaSensorValue[a][#4][Fan1A]": "4500000",
		"lunaSensorState[a][#2][DIMM 1]": "4", "lunaSensorStatus[a][#2][DIMM 1]": "na",
		"lunaPartitionName[a][1]": "pay", "lunaPartitionVendorRow[a][1]": ".0.0", "lunaPartitionActivated[a][1]": "1",
		"lunaPartitionStorageTotal[a][1]": "1000", "lunaPartitionStorageUsed[a][1]": "950",
		"lunaHaGroupMembers[app][ha]": "2", "lunaHaGroupAlive[app][ha]": "2", "lunaHaGroupRedundancy[app][ha]": "1", "lunaHaGroupOffline[app][ha]": "2",
		"lunaHaMemberState[app][ha][1]": "2", "lunaHaMemberState[app][ha][2]": "2",
		"lunaSourceFailure[a][hsm show]": "1", "lunaSourceAge[a][hsm show]": "10",
	}
	maps.Copy(all, cells)
	w := make(walk)
	for cell, value := range all {
		object, index, _ := strings.Cut(strings.TrimSuffix(cell, "]"), "[")
		if value != "" {
			w[instance(t, object, strings.Split(index, "][")...)] = []byte(value)
		}
	}
	return w
}

// rule is a rule for one check.
func rule(check, name string, value any) map[string]map[string]any {
	return map[string]map[string]any{check: {name: value}}
}

// TestJudged: what each value means. The limits are those of the walk unless a rule sets some.
func TestJudged(t *testing.T) {
	fixed := func(warn, crit float64) []any { return []any{"fixed", []float64{warn, crit}} }
	steps := []step{{walk: made(t, nil)}}
	cases := []struct {
		cells   map[string]string
		params  map[string]map[string]any
		service string
		state   int
		says    string
	}{
		{nil, nil, "HSM a", ok, "ok"},
		{map[string]string{"lunaHsmState[a]": "2", "lunaHsmReason[a]": "status sensors is\nstale"}, nil, "HSM a", warning, "status sensors is stale"},
		{map[string]string{"lunaHsmState[a]": "3"}, nil, "HSM a", critical, "critical"},
		{map[string]string{"lunaHsmState[a]": "4", "lunaHsmReason[a]": "not read"}, nil, "HSM a", unknown, "not read"},
		{map[string]string{"lunaHsmState[a]": "9"}, nil, "HSM a", unknown, "unknown"},
		{map[string]string{"lunaHsmTamper[a]": "2", "lunaHsmTampers[a]": "Chassis open"}, nil, "HSM a", critical, "Tamper: Chassis open"},
		{map[string]string{"lunaHsmZeroized[a]": "1"}, nil, "HSM a", critical, "Zeroized"},
		{map[string]string{"lunaHsmTransportMode[a]": "1"}, nil, "HSM a", warning, "Secure transport mode"},
		{map[string]string{"lunaHsmAge[a]": "700"}, rule("lunawatch_hsm", "age", fixed(600, 1800)), "HSM a", warning, "700 s old"},
		{map[string]string{"lunaHsmSoAttemptsLeft[a]": "1"}, rule("lunawatch_hsm", "so_attempts", fixed(3, 2)), "HSM a", critical, "Logins of the SO left: 1"},

		{nil, nil, "HSM a Battery", ok, "3.050 V"},
		{map[string]string{"lunaHsmBattery[a]": "2750"}, nil, "HSM a Battery", ok, "2.750 V"},
		{map[string]string{"lunaHsmBattery[a]": "2749"}, nil, "HSM a Battery", warning, "below 2.750 V/2.500 V"},
		{map[string]string{"lunaHsmBattery[a]": "2499"}, nil, "HSM a Battery", critical, "2.499 V"},
		{map[string]string{"lunaHsmBattery[a]": "2850", "lunaHsmBatteryThreshold[a]": "2900"}, nil, "HSM a Battery", warning, "below 2.900 V"},
		{map[string]string{"lunaHsmBattery[a]": "2850"}, rule("lunawatch_battery", "levels_lower", fixed(2.9, 2.8)), "HSM a Battery", warning, "below 2.900 V/2.800 V"},
		{map[string]string{"lunaHsmBatteryWarns[a]": "1"}, nil, "HSM a Battery", warning, "The HSM warns"},
		{map[string]string{"lunaHsmBattery[a]": "", "lunaHsmBatteryWarns[a]": "1"}, nil, "HSM a Battery", unknown, "not known"},
		{map[string]string{"lunaSensorState[a][#1][Battery]": "3"}, nil, "HSM a Battery", critical, "Lunawatch: critical"},
		{map[string]string{"lunaHsmTemperature[a]": "74999"}, nil, "HSM a Temperature", ok, "75.0 °C"},
		{map[string]string{"lunaHsmTemperature[a]": "75000"}, nil, "HSM a Temperature", warning, "at 75.0 °C/88.0 °C"},
		{map[string]string{"lunaHsmTemperature[a]": "88000"}, nil, "HSM a Temperature", critical, "88.0 °C"},
		{map[string]string{"lunaHsmTemperature[a]": "66000"}, rule("lunawatch_temperature", "levels_upper", fixed(65, 75)), "HSM a Temperature", warning, "at 65.0"},

		{map[string]string{"lunaSensorValue[a][#2][Fan1A]": "900000"}, nil, "HSM Sensor a board Fan1A", ok, "900 RPM"}, // hw_fans would be critical below 1000
		{map[string]string{"lunaSensorValue[a][#2][Fan1A]": "900000", "lunaSensorLowerLimit[a][#2][Fan1A]": "950000"}, nil, "HSM Sensor a board Fan1A", critical, "below 950 RPM"},
		{map[string]string{"lunaSensorState[a][#2][Fan1A]": "2", "lunaSensorStatus[a][#2][Fan1A]": "nc"}, nil, "HSM Sensor a board Fan1A", warning, "nc"},
		{map[string]string{"lunaSensorState[a][#2][Fan1A]": "4", "lunaSensorStatus[a][#2][Fan1A]": "ok"}, nil, "HSM Sensor a board Fan1A", unknown, "State not known: ok"},
		{map[string]string{"lunaSensorState[a][#2][Fan1A]": "2"}, rule("lunawatch_sensor", "levels_lower", fixed(2000, 1000)), "HSM Sensor a board Fan1A", ok, "4500 RPM"},

		{nil, nil, "HSM Partition a pay", ok, "Storage: 95.0 %"},
		{nil, rule("lunawatch_partition", "storage", fixed(80, 90)), "HSM Partition a pay", critical, "at 80.0 %"},
		{map[string]string{"lunaPartitionActivated[a][1]": "2"}, nil, "HSM Partition a pay", critical, "Not activated"},
		{map[string]string{"lunaPartitionActivated[a][1]": "2"}, rule("lunawatch_partition", "not_activated", 1), "HSM Partition a pay", warning, "Not activated"},
		{map[string]string{"lunaPartitionZeroized[a][1]": "1"}, nil, "HSM Partition a pay", critical, "Zeroized"},
		{map[string]string{"lunaPartitionStorageUsed[a][1]": ""}, nil, "HSM Partition a pay", unknown, "Storage not known"},
		{map[string]string{"lunaPartitionName[a][2]": "pay", "lunaPartitionVendorRow[a][2]": ".0.0", "lunaPartitionZeroized[a][2]": "1"}, nil, "HSM Partition a pay 2", critical, "Zeroized"},

		{nil, nil, "HSM HA Group app ha", ok, "2 of 2 members alive"},
		{map[string]string{"lunaHaGroupAlive[app][ha]": "1", "lunaHaMemberState[app][ha][2]": "3", "lunaHaGroupRedundancy[app][ha]": "0"}, nil, "HSM HA Group app ha", warning, "1 of 2 members alive"},
		{map[string]string{"lunaHaGroupOffline[app][ha]": "1", "lunaHaGroupAlive[app][ha]": "0"}, nil, "HSM HA Group app ha", critical, "Offline"},
		{map[string]string{"lunaHaGroupRedundancy[app][ha]": "", "lunaHaMemberState[app][ha][2]": "1"}, nil, "HSM HA Group app ha", unknown, "Redundancy not known"},

		{nil, nil, "Lunawatch Sources a", ok, "1 of 1 sources answer"},
		{map[string]string{"lunaSourceFailure[a][hsm show]": "4", "lunaSourceError[a][hsm show]": "refused"}, nil, "Lunawatch Sources a", warning, "not hsm show"},
		{map[string]string{"lunaSourceAge[a][hsm show]": ""}, nil, "Lunawatch Sources a", unknown, "Never read: hsm show"},

		{nil, nil, "HSM a Alarms", ok, "0 active"},
		{alarmed("a", "4"), nil, "HSM a Alarms", critical, "1 active, the battery is low"},
		{alarmed("a", "6"), nil, "HSM a Alarms", warning, "the battery is low"},
		{alarmed("a", "2"), nil, "HSM a Alarms", unknown, "the battery is low"},
		{with(alarmed("a", "4"), "lunaAlarmAcknowledgedBy[#7]", "ann"), nil, "HSM a Alarms", critical, "acknowledged by ann"},
		{with(alarmed("a", "4"), "lunaAlarmAcknowledgedBy[#7]", "ann"), rule("lunawatch_alarms", "acknowledged", 0), "HSM a Alarms", ok, "1 active"},
		{with(with(with(alarmed("a", "4"), "lunaAlarmTest[#7]", "1"), "lunaHsmAlarms[a]", "0"), "lunaHsmWorstAlarm[a]", "1"), nil, "HSM a Alarms", ok, "0 active"},
		{map[string]string{"lunaHsmAlarms[a]": "1", "lunaHsmWorstAlarm[a]": "3"}, nil, "HSM a Alarms", critical, "1 active"}, // the other table was read before

		{nil, nil, "Lunawatch", ok, "HSMs: 1 ok, 0 warning, 0 critical, 0 unknown"},
		{map[string]string{"lunaAgentHsmsUnknown[#0]": ""}, nil, "Lunawatch", ok, "? unknown"},
		{alarmed("app", "4"), nil, "Lunawatch", critical, "app: the battery is low"},
		{map[string]string{"lunaAgentShownAt[#0]": ""}, nil, "Lunawatch", unknown, "Not known when"},
	}
	for _, x := range cases {
		steps = append(steps, step{walk: made(t, x.cells), params: x.params})
	}
	all := run(t, api(t), ours, steps...).Steps
	for i, x := range cases {
		got := all[i+1][x.service]
		if said := got.Summary + "\n" + strings.Join(got.Details, "\n"); got.State != x.state || got.Check == "" || !strings.Contains(said, x.says) {
			t.Errorf("%v %v: %s is %d, want %d and %q: %s", x.cells, x.params, x.service, got.State, x.state, x.says, said)
		}
	}
}

// alarmed are the cells of one alarm of a device.
func alarmed(device, severity string) map[string]string {
	cells := map[string]string{
		"lunaAlarmKey[#7]": "x/battery", "lunaAlarmDevice[#7]": device, "lunaAlarmSeverity[#7]": severity, "lunaAlarmText[#7]": "the battery is low",
		"lunaAlarmAction[#7]": "Replace it.", "lunaAlarmSilenced[#7]": "2", "lunaAlarmTest[#7]": "2",
	}
	if device == "a" {
		cells["lunaHsmAlarms[a]"], cells["lunaHsmWorstAlarm[a]"] = "1", severity
	}
	return cells
}

func with(cells map[string]string, cell, value string) map[string]string {
	cells = maps.Clone(cells)
	cells[cell] = value
	return cells
}

// TestTime: values that do not move on are UNKNOWN, rates begin anew with the counters,
// and what is not served any more is neither OK nor gone.
func TestTime(t *testing.T) {
	const counter = "lunaHsmCommands[a]"
	at := func(now float64, shown, epoch, count string) step {
		return step{walk: made(t, map[string]string{"lunaAgentShownAt[#0]": shown, "lunaHsmDiscontinuity[a]": epoch, counter: count}), now: now}
	}
	steps := run(t, api(t), ours,
		at(1000, "\x01", "0", "500"), at(1100, "\x01", "0", "700"), at(1180, "\x01", "0", "700"), at(1240, "\x02", "90", "800"), at(1250, "\x02", "90", "810"), at(1260, "\x03", "90", "5"),
		step{walk: made(t, map[string]string{"lunaHsmState[a]": "", "lunaHsmReach[a]": "", "lunaHsmAlarms[a]": ""}), now: 1300}, // not whole
		step{walk: withoutHSM(t), now: 1310},
		step{walk: walk{".1.3.6.1.2.1.1.1.0": []byte("Linux")}, now: 1320},
	).Steps
	for i, want := range []struct {
		state int
		rate  float64
	}{{ok, 0}, {ok, 2}, {unknown, 0}, {ok, 0}, {ok, 1}, {ok, 0}} {
		rate, has := steps[i]["HSM a"].Metrics["lunawatch_commands"]
		if got := steps[i]["Lunawatch"]; got.State != want.state || rate != want.rate || has && (i == 0 || i == 3 || i == 5) {
			t.Errorf("step %d: %d, %v commands/s; want %v: %s", i, got.State, rate, want, got.Summary)
		}
	}
	for i, says := range map[int]string{6: "unknown", 7: "Item not found", 8: "stale"} {
		for _, name := range []string{"HSM a", "HSM a Battery", "HSM a Alarms", "HSM Partition a pay", "HSM Sensor a board Fan1A"} {
			if i == 6 && name != "HSM a" {
				continue
			}
			if got := steps[i][name]; got.State != unknown || !strings.Contains(got.Summary, says) {
				t.Errorf("step %d: %s is %d: %s", i, name, got.State, got.Summary)
			}
		}
	}
}

// withoutHSM returns the walk of an agent that has another HSM now.
func withoutHSM(t *testing.T) walk {
	t.Helper()
	w := made(t, nil)
	agent := strings.TrimSuffix(instance(t, "lunaAgentVersion"), ".1")
	maps.DeleteFunc(w, func(oid string, _ []byte) bool { return !strings.HasPrefix(oid, agent+".") })
	w[instance(t, "lunaHsmState", "b")] = []byte("1")
	return w
}

// TestDetected: the sections are for hosts that serve LUNAWATCH-MIB.
func TestDetected(t *testing.T) {
	w := made(t, nil)
	delete(w, instance(t, "lunaAgentVersion", "#0"))
	w[".1.3.6.1.2.1.1.1.0"], w[".1.3.6.1.2.1.1.2.0"] = []byte("Linux"), []byte(".1.3.6.1.4.1.8072.3.2.10")
	if got := run(t, api(t), ours, step{walk: w}).Steps[0]; len(got) != 0 {
		t.Errorf("without lunaAgentVersion there are %v", got)
	}
}
