package managers

import (
	"cmp"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
)

// What LibreNMS does was read in its sources of 2026-04-08 (commit 501d60a6): discovery_process of
// includes/discovery/functions.inc.php, LibreNMS/Device/YamlDiscovery.php, app/Observers/SensorObserver.php,
// app/Models/Traits/HasThresholds.php, includes/discovery/sensors/entity-sensor.inc.php,
// LibreNMS/Modules/Core.php, includes/polling/functions.inc.php; and is written anew.

type (
	libreDefinition struct {
		Modules struct {
			Sensors map[string]struct {
				Data []libreEntry `yaml:"data"`
			} `yaml:"sensors"`
		} `yaml:"modules"`
	}
	libreEntry struct {
		OID    string     `yaml:"oid"`
		Value  string     `yaml:"value"`
		NumOID string     `yaml:"num_oid"`
		Index  string     `yaml:"index"`
		Descr  string     `yaml:"descr"`
		Name   string     `yaml:"state_name"`
		Div    float64    `yaml:"divisor"`
		Low    any        `yaml:"low_limit"`
		High   any        `yaml:"high_limit"`
		Skip   []libreIf  `yaml:"skip_values"`
		States []struct { // of class state
			Value   int    `yaml:"value"`
			Descr   string `yaml:"descr"`
			Generic int    `yaml:"generic"`
		} `yaml:"states"`
	}
	libreIf struct {
		OID   string `yaml:"oid"`
		Op    string `yaml:"op"`
		Value any    `yaml:"value"`
	}
	// A libreSensor is a row of its table sensors; a limit that is NaN is none.
	libreSensor struct {
		class, kind, index, oid, descr string
		divisor, value, low, high      float64
	}
)

func (s libreSensor) key() string { return s.class + "/" + s.kind + "/" + s.index }

func libreNMS(t *testing.T) (d libreDefinition) {
	t.Helper()
	check.Must(t, yaml.Unmarshal([]byte(LibreNMSDiscovery()), &d))
	return d
}

// discover returns the sensors that LibreNMS makes of a walk by the definition.
func (d libreDefinition) discover(t *testing.T, w walk) (list []libreSensor) {
	t.Helper()
	for _, class := range slices.Sorted(maps.Keys(d.Modules.Sensors)) {
		for _, e := range d.Modules.Sensors[class].Data {
			indexes, rows := w.columns(t, unqualified(e.OID))
			for _, index := range indexes {
				row := rows[index]
				value, exists := row[unqualified(e.Value)]
				if !exists || e.skips(row) {
					continue
				}
				s := libreSensor{class: class, kind: cmp.Or(e.Name, "lunawatch"), index: filled(t, e.Index, index), oid: filled(t, e.NumOID, index), descr: filled(t, e.Descr, index), divisor: cmp.Or(e.Div, 1)}
				s.value = number(t, value) / s.divisor
				s.low, s.high = e.limit(t, e.Low, row), e.limit(t, e.High, row)
				list = append(list, s.created())
			}
		}
	}
	return list
}

func unqualified(name string) string { return strings.TrimPrefix(name, "LUNAWATCH-MIB::") }

func (e libreEntry) skips(row map[string]string) bool {
	for _, s := range e.Skip {
		value, exists := row[unqualified(s.OID)]
		switch s.Op {
		case "exists":
			if exists == s.Value.(bool) {
				return true
			}
		case "not_in_array":
			if !exists || !slices.Contains(s.Value.([]any), any(value)) {
				return true
			}
		default:
			return true // so that a test misses the sensor
		}
	}
	return false
}

// limit is a number as it is, or the value of a column over the divisor.
func (e libreEntry) limit(t *testing.T, from any, row map[string]string) float64 {
	t.Helper()
	switch from := from.(type) {
	case string:
		if value, exists := row[unqualified(from)]; exists {
			return number(t, value) / cmp.Or(e.Div, 1)
		}
	case uint64:
		return float64(from)
	case int64:
		return float64(from)
	}
	return math.NaN()
}

// created is the sensor with the limits that LibreNMS guesses where it has none, and in
// order.
func (s libreSensor) created() libreSensor {
	low, high := math.NaN(), math.NaN()
	switch s.class {
	case "temperature":
		low, high = s.value-10, s.value+20
	case "voltage":
		low, high = s.value*0.85, s.value*1.15
	case "fanspeed":
		low, high = s.value*0.80, s.value*1.80
	}
	if math.IsNaN(s.low) {
		s.low = low
	}
	if math.IsNaN(s.high) {
		s.high = high
	}
	if s.low > s.high {
		s.low, s.high = s.high, s.low
	}
	return s
}

