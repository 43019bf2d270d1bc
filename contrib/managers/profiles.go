package managers

import (
	"fmt"
	"strings"
)

// A measure is a column of lunaHsmTable as Datadog and Netdata show it.
type measure struct {
	column string
	scale  string  // what Datadog multiplies by; Netdata has whole numbers, and shows them as they are
	unit   string  // for Netdata, of the whole number
	words  []state // for Netdata
	gauge  bool    // a level that SNMP sends as a counter
	what   string
}

var truths = []state{{1, "true", 1}, {2, "false", 0}}

var measures = []measure{
	{column: "lunaHsmState", words: lunaStates, what: "How the HSM is"},
	{column: "lunaHsmReach", words: reaches, what: "Where the way to the HSM is broken"},
	{column: "lunaHsmAlarms", unit: "{alarm}", what: "Active alarms of the HSM"},
	{column: "lunaHsmBattery", scale: "0.001", unit: "mV", what: "Voltage of the battery"},
	{column: "lunaHsmBatteryThreshold", scale: "0.001", unit: "mV", what: "Below which voltage the HSM warns"},
	{column: "lunaHsmBatteryWarns", words: truths, what: "Whether the HSM warns of its battery"},
	{column: "lunaHsmTemperature", scale: "0.001", unit: "mCel", what: "Temperature of the card"},
	{column: "lunaHsmTemperatureThreshold", scale: "0.001", unit: "mCel", what: "At which temperature the HSM warns"},
	{column: "lunaHsmTemperatureWarns", words: truths, what: "Whether the HSM warns of its temperature"},
	{column: "lunaHsmTamper", words: tampers, what: "Whether a tamper was detected"},
	{column: "lunaHsmUtilizationInterval", scale: "0.01", unit: "{hundredth of a percent}", what: "Utilization in the last interval"},
	{column: "lunaHsmSoAttemptsLeft", unit: "{attempt}", what: "Login attempts that the security officer has left"},
	{column: "lunaHsmOperationRequests", unit: "{request}/s", what: "Operation requests"},
	{column: "lunaHsmOperationErrors", unit: "{error}/s", what: "Operation errors"},
	{column: "lunaHsmCryptoRequests", unit: "{request}/s", what: "Crypto operation requests"},
	{column: "lunaHsmCryptoErrors", unit: "{error}/s", what: "Crypto operation errors"},
	{column: "lunaHsmStorageTotal", unit: "By", gauge: true, what: "Storage of the HSM"},
	{column: "lunaHsmStorageUsed", unit: "By", gauge: true, what: "Used storage of the HSM"},
	{column: "lunaHsmPartitionsCreated", unit: "{partition}", what: "Partitions"},
	{column: "lunaHsmPartitionsAllowed", unit: "{partition}", what: "Partitions that the licence allows"},
	{column: "lunaHsmAge", unit: "s", what: "Age of the newest value of the HSM"},
}

// numeric is an OID as profiles write it, without a leading dot.
func numeric(object string) string { return strings.TrimPrefix(oid(object), ".") }

func table(b *strings.Builder, mib, name string) {
	fmt.Fprintf(b, "  - MIB: %s\n    table:\n      OID: %s\n      name: %s\n    symbols:\n", mib, numeric(name), name)
}

func symbol(b *strings.Builder, column string) {
	fmt.Fprintf(b, "      - OID: %s\n        name: %s\n", numeric(column), column)
}

// Datadog is the profile for a device in whose instance it is named: without sysobjectid
// it takes no host over.
func Datadog() string {
	var b strings.Builder
	b.WriteString(made + "extends:\n  - _base.yaml\nmetadata:\n  device:\n    fields:\n      vendor:\n        value: lunawatch\nmetrics:\n")
	for _, scalar := range []string{"lunaAgentState", "lunaAgentHsms", "lunaAgentHsmsOk", "lunaAgentHsmsWarning", "lunaAgentHsmsCritical", "lunaAgentHsmsUnknown"} {
		fmt.Fprintf(&b, "  - MIB: LUNAWATCH-MIB\n    symbol:\n      OID: %s.0\n      name: %s\n", numeric(scalar), scalar)
	}
	table(&b, "LUNAWATCH-MIB", "lunaHsmTable")
	for _, m := range measures {
		symbol(&b, m.column)
		if m.scale != "" {
			fmt.Fprintf(&b, "        scale_factor: %s\n", m.scale)
		}
		if m.gauge {
			b.WriteString("        metric_type: gauge\n")
		}
	}
	b.WriteString("    metric_tags:\n")
	tag(&b, "hsm", "lunaHsmName")
	tag(&b, "hsm_serial", "lunaHsmSerial")
	table(&b, "ENTITY-SENSOR-MIB", "entPhySensorTable")
	symbol(&b, "entPhySensorValue")
	b.WriteString("    metric_tags:\n")
	tag(&b, "sensor", "entPhysicalName")
	tag(&b, "unit", "entPhySensorUnitsDisplay")
	table(&b, "ENTITY-STATE-MIB", "entStateTable")
	symbol(&b, "entStateOper")
	b.WriteString("    metric_tags:\n")
	tag(&b, "part", "entPhysicalName")
	return b.String()
}

func tag(b *strings.Builder, name, column string) {
	fmt.Fprintf(b, "      - tag: %s\n        column:\n          OID: %s\n          name: %s\n", name, numeric(column), column)
}

// Netdata is a profile that applies to each device of net-snmp, beside those of the host.
// Its values are whole numbers: the battery of 3.081 V would be 3 in volts, as by its own
// profile of ENTITY-SENSOR-MIB.
func Netdata() string {
	var b strings.Builder
	b.WriteString(made + "selector:\n  - sysobjectid:\n      include:\n        - 1.3.6.1.4.1.8072.3.2.*\nmetrics:\n")
	table(&b, "LUNAWATCH-MIB", "lunaHsmTable")
	for _, m := range measures {
		symbol(&b, m.column)
		unit := m.unit
		if m.words != nil {
			unit = "{status}"
			b.WriteString("        mapping:\n")
			for _, w := range m.words {
				fmt.Fprintf(&b, "          %d: %s\n", w.value, strings.ReplaceAll(strings.ToLower(w.word), " ", "_"))
			}
		}
		if m.gauge {
			b.WriteString("        metric_type: gauge\n")
		}
		chart(&b, m.what, unit)
	}
	b.WriteString("    metric_tags:\n")
	symbolTag(&b, "hsm", "", "lunaHsmName")
	table(&b, "ENTITY-SENSOR-MIB", "entPhySensorTable")
	fmt.Fprintf(&b, "      - OID: %s\n        name: lunaPartReading\n", numeric("entPhySensorValue"))
	chart(&b, "What a sensor of an HSM reads, in its unit", "{reading}")
	b.WriteString("    metric_tags:\n")
	symbolTag(&b, "sensor", "entPhysicalTable", "entPhysicalName")
	symbolTag(&b, "sensor_unit", "", "entPhySensorUnitsDisplay")
	return b.String()
}

func chart(b *strings.Builder, what, unit string) {
	fmt.Fprintf(b, "        chart_meta:\n          description: %s\n          family: 'Hardware/HSM'\n          unit: %q\n", what, unit)
}

func symbolTag(b *strings.Builder, name, table, column string) {
	fmt.Fprintf(b, "      - tag: %s\n", name)
	if table != "" {
		fmt.Fprintf(b, "        table: %s\n", table)
	}
	fmt.Fprintf(b, "        symbol:\n          OID: %s\n          name: %s\n", numeric(column), column)
}
