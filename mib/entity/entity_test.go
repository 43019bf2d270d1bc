package entity

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/mibtest"
)

// index returns entPhysicalIndex of the part with a name.
func index(t *testing.T, src mib.Source, name string) uint32 {
	t.Helper()
	view, err := Tables().Build(src)
	check.Must(t, err)
	column := physicalTable.Entry.Append(7)
	for oid, value := range view.All() {
		if oid.HasPrefix(column) && value.Octets == name {
			return oid[len(oid)-1]
		}
	}
	t.Fatalf("nothing is named %q", name)
	return 0
}

// column returns a value of the row with an index.
func column(t *testing.T, src mib.Source, entry agentx.OID, id, index uint32) agentx.Value {
	t.Helper()
	return mibtest.Value(t, Tables(), src, entry.Append(id, index))
}

// measured returns what a sensor measures by the arithmetic of RFC 3433.
func measured(t *testing.T, src mib.Source, index uint32) float64 {
	t.Helper()
	value := column(t, src, sensorTable.Entry, 4, index)
	if value.Type == 0 {
		t.Fatalf("%d has no value", index)
	}
	scale, precision := column(t, src, sensorTable.Entry, 2, index).Int(), column(t, src, sensorTable.Entry, 3, index).Int()
	return float64(value.Int()) * math.Pow(10, float64(3*(scale-scaleUnits))-float64(precision))
}

// TestArithmetic: a manager that does what RFC 3433 says gets what LunaSH says.
func TestArithmetic(t *testing.T) {
	facts := luna72(t)
	src := seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors)
	near := func(name string, want float64) {
		if got := measured(t, src, index(t, src, name)); math.Abs(got-want) > 0.0005 {
			t.Errorf("%s: %v, and LunaSH says %v", name, got, want)
		}
	}
	near("luna72 Battery Voltage", facts.Show.Environment.BatteryVolts.Value)
	near("luna72 HSM Temperature", facts.Show.Environment.TemperatureCelsius.Value)
	n := 2
	for _, x := range facts.Sensors.Sensors {
		if unit, is := unitOf(x.Unit); is && x.Reading.Known {
			near("luna72 "+sensorName(x.Name, unit), x.Reading.Value)
			n++
		}
	}
	if n < 30 {
		t.Errorf("%d sensors only", n)
	}
}

// TestValues: what cannot be shown as it is.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		m    measure
		want agentx.Value
	}{
		{measure{hsm.Some(3.093), volts}, agentx.Integer(3093)},
		{measure{hsm.Some(-0.0004), volts}, agentx.Integer(0)},
		{measure{hsm.Some(-12.1), volts}, agentx.Integer(-12100)},
		{measure{hsm.Some(35.4), celsius}, agentx.Integer(35)},
		{measure{hsm.Some(0.0), rpm}, agentx.Integer(0)},
		{measure{hsm.Some(2e6), volts}, agentx.Integer(1e9)},
		{measure{hsm.Some(math.Inf(-1)), rpm}, agentx.Integer(-1e9)},
		{measure{hsm.Some(math.NaN()), rpm}, agentx.Value{}},
		{measure{unit: rpm}, agentx.Value{}},
	} {
		if got := c.m.shown(); got.Type != c.want.Type || got.Number != c.want.Number {
			t.Errorf("%+v: %v, want %v", c.m, got, c.want)
		}
	}
}

// TestStale: a sensor that is past its age has no row, what is there stays, and how it is
// is not known.
func TestStale(t *testing.T) {
	facts := luna72(t)
	src := seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors)
	n, b := index(t, src, "luna72 Battery Voltage"), Tables().Builder()
	if _, err := b.Build(src); err != nil {
		t.Fatal(err)
	}
	src.Now = src.Now.Add(2 * time.Minute)
	view, err := b.Build(src)
	check.Must(t, err)
	rows, unknown := 0, 0
	for oid, value := range view.All() {
		switch {
		case oid.HasPrefix(sensorMIB):
			t.Errorf("%v is still there", oid)
		case oid.HasPrefix(physicalTable.Entry.Append(7)):
			rows++
		case oid.HasPrefix(stateTable.Entry.Append(3)) && value.Int() == stateUnknown:
			unknown++
		}
	}
	if rows != 44 || unknown != rows {
		t.Errorf("%d parts, of which %d are in an unknown state; want 44", rows, unknown)
	}
	if got := column(t, src, stateTable.Entry, 5, n); got.Octets != "\x80" {
		t.Errorf("alarms of what cannot be read: %v", got)
	}
}