// filled replaces the index, or a string in it.
func filled(t *testing.T, template, index string) string {
	t.Helper()
	return strings.NewReplacer("{{ $index }}", index, "{{ $index_string:s }}", stringOf(t, index, "s"), "{{ $index_string:sns }}", stringOf(t, index, "sns")).Replace(template)
}

// stringOf returns the last string of an index of the form: s a string with its length,
// n a number; empty if it has none.
func stringOf(t *testing.T, index, form string) string {
	t.Helper()
	parts := strings.Split(index, ".")
	for i, kind := range form {
		if len(parts) == 0 {
			return ""
		}
		length := 0
		if kind == 's' {
			length = int(number(t, parts[0]))
		}
		if i < len(form)-1 {
			parts = parts[1+length:]
			continue
		}
		var b strings.Builder
		for _, c := range parts[1 : 1+length] {
			b.WriteByte(byte(number(t, c)))
		}
		return b.String()
	}
	return ""
}

// entitySensors returns the sensors that LibreNMS makes of ENTITY-SENSOR-MIB by itself.
func entitySensors(t *testing.T, w walk) (list []libreSensor) {
	t.Helper()
	classes := map[string]string{"3": "voltage", "4": "voltage", "8": "temperature", "10": "fanspeed"}
	const sensors, names = ".1.3.6.1.2.1.99.1.1.1.", ".1.3.6.1.2.1.47.1.1.1.1.7."
	for _, key := range w.order {
		index, ok := strings.CutPrefix(key, sensors+"4.")
		class, known := classes[w.values[sensors+"1."+index]]
		if !ok || !known || w.values[sensors+"5."+index] == "2" {
			continue
		}
		s := libreSensor{class: class, kind: "entity-sensor", index: index, oid: key, descr: w.values[names+index], divisor: 1, low: math.NaN(), high: math.NaN()}
		if w.values[sensors+"2."+index] == "8" {
			s.divisor = 1000
		}
		s.value = number(t, w.values[key]) / s.divisor * math.Pow(10, -number(t, w.values[sensors+"3."+index]))
		if class != "temperature" || s.value <= 200 {
			list = append(list, s.created())
		}
	}
	return list
}

func TestLibreNMSFiles(t *testing.T) {
	check.Golden(t, "../../librenms/resources/definitions/os_detection/lunawatch.yaml", []byte(LibreNMSDetection()))
	check.Golden(t, "../../librenms/resources/definitions/os_discovery/lunawatch.yaml", []byte(LibreNMSDiscovery()))
}

