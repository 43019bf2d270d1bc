// Package managers makes the definitions that network management systems need to know
// of the tables here. Its test writes them as files.
package managers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/mib/modules"
)

// oids are the numbers of our tables and columns by name.
var oids = func() map[string]string {
	all := make(map[string]string)
	for name, n := range modules.Tables().Objects() {
		all[name] = "." + n.String()
	}
	for name, n := range modules.Tables().OIDs() {
		all[name] = "." + n.String()
	}
	return all
}()

// oid returns the number of an object of our tables, with a leading dot; of one that no
// table has nothing, which no test lets through.
func oid(name string) string { return oids[name] }

const made = "# Made by go test ./contrib/managers -update of the tables that Lunawatch serves.\n"

// LibreNMSDetection is LibreNMS' definition of the operating system: a device of its own
// beside that of the host, whose view has our objects and none of the host.
func LibreNMSDetection() string {
	return made + `os: lunawatch
text: 'Lunawatch (Thales Luna HSMs)'
type: appliance
mib_dir: lunawatch
over:
    - { graph: device_voltage, text: Voltage }
    - { graph: device_temperature, text: Temperature }
discovery:
    -
        sysObjectID: .1.3.6.1.4.1.8072.3.2.
        snmpget:
            oid: ` + oid("lunaAgentVersion") + `.0
            op: '!='
            value: ''
        snmpget_except:
            oid: .1.3.6.1.2.1.25.1.1.0
            op: '!='
            value: ''
bad_entity_sensor_regex:
    - '/./'
`
}

// A limit is where LibreNMS takes a limit of a sensor from: a column of a row that has
// it, or a number that is never reached. Without a limit LibreNMS makes one up.
type limit struct {
	value string
	has   []string // columns that must be there
	lacks []string // columns that must not
}

// limits are the choices for one side, of which each row has exactly one: what the HSM
// raises an alarm at, what it cannot go on at, or none.
func limits(side, never string) []limit {
	alarm, fatal := "lunaSensor"+side+"Limit", "lunaSensor"+side+"Fatal"
	return []limit{
		{value: alarm, has: []string{alarm}},
		{value: fatal, has: []string{fatal}, lacks: []string{alarm}},
		{value: never, lacks: []string{alarm, fatal}},
	}
}

// A class is a kind of sensor of LibreNMS.
type class struct {
	name      string
	units     []string // of lunaSensorUnit
	low, high string   // never reached
}

var classes = []class{
	{"voltage", []string{"V", "Volts"}, "-1000000", "1000000"},
	{"temperature", []string{"C", "degrees C"}, "-274", "1000000"},
	{"fanspeed", []string{"RPM"}, "-1", "1000000"},
}

// LibreNMSDiscovery is LibreNMS' definition of the sensors.
func LibreNMSDiscovery() string {
	var b strings.Builder
	b.WriteString(made + "modules:\n    os:\n        version: LUNAWATCH-MIB::lunaAgentVersion.0\n    sensors:\n")
	for _, c := range classes {
		fmt.Fprintf(&b, "        %s:\n            data:\n", c.name)
		for _, low := range limits("Lower", c.low) {
			for _, high := range limits("Upper", c.high) {
				if slices.Concat(low.has, high.has) == nil && c.name == "fanspeed" {
					continue // the list of fans, which repeats those of the board
				}
				sensor(&b, c, low, high)
			}
		}
	}
	counts(&b)
	states(&b)
	return b.String()
}

func sensor(b *strings.Builder, c class, low, high limit) {
	entry(b, "lunaSensorTable", "lunaSensorValue", "{{ $index_string:s }}.{{ $index_string:sns }}", "{{ $index_string:s }} {{ $index_string:sns }}")
	fmt.Fprintf(b, "                    divisor: 1000\n                    low_limit: %s\n                    high_limit: %s\n", low.yaml(), high.yaml())
	skip(b, fmt.Sprintf("{ oid: %s, op: not_in_array, value: [%s] }", qualified("lunaSensorUnit"), strings.Join(c.units, ", ")))
	for _, l := range []limit{low, high} {
		there(b, false, l.has)
		there(b, true, l.lacks)
	}
}

