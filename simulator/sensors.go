package simulator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A sensor is a sensor of the appliance's BMC. A threshold of 0 means none.
type sensor struct {
	name               string
	unit               string // "RPM", "degrees C", "Volts"; "" for a discrete one
	lnr, lc, uc, unr   float64
	normal, wobble     float64
	resolution         float64 // of the reading
	psu                int     // the power supply it belongs to, 1 or 2
	absent             bool    // nothing plugged in
	front              bool    // a fan of the front panel
	discrete, failMask string  // status of a discrete sensor, good and failed
	bare               bool    // in the table only
}

const (
	rpm     = "RPM"
	celsius = "degrees C"
	volts   = "Volts"
)

func fan(name string, normal float64) sensor {
	return sensor{name: name, unit: rpm, lnr: 1000, lc: 2000, normal: normal, wobble: 250, resolution: 100, front: true}
}

func thermometer(name string, normal, uc, unr float64) sensor {
	return sensor{name: name, unit: celsius, uc: uc, unr: unr, normal: normal, wobble: 2, resolution: 1}
}

func voltmeter(name string, normal, lc, uc float64) sensor {
	return sensor{name: name, unit: volts, lc: lc, uc: uc, normal: normal, wobble: normal / 300, resolution: 0.004}
}

func dimm(name string, normal float64) sensor {
	s := thermometer(name, normal, 87, 97)
	s.absent = normal == 0
	return s
}

// supply are the four sensors of a power supply with readings.
func supply(n int) []sensor {
	p := fmt.Sprintf("PSU%d", n)
	return []sensor{
		{name: p + "_+12V_value", unit: volts, lnr: 11.232, unr: 13.392, normal: 12.08, wobble: 0.04, resolution: 0.056, psu: n},
		{name: p + " Temp_value", unit: celsius, unr: 115, normal: 39, wobble: 3, resolution: 1, psu: n},
		{name: p + " FAN_value", unit: rpm, lnr: 300, normal: 7600, wobble: 300, resolution: 100, psu: n},
	}
}

// state is a discrete sensor of a power supply.
func (s sensor) state(n int) sensor {
	return sensor{name: fmt.Sprintf("PSU%d_%s", n, s.name), psu: n, discrete: "0x0180", failMask: "0x0200"}
}

// supplies are discrete sensors of both power supplies.
func supplies(names ...string) (all []sensor) {
	for n := 1; n <= 2; n++ {
		for _, name := range names {
			all = append(all, sensor{name: name}.state(n))
		}
	}
	return all
}

var boardVoltages = []sensor{
	voltmeter("CPU_VCORE", 0.94, 0.632, 1.44), voltmeter("VBAT", 3.12, 2.796, 0),
	voltmeter("3VSB", 3.348, 3.092, 3.492), voltmeter("3VMain", 3.352, 3.092, 3.492),
	voltmeter("+5V", 5.1, 4.692, 5.304), voltmeter("+12V", 11.9, 11.284, 12.74),
}

var (
	thermtrip = sensor{name: "CPU_Thermtrip", discrete: "OK", failMask: "NR"}
	watchdog  = sensor{name: "Watchdog", discrete: "0x0080", failMask: "0x0080", bare: true}

	// sensors are the rows of status sensors, by version.
	sensors = map[string][]sensor{
		"5.4": slices.Concat(
			[]sensor{fan("Fan1A", 4300), fan("Fan1B", 6200), fan("Fan2A", 4300), fan("Fan2B", 6000), fan("Fan3A", 4500), fan("Fan3B", 5900),
				thermometer("CPU", 19, 72, 89), thermometer("VRD", 33, 90, 100), thermometer("PCH", 56, 90, 100), thermometer("Inlet", 22, 39, 45),
				dimm("CHA DIMM 0", 0), dimm("CHA DIMM 1", 0), dimm("CHA DIMM 2", 0), dimm("CHB DIMM 0", 0), dimm("CHB DIMM 1", 0), dimm("CHB DIMM 2", 0),
				thermometer("RAM TMax", 31, 87, 97)},
			boardVoltages, supplies("Present"), supply(1), supply(2), []sensor{thermtrip}),
		"6.2": slices.Concat(
			[]sensor{fan("FAN1A", 4400), fan("FAN1B", 6200), fan("FAN2A", 4400), fan("FAN2B", 6000), fan("FAN3A", 4300), fan("FAN3B", 6400),
				thermometer("CPU", 24, 87, 92), thermometer("VRD", 28, 90, 100), thermometer("PCH", 50, 90, 100), thermometer("MEM", 49, 0, 105),
				thermometer("Inlet", 21, 40, 50), dimm("CHA DIMM 0", 31), dimm("CHA DIMM 1", 0), dimm("CHA DIMM 2", 0),
				dimm("CHB DIMM 0", 32), dimm("CHB DIMM 1", 0), dimm("CHB DIMM 2", 0), thermometer("RAM TMax", 32, 87, 97), thermometer("InletM", 28, 0, 105)},
			boardVoltages, supplies("Voltage", "Temp", "Fan"), []sensor{thermtrip}, supplies("Present")),
		"7.2": slices.Concat(
			[]sensor{fan("Fan1A", 4300), fan("Fan1B", 6100), fan("Fan2A", 4400), fan("Fan2B", 6000), fan("Fan3A", 4400), fan("Fan3B", 6000),
				thermometer("CPU", 33, 87, 92), thermometer("VRD", 36, 90, 100), thermometer("PCH", 47, 90, 100), thermometer("Inlet", 23, 40, 50),
				dimm("CHA DIMM 0", 31), dimm("CHA DIMM 1", 0), dimm("CHB DIMM 0", 32), dimm("CHB DIMM 1", 0), thermometer("RAM TMax", 32, 87, 97)},
			boardVoltages, []sensor{voltmeter("VCCSA", 1.04, 0.9, 1.2), voltmeter("VCCIO", 0.96, 0.84, 1.08), voltmeter("1V2", 1.2, 1.08, 1.32), voltmeter("5VSB", 5.06, 4.692, 5.304)},
			supplies("Status"), supply(1), supply(2), []sensor{thermtrip, watchdog}),
	}
)

