package entity

import (
	"iter"
	"regexp"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// The classes of PhysicalClass, RFC 6933, that parts here have.
const (
	classChassis int32 = 3
	classSupply  int32 = 6
	classFan     int32 = 7
	classSensor  int32 = 8
	classModule  int32 = 9
	classBattery int32 = 14
)

// The keys of parts that a device has once, which are also what others are in.
const (
	chassisKey = "chassis"
	hsmKey     = "hsm"
	batteryKey = "battery"
	voltageKey = "battery voltage"
	cardKey    = "temperature"
)

// fixed are the numbers of the parts that a device has once: the same in every device.
var fixed = map[string]uint32{chassisKey: 1, hsmKey: 2, batteryKey: 3, voltageKey: 4, cardKey: 5}

// firstFree is the first number of other parts.
const firstFree = 10

// A found part is what sources say of a part of a device.
type found struct {
	key, in string // in: the key of the part that it is in; "": none of this device
	class   int32
	name    string // without that of the device
	section section
	measure measure // of a sensor
	status  string  // of a fan or a power supply, as printed; "": not printed
}

// A section is the part of a device that a value is from.
type section int

const (
	ofShow section = iota
	ofSensors
)

// A measure is what a sensor reads.
type measure struct {
	value hsm.Opt[float64]
	unit  string // volts, celsius, rpm, or as the source prints it
}

// The units of sensors that sources print in several ways.
const (
	volts   = "volts"
	celsius = "celsius"
	rpm     = "rpm"
)

// parts yields what the sources have ever said that d has, stale or not, in an order that
// names what is around a part first. A part can come twice.
func parts(d *hsm.Device) iter.Seq[found] {
	return func(yield func(found) bool) {
		_ = frame(d, yield) && card(d.Show.Value.Environment, yield) && board(d.Sensors.Value, yield)
	}
}

// frame yields the chassis and the HSM.
func frame(d *hsm.Device, yield func(found) bool) bool {
	if d.Kind != hsm.CardHSM && !yield(found{key: chassisKey, class: classChassis}) {
		return false
	}
	if d.Kind == hsm.HostMachine {
		return false
	}
	in := chassisKey
	if d.Kind == hsm.CardHSM {
		in = ""
	}
	return yield(found{key: hsmKey, in: in, class: classModule, name: "HSM"})
}

// card yields what the HSM itself measures; nil: the model has no sensors.
func card(e *hsm.Environment, yield func(found) bool) bool {
	if e == nil {
		return true
	}
	all := []found{
		{key: batteryKey, in: hsmKey, class: classBattery, name: "Battery", measure: measure{e.BatteryVolts, volts}},
		{key: voltageKey, in: batteryKey, class: classSensor, name: "Battery Voltage", measure: measure{e.BatteryVolts, volts}},
		{key: cardKey, in: hsmKey, class: classSensor, name: "HSM Temperature", measure: measure{e.TemperatureCelsius, celsius}},
	}
	for _, f := range e.Fans {
		key := "hsm fan " + hsm.PartName(f.Name)
		all = append(all, found{key: key, in: hsmKey, class: classFan, name: "HSM " + plain(f.Name), status: f.Status})
		if f.RPM.Known {
			all = append(all, found{key: key + " speed", in: key, class: classSensor, name: "HSM " + plain(f.Name) + " Speed", measure: measure{f.RPM, rpm}})
		}
	}
	return each(all, yield)
}

// board yields what the baseboard controller of an appliance measures.
func board(s hsm.Sensors, yield func(found) bool) bool {
	for _, list := range [][]hsm.Fan{s.PowerSupplies, s.Fans} {
		for _, x := range list {
			if !each(around(x.Name, x.Status), yield) {
				return false
			}
		}
	}
	for _, x := range s.Sensors {
		unit, measured := unitOf(x.Unit)
		list := around(x.Name, "")
		if measured {
			in := chassisKey
			if len(list) > 0 {
				in = list[0].key
			}
			list = append(list, found{
				key: "sensor " + hsm.PartName(x.Name), in: in, class: classSensor, name: sensorName(x.Name, unit), measure: measure{x.Reading, unit}, section: ofSensors,
			})
		}
		if !each(list, yield) {
			return false
		}
	}
	return true
}

func each(all []found, yield func(found) bool) bool {
	for _, f := range all {
		if !yield(f) {
			return false
		}
	}
	return true
}

var supplyName = regexp.MustCompile(`^PSU\d+`)

// around returns the power supply or the fan that a sensor is in; none: it is on the board.
func around(sensor, status string) []found {
	name := hsm.PartName(sensor)
	switch supply := supplyName.FindString(name); {
	case supply != "":
		return []found{{key: "supply " + supply, in: chassisKey, class: classSupply, name: "Power Supply " + strings.TrimPrefix(supply, "PSU"), status: status, section: ofSensors}}
	case strings.HasPrefix(name, "FAN"):
		return []found{{key: "fan " + name, in: chassisKey, class: classFan, name: plain(sensor), status: status, section: ofSensors}}
	}
	return nil
}

// unitOf returns the unit that a source prints; measured is false for a sensor that has none.
func unitOf(printed string) (unit string, measured bool) {
	switch word := strings.ToLower(strings.TrimSpace(printed)); {
	case word == "", word == "discrete":
		return "", false
	case word == "volts", word == "v":
		return volts, true
	case strings.HasPrefix(word, "degrees c"), word == "c", word == "celsius":
		return celsius, true
	case word == "rpm":
		return rpm, true
	default:
		return printed, true
	}
}

// plain returns a name with blanks for what separates its words.
func plain(name string) string {
	return strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' || r == '\t' }), " ")
}

var (
	measuredWords = regexp.MustCompile(`(?i)( (value|temp|temperature|speed|voltage))+$`)
	quantities    = map[string]string{volts: " Voltage", celsius: " Temperature", rpm: " Speed"}
)

// sensorName says what a sensor measures, in words: "PSU1 Temp_value" is
// "PSU1 Temperature".
func sensorName(name, unit string) string {
	short := plain(name)
	if bare := measuredWords.ReplaceAllString(short, ""); bare != "" {
		short = bare
	}
	return short + quantities[unit]
}