func (l limit) yaml() string {
	if strings.HasPrefix(l.value, "luna") {
		return qualified(l.value)
	}
	return l.value
}

func qualified(object string) string { return "'LUNAWATCH-MIB::" + object + "'" }

// entry begins the definition of a sensor for each row of a table.
func entry(b *strings.Builder, table, value, index, descr string) {
	fmt.Fprintf(b, "                -\n                    oid: %s\n                    value: %s\n                    num_oid: '%s.{{ $index }}'\n", qualified(table), qualified(value), oid(value))
	fmt.Fprintf(b, "                    index: '%s'\n                    descr: '%s'\n                    group: '{{ $index_string:s }}'\n", index, descr)
}

func skip(b *strings.Builder, first string) {
	fmt.Fprintf(b, "                    skip_values:\n                        - %s\n", first)
}

// there skips rows in which columns are there, or are not.
func there(b *strings.Builder, skipped bool, columns []string) {
	for _, c := range columns {
		fmt.Fprintf(b, "                        - { oid: %s, op: exists, value: %t }\n", qualified(c), skipped)
	}
}

// counts are classes for which LibreNMS makes up no limits.
func counts(b *strings.Builder) {
	for _, c := range []struct{ class, column, name, more string }{
		{"count", "lunaHsmAlarms", "alarms", ""},
		{"count", "lunaHsmSoAttemptsLeft", "SO login attempts left", ""},
		{"percent", "lunaHsmUtilizationInterval", "utilization", "                    divisor: 100\n"},
	} {
		if !strings.Contains(b.String(), "        "+c.class+":\n") {
			fmt.Fprintf(b, "        %s:\n            data:\n", c.class)
		}
		entry(b, "lunaHsmTable", c.column, "{{ $index_string:s }}."+c.column, "{{ $index_string:s }} "+c.name)
		b.WriteString(c.more)
	}
}

// A state is a value of an object with the word and the severity that LibreNMS shows: 0
// OK, 1 warning, 2 critical, 3 unknown.
type state struct {
	value   int
	word    string
	generic int
}

var (
	lunaStates = []state{{1, "ok", 0}, {2, "warning", 1}, {3, "critical", 2}, {4, "unknown", 3}}
	tampers    = []state{{1, "none", 0}, {2, "detected", 2}}
	warns      = []state{{1, "the HSM warns", 1}, {2, "no warning", 0}}
	reaches    = []state{
		{1, "reached", 0}, {2, "unknown", 3}, {3, "name not resolved", 2}, {4, "no route", 2}, {5, "no answer", 2}, {6, "port refused", 2},
		{7, "handshake failed", 2}, {8, "identity not proven", 2}, {9, "login failed", 2}, {10, "service silent", 2}, {11, "HSM silent", 2}, {12, "session lost", 2},
	}
)

func states(b *strings.Builder) {
	b.WriteString("        state:\n            data:\n")
	for _, s := range []struct {
		column, name string
		states       []state
	}{
		{"lunaHsmState", "state", lunaStates},
		{"lunaHsmReach", "reach", reaches},
		{"lunaHsmTamper", "tamper", tampers},
		{"lunaHsmBatteryWarns", "battery", warns},
		{"lunaHsmTemperatureWarns", "temperature", warns},
	} {
		entry(b, "lunaHsmTable", s.column, "{{ $index_string:s }}", "{{ $index_string:s }} "+s.name)
		mapping(b, s.column, s.states)
	}
	entry(b, "lunaSensorTable", "lunaSensorState", "{{ $index_string:s }}.{{ $index_string:sns }}", "{{ $index_string:s }} {{ $index_string:sns }}")
	mapping(b, "lunaSensorState", lunaStates)
	skip(b, fmt.Sprintf("{ oid: %s, op: exists, value: true }", qualified("lunaSensorUnit")))
}

func mapping(b *strings.Builder, name string, states []state) {
	fmt.Fprintf(b, "                    state_name: %s\n                    states:\n", name)
	for _, s := range states {
		fmt.Fprintf(b, "                        - { value: %d, descr: '%s', generic: %d }\n", s.value, s.word, s.generic)
	}
}