// TestLibreNMSOwnCode: what is written here anew finds what LibreNMS' own discovery_process
// and YamlDiscovery found, run once by PHP 8.2 with this definition against a real snmpd:
// the sensors of testdata/librenms.tsv, with their numbers, texts and limits.
func TestLibreNMSOwnCode(t *testing.T) {
	text, err := os.ReadFile("testdata/librenms.tsv")
	check.Must(t, err)
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	shown := func(n float64) string {
		if math.IsNaN(n) {
			return "null"
		}
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	var got []string
	for _, s := range libreNMS(t).discover(t, recorded(t, "estate.walk")) {
		got = append(got, strings.Join([]string{s.class, s.kind, s.index, s.descr, s.oid, shown(s.low), shown(s.high)}, "\t"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-LibreNMS +here)\n%s", diff)
	}
}

// TestLibreNMSLimits: each sensor of the appliances and cards with a value has one in
// LibreNMS with the same value, and with the limits of the HSM, not with a guess.
func TestLibreNMSLimits(t *testing.T) {
	w := recorded(t, "estate.walk")
	got := make(map[string]libreSensor)
	for _, s := range libreNMS(t).discover(t, w) {
		if _, twice := got[s.key()]; twice || len(s.index) > 128 || len(s.oid) > 255 {
			t.Errorf("%s: twice, or longer than its column", s.key())
		}
		got[s.key()] = s
	}
	classOf := map[string]string{"V": "voltage", "Volts": "voltage", "C": "temperature", "degrees C": "temperature", "RPM": "fanspeed"}
	shown, limited := 0, 0
	indexes, rows := w.columns(t, "lunaSensorTable")
	for _, index := range indexes {
		row, name := rows[index], stringOf(t, index, "s")+"."+stringOf(t, index, "sns")
		class, measured := classOf[row["lunaSensorUnit"]]
		if part := strings.Split(strings.TrimPrefix(index, "6."), ".")[6]; !measured || row["lunaSensorValue"] == "" || part == "4" {
			continue
		}
		s, ok := got[class+"/lunawatch/"+name]
		if !ok || s.value*1000 != number(t, row["lunaSensorValue"]) || s.oid != oid("lunaSensorValue")+"."+index {
			t.Errorf("%s %s: LibreNMS has %+v", name, row["lunaSensorValue"], s)
			continue
		}
		shown++
		for side, have := range map[string]float64{"Lower": s.low, "Upper": s.high} {
			want := cmp.Or(row["lunaSensor"+side+"Limit"], row["lunaSensor"+side+"Fatal"])
			switch {
			case want != "" && have*1000 == number(t, want):
				limited++
			case want == "" && (have <= -1 || have >= 1e6): // never reached
			default:
				t.Errorf("%s: %s limit %v, and the HSM has %q", name, side, have, want)
			}
		}
	}
	if entities := len(entitySensors(t, w)); shown != entities {
		t.Errorf("%d sensors, and ENTITY-SENSOR-MIB has %d", shown, entities)
	}
	t.Logf("%d sensors with %d limits of the devices", shown, limited)
	for key, want := range map[string][2]float64{"voltage/lunawatch/luna72.Battery": {2.75, 1e6}, "temperature/lunawatch/luna72.Temperature": {-274, 75}} {
		if s := got[key]; s.low != want[0] || s.high != want[1] {
			t.Errorf("%s: limits %v and %v, want %v", key, s.low, s.high, want)
		}
	}
	for _, key := range []string{"state/lunaHsmState/luna54", "state/lunaHsmTamper/luna72", "state/lunaHsmReach/luna62", "state/lunaSensorState/luna72.PSU1_Status", "state/lunaSensorState/luna72.Fan 1"} {
		if s, ok := got[key]; !ok || s.value != 1 {
			t.Errorf("%s is %+v", key, s)
		}
	}
}

// TestLibreNMSGuesses: what LibreNMS shows without the definition, of ENTITY-SENSOR-MIB.
func TestLibreNMSGuesses(t *testing.T) {
	got := make(map[string]libreSensor)
	for _, s := range entitySensors(t, recorded(t, "estate.walk")) {
		got[s.descr] = s
	}
	battery, card, inlet := got["luna72 Battery Voltage"], got["luna72 HSM Temperature"], got["luna72 Inlet Temperature"]
	if battery.low != battery.value*0.85 || battery.low > 2.7 || battery.value < 3 {
		t.Errorf("the battery: %+v; the HSM warns at 2.750 V", battery)
	}
	if card.high != card.value+20 || card.low != card.value-10 || card.high > 60 {
		t.Errorf("the card: %+v; the HSM warns at 75 degrees", card)
	}
	t.Logf("battery %.3f V: %.3f to %.3f V; card %v: %v to %v; inlet %v: %v to %v", battery.value, battery.low, battery.high, card.value, card.low, card.high, inlet.value, inlet.low, inlet.high)
}

// TestLibreNMSAway: of three HSMs two are away, and what was measured of them is too old.
// Their states say so. Found anew, they have no sensors; until then LibreNMS takes what
// is not there for 0.
func TestLibreNMSAway(t *testing.T) {
	before, w := recorded(t, "estate.walk"), recorded(t, "away.walk")
	want := map[string]float64{"luna54 state": 3, "luna62 state": 3, "luna72 state": 1, "luna54 reach": 6, "luna62 reach": 6, "luna72 reach": 1}
	measured := make(map[string]int)
	for _, s := range libreNMS(t).discover(t, w) {
		if value, ok := want[s.descr]; ok && s.value != value {
			t.Errorf("%s is %v, want %v", s.descr, s.value, value)
		}
		delete(want, s.descr)
		if s.class == "voltage" || s.class == "temperature" || s.class == "fanspeed" {
			hsm, _, _ := strings.Cut(s.descr, " ")
			measured[hsm]++
		}
	}
	if len(want) > 0 || measured["luna54"] > 0 || measured["luna62"] > 0 || measured["luna72"] == 0 {
		t.Errorf("not shown: %v; sensors: %v", want, measured)
	}
	zero, below := 0, 0
	for _, s := range libreNMS(t).discover(t, before) {
		if _, there := w.values[s.oid]; there || s.class == "state" {
			continue
		}
		zero++
		if 0 < s.low {
			below++
		}
	}
	t.Logf("until the next discovery %d values are 0, of which %d are below their limit", zero, below)
	if below == 0 {
		t.Error("LibreNMS alarms at none of the values that are not there: docs/snmp.md says that it does")
	}
}

// detected is whether LibreNMS takes a device with these values for one of HSMs. A value
// that is not there is an empty text, so that it exists for LibreNMS (later in 2026 it
// does not).
func detected(t *testing.T, shows map[string]string) bool {
	t.Helper()
	type condition struct {
		OID   string `yaml:"oid"`
		Op    string `yaml:"op"`
		Value any    `yaml:"value"`
	}
	var d struct {
		Discovery []struct {
			System string    `yaml:"sysObjectID"`
			Get    condition `yaml:"snmpget"`
			Except condition `yaml:"snmpget_except"`
		} `yaml:"discovery"`
	}
	check.Must(t, yaml.Unmarshal([]byte(LibreNMSDetection()), &d))
	holds := func(c condition) bool {
		switch c.Op {
		case "exists":
			return c.Value == true
		case "!=":
			return shows[c.OID] != c.Value
		}
		t.Errorf("operator %q", c.Op)
		return false
	}
	for _, item := range d.Discovery {
		if strings.HasPrefix(shows[".1.3.6.1.2.1.1.2.0"], item.System) && holds(item.Get) && !holds(item.Except) {
			return true
		}
	}
	return false
}

// TestLibreNMSDetection: the device that shows HSMs and not their host is ours; the host
// stays what it is. Sensors of ENTITY-SENSOR-MIB, which have guesses, are left out.
func TestLibreNMSDetection(t *testing.T) {
	hsms := recorded(t, "estate.walk").values
	host := maps.Clone(hsms)
	host[".1.3.6.1.2.1.25.1.1.0"] = "8341525"
	other := map[string]string{".1.3.6.1.2.1.1.2.0": ".1.3.6.1.4.1.8072.3.2.10"}
	if !detected(t, hsms) || detected(t, host) || detected(t, other) {
		t.Errorf("HSMs %t, their host %t, another host %t", detected(t, hsms), detected(t, host), detected(t, other))
	}
	var d struct {
		Bad []string `yaml:"bad_entity_sensor_regex"`
	}
	check.Must(t, yaml.Unmarshal([]byte(LibreNMSDetection()), &d))
	if !slices.Equal(d.Bad, []string{"/./"}) {
		t.Errorf("sensors of ENTITY-SENSOR-MIB are shown, too, with guesses: %v", d.Bad)
	}
}

// TestLibreNMSKeys holds the definition to its schema, discovery_schema.json: what is
// another key is refused.
func TestLibreNMSKeys(t *testing.T) {
	var top map[string]any
	check.Must(t, yaml.Unmarshal([]byte(LibreNMSDiscovery()), &top))
	if keys := slices.Sorted(maps.Keys(top)); !slices.Equal(keys, []string{"modules"}) {
		t.Errorf("keys %v; the schema of 2026 has modules alone", keys)
	}
	var d struct {
		Modules struct {
			Sensors map[string]map[string][]map[string]any `yaml:"sensors"`
		} `yaml:"modules"`
	}
	check.Must(t, yaml.Unmarshal([]byte(LibreNMSDiscovery()), &d))
	keys := []string{"oid", "value", "num_oid", "index", "descr", "group", "divisor", "low_limit", "high_limit", "skip_values"}
	for class, data := range d.Modules.Sensors {
		for _, entry := range data["data"] {
			allowed := keys
			if class == "state" {
				allowed = append(slices.Clone(keys), "state_name", "states")
			}
			for key := range entry {
				if !slices.Contains(allowed, key) {
					t.Errorf("%s: %s", class, key)
				}
			}
			for _, key := range []string{"oid", "value"} {
				if name, _ := entry[key].(string); oid(unqualified(name)) == "" {
					t.Errorf("%s: %s is no object of ours", class, name)
				}
			}
			if n, _ := entry["num_oid"].(string); !strings.HasSuffix(n, ".{{ $index }}") || strings.Trim(strings.TrimSuffix(n, "{{ $index }}"), ".0123456789") != "" {
				t.Errorf("%s: num_oid %s", class, strconv.Quote(n))
			}
		}
	}
}
