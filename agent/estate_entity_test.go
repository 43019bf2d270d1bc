package agent

import (
	"maps"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// byName walks an object with the names of the modules, and returns its values by index.
func (e *estate) byName(tb testing.TB, object string) map[string]string {
	tb.Helper()
	out, err := exec.Command("snmpwalk", "-v2c", "-c", "public", "-M", "../mibs:../mibs/base", "-m", "ENTITY-MIB:ENTITY-SENSOR-MIB:ENTITY-STATE-MIB", "-OQs", e.snmpd.Address, object).CombinedOutput()
	if err != nil {
		tb.Fatalf("%v: %s", err, out)
	}
	values := make(map[string]string)
	_, object, _ = strings.Cut(object, "::")
	for line := range strings.Lines(string(out)) {
		if oid, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.HasPrefix(oid, object+".") {
			values[strings.TrimPrefix(oid, object+".")] = value
		}
	}
	return values
}

// names returns the names of all parts, by their indexes.
func (e *estate) names(tb testing.TB) map[string]string {
	return e.byName(tb, "ENTITY-MIB::entPhysicalName")
}

// readings returns what LunaSH said last of the sensors of a device, as numbers of a
// column of ENTITY-SENSOR-MIB, smallest first.
func readings(d *hsm.Device) (all []string) {
	var numbers []int
	add := func(x hsm.Opt[float64], times float64) {
		if x.Known {
			numbers = append(numbers, int(math.Round(x.Value*times)))
		}
	}
	if env := d.Show.Value.Environment; env != nil {
		add(env.BatteryVolts, 1000)
		add(env.TemperatureCelsius, 1)
	}
	for _, s := range d.Sensors.Value.Sensors {
		switch s.Unit {
		case "Volts":
			add(s.Reading, 1000)
		case "RPM", "degrees C":
			add(s.Reading, 1)
		}
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		all = append(all, strconv.Itoa(n))
	}
	return all
}

// of returns the values of a device, by the beginning of their indexes, smallest first.
func of(values map[string]string, number string) (all []string) {
	for index, value := range values {
		if strings.HasPrefix(index, number) && len(index) == len(number)+3 {
			all = append(all, value)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return all
}

// TestEntityMIB: a manager that has the modules of the IETF only sees every appliance with
// its parts, and what LunaSH says is what their sensors show. An appliance that is away
// keeps its parts, and nothing of it is measured; back again, it has the indexes of before.
func TestEntityMIB(t *testing.T) {
	e := startEstate(t, "")
	number := make(map[string]string) // of each appliance
	e.until(t, "every sensor is read, and shown", func() bool {
		check.Must(t, e.sim.Signal(syscall.SIGSTOP))
		defer e.sim.Signal(syscall.SIGCONT) // not for long, or the values are stale
		values, names := e.byName(t, "ENTITY-SENSOR-MIB::entPhySensorValue"), e.names(t)
		for _, a := range e.ready.Appliances {
			for index, name := range names {
				if name == a.Name {
					number[a.Name] = strings.TrimSuffix(index, "001")
				}
			}
			want := readings(e.agent.store.Latest().Device(a.Name))
			if len(want) < 20 || number[a.Name] == "" || !slices.Equal(of(values, number[a.Name]), want) {
				return false
			}
		}
		return true
	})
	names, gone, stays := e.names(t), e.ready.Appliances[2].Name, e.ready.Appliances[0].Name
	for _, part := range []string{"", " HSM", " Battery", " Battery Voltage", " HSM Temperature", " Power Supply 1", " PSU1 +12V Voltage", " Fan1A", " Fan1A Speed", " CPU Temperature"} {
		if !slices.Contains(slices.Collect(maps.Values(names)), gone+part) {
			t.Errorf("there is no %q", gone+part)
		}
	}
	if class := e.byName(t, "ENTITY-MIB::entPhysicalClass")[number[gone]+"003"]; class != "battery" {
		t.Errorf("the battery is a %s", class)
	}
	if got, want := e.byName(t, "ENTITY-MIB::entPhysicalSerialNum")[number[gone]+"002"], e.agent.store.Latest().Device(gone).Serial(); got != want {
		t.Errorf("the serial number is %q, and LunaSH says %q", got, want)
	}
	values := func(device string) []string {
		return of(e.byName(t, "ENTITY-SENSOR-MIB::entPhySensorValue"), number[device])
	}
	opers := func(device string) []string {
		return slices.Compact(of(e.byName(t, "ENTITY-STATE-MIB::entStateOper"), number[device]))
	}
	e.inject(t, gone, "gone")
	e.until(t, "the appliance is away", func() bool { return e.active(gone, "unreachable") })
	d, at := e.agent.store.Latest().Device(gone), time.Now()
	for _, f := range []hsm.Fact{d.Show.Value, d.Sensors.Value} { // what was read is soon too old
		e.agent.store.Apply(hsm.Observation{Device: gone, Source: d.Show.Source, At: at, MaxAge: time.Millisecond, Facts: []hsm.Fact{f}})
	}
	e.until(t, "nothing is measured", func() bool { return len(values(gone)) == 0 })
	if got := opers(gone); !slices.Equal(got, []string{"unknown"}) {
		t.Errorf("its parts are %v", got)
	}
	if len(values(stays)) < 20 || slices.Contains(opers(stays), "disabled") {
		t.Errorf("another appliance has %v, %v", values(stays), opers(stays))
	}
	if away := e.names(t); !maps.Equal(away, names) {
		t.Errorf("the parts are %v, and were %v", away, names)
	}
	e.until(t, "its chassis has the alarm, and may have others", func() bool {
		alarms := strings.Trim(e.byName(t, "ENTITY-STATE-MIB::entStateAlarm")[number[gone]+"001"], `" `)
		return e.active(gone, "unreachable") && alarms != "80" && strings.ContainsAny(alarms[:1], "89ABCDEF")
	})
	e.inject(t, gone, "heal")
	e.until(t, "it is measured again", func() bool { return len(values(gone)) > 20 })
	if back := e.names(t); !maps.Equal(back, names) {
		t.Errorf("the parts are %v, and were %v", back, names)
	}
}

// TestPairOfEntities: both agents of a cluster show every part under the same index, which
// only the owner gives, and the one that is left goes on with them.
func TestPairOfEntities(t *testing.T) {
	t.Parallel()
	e, _, agents := startPair(t)
	names := func(p *pairAgent) map[string]string {
		list, err := p.client.Walk(t.Context())
		if err != nil {
			return nil
		}
		all := make(map[string]string)
		for _, i := range list {
			if strings.HasPrefix(i.Name, "entPhysicalName.") {
				all[i.Name] = i.Value
			}
		}
		return all
	}
	whole := func(all map[string]string) bool {
		values := slices.Collect(maps.Values(all))
		for _, a := range e.ready.Appliances {
			if !slices.Contains(values, `STRING: "`+a.Name+` CPU Temperature"`) {
				return false
			}
		}
		return true
	}
	var both map[string]string
	e.until(t, "both show the same parts", func() bool {
		both = names(agents[1])
		return whole(both) && maps.Equal(both, names(agents[0]))
	})
	check.Must(t, agents[0].process.Process.Kill())
	e.until(t, "one watches all", func() bool {
		r, err := agents[1].client.Cluster(t.Context())
		return err == nil && len(r.Members) == 1 && len(r.Members[0].HSMs) == len(e.ready.Appliances)
	})
	if left := names(agents[1]); !maps.Equal(left, both) {
		t.Errorf("the parts are %v, and were %v", left, both)
	}
}
