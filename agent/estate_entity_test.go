package agent

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const (
	physicalName = ".1.3.6.1.2.1.47.1.1.1.1.7"
	sensorValue  = ".1.3.6.1.2.1.99.1.1.1.4"
)

// named returns the index of the part with a name; "": there is none.
func (e *estate) named(tb testing.TB, name string) string {
	for line := range strings.Lines(e.snmp(tb, "snmpwalk", "-On", physicalName)) {
		if oid, text, _ := strings.Cut(strings.TrimSpace(line), " = STRING: "); text == fmt.Sprintf("%q", name) {
			return strings.TrimPrefix(oid, physicalName+".")
		}
	}
	return ""
}

// TestEntityMIB: what LunaSH says of an appliance is what its parts show through snmpd.
func TestEntityMIB(t *testing.T) {
	e := startEstate(t, "")
	name := e.ready.Appliances[2].Name
	e.until(t, "the sensors are read", func() bool { return !e.agent.store.Latest().Device(name).Sensors.IsZero() })
	var index string
	e.until(t, "the battery is there", func() bool {
		index = e.named(t, name+" Battery Voltage")
		return index != "" && strings.Contains(e.snmp(t, "snmpget", "-Oqv", sensorValue+"."+index), "3")
	})
	if os.Getenv("ENTITY_WALK") != "" {
		for _, root := range []string{".1.3.6.1.2.1.47", ".1.3.6.1.2.1.99", ".1.3.6.1.2.1.131"} {
			t.Log(e.snmp(t, "snmpwalk", "-On", root))
		}
	}
	volts := e.agent.store.Latest().Device(name).Show.Value.Environment.BatteryVolts
	if got, want := strings.TrimSpace(e.snmp(t, "snmpget", "-Oqv", sensorValue+"."+index)), fmt.Sprintf("%.0f", volts.Value*1000); got != want {
		t.Errorf("the battery is at %s mV, and LunaSH says %s", got, want)
	}
}