// TestUnavailable: a sensor that the device lists and cannot read has a row without a value.
func TestUnavailable(t *testing.T) {
	facts := luna72(t)
	src := seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors)
	n := index(t, src, "luna72 PCH Temperature")
	for i := range facts.Sensors.Sensors {
		if facts.Sensors.Sensors[i].Name == "PCH" {
			facts.Sensors.Sensors[i].Reading = hsm.Opt[float64]{}
		}
	}
	src.Snapshot = src.Snapshot.With(hsm.Observation{Device: "luna72", Source: "test", At: mibtest.Now, MaxAge: time.Minute, Facts: []hsm.Fact{facts.Sensors}})
	if status := column(t, src, sensorTable.Entry, 5, n); status.Int() != sensorUnavailable {
		t.Errorf("status %v", status)
	}
	if value := column(t, src, sensorTable.Entry, 4, n); value.Type != 0 {
		t.Errorf("value %v", value)
	}
	if oper := column(t, src, stateTable.Entry, 3, n); oper.Int() != stateUnknown {
		t.Errorf("state %v", oper)
	}
}

// TestAlarms: each alarm is at the part that it is about, with all that are active.
func TestAlarms(t *testing.T) {
	facts := luna72(t)
	facts.Sensors.PowerSupplies[1].Status = "Presence detected, Failure detected"
	src := seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors)
	src.Entities.Alarms["luna72"] = []*mib.Alarm{
		{Group: "battery", Severity: mib.Critical}, {Group: "battery", Severity: mib.Warning},
		{Group: "appliance-fan", Object: "FAN1A", Severity: mib.Minor},
		{Group: "power-supply", Object: "PSU2", Severity: mib.Major},
		{Group: "motherboard", Object: "CPU", Severity: mib.Indeterminate},
		{Group: "unreachable", Severity: mib.Critical},
		{Group: "hsm-status", Severity: mib.Major},
		{Group: "temp-warn", Severity: mib.Critical, Test: true},
	}
	for _, c := range []struct {
		name  string
		oper  int32
		alarm string
	}{
		{"luna72 Battery", operEnabled, "\x24"}, {"luna72 Battery Voltage", operEnabled, "\x00"},
		{"luna72 Fan1A", operEnabled, "\x08"}, {"luna72 Fan1B", operEnabled, "\x00"},
		{"luna72 Power Supply 1", operEnabled, "\x00"}, {"luna72 Power Supply 2", operDisabled, "\x10"},
		{"luna72 CPU Temperature", operEnabled, "\x02"}, {"luna72", operEnabled, "\x20"}, {"luna72 HSM", operEnabled, "\x10"},
		{"luna72 HSM Temperature", operEnabled, "\x00"},
	} {
		n := index(t, src, c.name)
		oper, alarm := column(t, src, stateTable.Entry, 3, n), column(t, src, stateTable.Entry, 5, n)
		if oper.Int() != c.oper || alarm.Octets != c.alarm {
			t.Errorf("%s: state %v, alarms %v; want %d and %x", c.name, oper, alarm, c.oper, c.alarm)
		}
	}
}

// TestCards: the cards of a host are in its chassis, which is there because they are.
func TestCards(t *testing.T) {
	volts := hsm.Some(3.011)
	src := seen(t, "host-532018", hsm.CardHSM, hsm.Show{Serial: "532018", Model: "Luna K7", Label: hsm.Some(strings.Repeat("ä", 20)), Environment: &hsm.Environment{BatteryVolts: volts}})
	alone := src
	src.Snapshot = src.Snapshot.With(hsm.Observation{Device: "host", Kind: hsm.HostMachine, Source: "host", At: mibtest.Now, MaxAge: time.Minute, Facts: []hsm.Fact{hsm.Host{Name: "host"}}})
	host, err := Allot(&mib.Entity{Number: 257}, src.Snapshot.Device("host"))
	check.Must(t, err)
	src.Entities = &mib.Entities{Devices: map[string]*mib.Entity{"host": host, "host-532018": src.Entities.Devices["host-532018"]}, Host: "host"}
	chassis, card := index(t, src, "host"), index(t, src, "host-532018 HSM")
	if in := column(t, src, physicalTable.Entry, 4, card); in.Int() != int32(chassis) || chassis != 257001 {
		t.Errorf("the card is in %v, and the chassis is %d", in, chassis)
	}
	if child := mibtest.Value(t, Tables(), src, containsTable.Entry.Append(1, chassis, card)); child.Int() != int32(card) {
		t.Errorf("in the chassis is %v", child)
	}
	if in := column(t, alone, physicalTable.Entry, 4, card); in.Int() != 0 {
		t.Errorf("without a host the card is in %v", in)
	}
	if label := column(t, src, physicalTable.Entry, 14, card); label.Octets != strings.Repeat("ä", 16) {
		t.Errorf("a long label is %v", label)
	}
	if got := measured(t, src, index(t, src, "host-532018 Battery Voltage")); got != 3.011 {
		t.Errorf("the battery is at %v V", got)
	}
	src.Snapshot = &hsm.Snapshot{Devices: []*hsm.Device{src.Snapshot.Device("host")}}
	if view, _ := Tables().Build(src); view.Len() != 1 {
		t.Errorf("a host without cards has %d instances", view.Len())
	}
}