// findSensor returns the sensor with a name, in any case.
func (s *state) findSensor(name string) *sensor {
	rows := sensors[s.version]
	i := slices.IndexFunc(rows, func(x sensor) bool { return strings.EqualFold(x.name, name) })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// dotted returns the name of a sensor as padded by the BMC of this release.
func (s *state) dotted(name string) string {
	if s.version == "6.2" {
		return fmt.Sprintf("%-16s", name)
	}
	return fmt.Sprintf("%-15s.", name)
}

// reading returns what the sensor measures now; good is false if it measures nothing.
func (s *state) reading(x sensor) (value float64, good bool) {
	if s.fanFailed[x.name] || x.psu > 0 && s.psuFailed[x.psu-1] {
		return 0, false
	}
	v := x.normal + x.wobble*s.wave(x.name, 90e9)
	return math.Round(v/x.resolution) * x.resolution, true
}

func sensorsShow(s *state, _ params) (string, error) {
	var p page
	p.line("\nThis command displays the fan speed, temperature and voltage of the motherboard and power supply units.")
	if s.version != "5.4" {
		p.line("")
	}
	p.line("Sensor           | Reading    | Unit       |status | Thresholds")
	p.line("%s", strings.Repeat("-", 92))
	for _, x := range sensors[s.version] {
		value, unit, status := s.sensorCells(x)
		p.line("%s | %-10s | %-10s | %-6s| %-9s | %-9s | %-9s | %s", s.dotted(x.name), value, unit, status,
			threshold(x.lnr), threshold(x.lc), threshold(x.uc), threshold(x.unr))
	}
	p.WriteString(sensorNotes)
	powerSupplies(s, &p)
	frontFans(s, &p)
	chassis(s, &p)
	return p.String(), nil
}

func threshold(t float64) string {
	if t == 0 {
		return "na"
	}
	return fmt.Sprintf("%.3f", t)
}

func (s *state) sensorCells(x sensor) (value, unit, status string) {
	if x.unit == "" {
		failed := x.psu > 0 && s.psuFailed[x.psu-1]
		return "0x0", "discrete", choose(failed, x.failMask, x.discrete)
	}
	if x.absent {
		return "na", x.unit, "na"
	}
	v, good := s.reading(x)
	status = "ok"
	switch {
	case !good && x.unit == volts:
		status = "CR *"
	case !good:
		status = "NR *"
	}
	return fmt.Sprintf("%.3f", v), x.unit, status
}

const sensorNotes = `
Notes:
  NR: Not Reading (Error)
  CR: Critical
  0.00 RPM means fan unplugged, failed, or sensors not readable
  DIMM: Dual In-Line Memory Module
  PSU1: Power Supply Unit 1
  PSU2: Power Supply Unit 2
  Fan1, Fan2 and Fan3 are pluggable modules on the front of the appliance.
  Each fan unit contains two fans: A and B.

`

func powerSupplies(s *state, p *page) {
	p.line("----------- Power Supplies Status --------------")
	for _, x := range sensors[s.version] {
		if x.unit == "" && !x.bare {
			text := "OK"
			if x.psu > 0 {
				text = cmp.Or(s.says.supply[x.psu-1], choose(s.psuFailed[x.psu-1], "Failure detected", "Presence detected"))
			}
			p.line("%s | %s", s.dotted(x.name), text)
		}
	}
	p.line("")
}

func frontFans(s *state, p *page) {
	p.line("----------- Front Cooling Fans Status --------------")
	for _, x := range sensors[s.version] {
		if x.unit == rpm {
			v, good := s.reading(x)
			p.line("%s | %-3s | %.0f RPM", s.dotted(x.name), choose(good, "OK", "NR"), v)
		}
	}
	p.line("")
}

func chassis(s *state, p *page) {
	fanFault := len(s.fanFailed) > 0
	p.line("-------------- chassis status  -----------------")
	for _, r := range [][2]string{
		{"System Power", "on"}, {"Power Overload", "false"}, {"Power Interlock", "inactive"},
		{"Main Power Fault", "false"}, {"Power Control Fault", fmt.Sprint(s.psuFailed[0] || s.psuFailed[1])},
		{"Power Restore Policy", choose(s.version == "6.2", "previous", "always-on")}, {"Last Power Event", "ac-failed"}, {"Chassis Intrusion", "inactive"},
		{"Front-Panel Lockout", "inactive"}, {"Drive Fault", "false"}, {"Cooling/Fan Fault", fmt.Sprint(fanFault)},
		{"Front Panel Control", "none"},
	} {
		p.line("%-21s: %s", r[0], cmp.Or(s.says.chassis[r[0]], r[1]))
	}
	if s.modern() {
		for _, button := range []string{"Sleep", "Diag", "Reset", "Power"} {
			p.line("%-21s: %s", button+" Button Disable", "not allowed")
		}
		for _, button := range []string{"Sleep", "Diag", "Reset", "Power"} {
			p.line("%-21s: %s", button+" Button Disabled", "false")
		}
	}
}