// TestAllotted: a part keeps its number and its name, whatever the source writes and in
// which order, and no number is given twice.
func TestAllotted(t *testing.T) {
	list := func(names ...string) *hsm.Device {
		var s hsm.Sensors
		for _, n := range names {
			s.Sensors = append(s.Sensors, hsm.Sensor{Name: n, Unit: "Volts", Reading: hsm.Some(1.0)})
		}
		return &hsm.Device{Name: "a", Kind: hsm.NetworkHSM, Sensors: hsm.Section[hsm.Sensors]{At: mibtest.Now, Value: s}}
	}
	e := &mib.Entity{Number: 1}
	e, err := Allot(e, list("CPU_VCORE", "+5V", "A_B", "A  B_value"))
	check.Must(t, err)
	for _, again := range []*hsm.Device{list("+5v", "cpu vcore"), list("CPU.VCORE"), list("+5V", "CPU_VCORE")} {
		if next, err := Allot(e, again); next != e || err != nil {
			t.Errorf("other numbers for the same: %+v, %v", next, err)
		}
	}
	last, err := Allot(e, list("new", "+5V"))
	check.Must(t, err)
	numbers, names := map[uint32]bool{}, map[string]bool{}
	for key, p := range last.Parts {
		if numbers[p.Number] || names[strings.ToUpper(p.Name)] {
			t.Errorf("%s: %+v is there twice", key, p)
		}
		numbers[p.Number], names[strings.ToUpper(p.Name)] = true, true
		if old, known := e.Parts[key]; known && old != p {
			t.Errorf("%s was %+v and is %+v", key, old, p)
		}
	}
	if len(last.Parts) != 7 || e.Parts["sensor NEW"].Number != 0 {
		t.Errorf("%d parts: %+v", len(last.Parts), last.Parts)
	}
}

// TestTooManyParts: those that have numbers are served, and the error names the first other.
func TestTooManyParts(t *testing.T) {
	var s hsm.Sensors
	for i := range 2000 {
		s.Sensors = append(s.Sensors, hsm.Sensor{Name: fmt.Sprintf("sensor \x00%dü", i), Unit: "Volts", Reading: hsm.Some(1.0)})
	}
	d := &hsm.Device{Name: "a", Kind: hsm.NetworkHSM, Sensors: hsm.Section[hsm.Sensors]{At: mibtest.Now, MaxAge: time.Minute, Value: s}}
	e, err := Allot(&mib.Entity{Number: mib.MaxEntities}, d)
	if err == nil || !strings.Contains(err.Error(), "and 1009 more: a device has at most 999 parts") {
		t.Errorf("%v", err)
	}
	src := mib.Source{Snapshot: &hsm.Snapshot{Devices: []*hsm.Device{d}}, Now: mibtest.Now, Entities: &mib.Entities{Devices: map[string]*mib.Entity{"a": e}}}
	view, err := Tables().Build(src)
	check.Must(t, err)
	most := uint32(0)
	for oid := range view.All() {
		if oid.HasPrefix(physicalTable.Entry) {
			most = max(most, oid[len(oid)-1])
		}
	}
	if most > math.MaxInt32 || most%1000 != 999 {
		t.Errorf("the largest index is %d", most)
	}
	if next, _ := Allot(e, d); next != e {
		t.Error("nothing is new, and yet it is another")
	}
}

// TestUnread: after a restart, what was there is there before anything is read.
func TestUnread(t *testing.T) {
	facts := luna72(t)
	src := seen(t, "luna72", hsm.NetworkHSM, facts.Show, facts.Sensors)
	n := index(t, src, "luna72 Battery Voltage")
	src.Snapshot = (&hsm.Snapshot{}).With(hsm.Observation{Device: "luna72", Kind: hsm.NetworkHSM, Source: "test", At: mibtest.Now, Failure: hsm.Unreachable, Err: fmt.Errorf("no route")})
	if again := index(t, src, "luna72 Battery Voltage"); again != n {
		t.Errorf("the index was %d and is %d", n, again)
	}
	if row := column(t, src, sensorTable.Entry, 5, n); row.Type != 0 {
		t.Errorf("a sensor that was not read is %v", row)
	}
	facts.Sensors.Sensors = facts.Sensors.Sensors[1:] // Fan1A was taken out
	facts.Sensors.Fans = facts.Sensors.Fans[1:]
	src.Snapshot = src.Snapshot.With(hsm.Observation{Device: "luna72", Source: "test", At: mibtest.Now, MaxAge: time.Minute, Facts: []hsm.Fact{facts.Sensors}})
	view, err := Tables().Build(src)
	check.Must(t, err)
	for oid, value := range view.All() {
		if strings.Contains(value.Octets, "Fan1A") {
			t.Errorf("%v: %v, although it is not listed any more", oid, value)
		}
	}
}
