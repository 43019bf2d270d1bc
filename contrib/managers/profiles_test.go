package managers

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/internal/check"
)

// The keys of profiles are those of Datadog's agent (pkg/networkdevice/profile/profiledefinition) and of Netdata
// (src/go/plugin/go.d/collector/snmp/ddsnmp/ddprofiledefinition, of 2026-08), which took the form over.
type (
	profile struct {
		Selector []struct {
			System struct {
				Include []string `yaml:"include"`
			} `yaml:"sysobjectid"`
		} `yaml:"selector"`
		Extends  []string        `yaml:"extends"`
		Metadata map[string]any  `yaml:"metadata"`
		Metrics  []profileMetric `yaml:"metrics"`
	}
	profileMetric struct {
		MIB     string          `yaml:"MIB"`
		Symbol  profileSymbol   `yaml:"symbol"`
		Table   profileSymbol   `yaml:"table"`
		Symbols []profileSymbol `yaml:"symbols"`
		Tags    []struct {
			Tag    string        `yaml:"tag"`
			Table  string        `yaml:"table"`
			Column profileSymbol `yaml:"column"`
			Symbol profileSymbol `yaml:"symbol"`
		} `yaml:"metric_tags"`
	}
	profileSymbol struct {
		OID     string            `yaml:"OID"`
		Name    string            `yaml:"name"`
		Scale   float64           `yaml:"scale_factor"`
		Type    string            `yaml:"metric_type"`
		Mapping map[string]string `yaml:"mapping"`
		Chart   map[string]string `yaml:"chart_meta"`
	}
)

func parseProfile(t *testing.T, text string) (p profile) {
	t.Helper()
	check.Must(t, yaml.UnmarshalWithOptions([]byte(text), &p, yaml.Strict()))
	return p
}

// collect returns the values of a walk by name and tags, as both systems do: each row with
// the columns of that index as tags. A value under the name and tags of another is lost
// there, and an error here.
func (p profile) collect(t *testing.T, w walk) map[string]float64 {
	t.Helper()
	values := make(map[string]float64)
	add := func(key, raw string, s profileSymbol) {
		if _, twice := values[key]; twice {
			t.Errorf("%s twice", key)
		}
		values[key] = number(t, raw)
		if s.Scale != 0 {
			values[key] *= s.Scale
		}
	}
	for _, m := range p.Metrics {
		if raw, there := w.values["."+m.Symbol.OID]; there {
			add(m.Symbol.Name, raw, m.Symbol)
		}
		for _, s := range m.Symbols {
			for _, key := range w.order {
				index, ok := strings.CutPrefix(key, "."+s.OID+".")
				if !ok {
					continue
				}
				tags := ""
				for _, tag := range m.Tags {
					tags += " " + tag.Tag + "=" + w.values["."+tag.Column.OID+tag.Symbol.OID+"."+index]
				}
				add(s.Name+tags, w.values[key], s)
			}
		}
	}
	return values
}

func TestProfileFiles(t *testing.T) {
	check.Golden(t, "../../datadog/lunawatch.yaml", []byte(Datadog()))
	check.Golden(t, "../../netdata/lunawatch.yaml", []byte(Netdata()))
}

// TestProfiles: what Datadog and Netdata show of three HSMs, and with two of them away.
func TestProfiles(t *testing.T) {
	for _, test := range []struct {
		name, profile string
		near, away    map[string]float64
	}{
		{"Datadog", Datadog(), map[string]float64{
			"lunaHsmState hsm=luna72 hsm_serial=483233":                1,
			"lunaHsmBattery hsm=luna72 hsm_serial=483233":              3.081,
			"lunaHsmBatteryThreshold hsm=luna72 hsm_serial=483233":     2.75,
			"lunaHsmTemperatureThreshold hsm=luna72 hsm_serial=483233": 75,
			"entPhySensorValue sensor=luna72 Battery Voltage unit=mV":  3081,
			"lunaAgentHsmsOk": 3,
		}, map[string]float64{
			"lunaHsmState hsm=luna54 hsm_serial=481207": 3,
			"lunaHsmReach hsm=luna62 hsm_serial=482220": 6,
			"lunaHsmState hsm=luna72 hsm_serial=483233": 1,
			"lunaAgentHsmsCritical":                     2,
		}},
		{"Netdata", Netdata(), map[string]float64{
			"lunaHsmState hsm=luna54":                                      1,
			"lunaHsmBattery hsm=luna72":                                    3081,
			"lunaHsmBatteryThreshold hsm=luna72":                           2750,
			"lunaPartReading sensor=luna72 Battery Voltage sensor_unit=mV": 3081,
		}, map[string]float64{"lunaHsmState hsm=luna54": 3, "lunaHsmReach hsm=luna62": 6, "lunaHsmState hsm=luna72": 1}},
	} {
		p := parseProfile(t, test.profile)
		holds := func(walk string, want map[string]float64) map[string]float64 {
			got := p.collect(t, recorded(t, walk))
			for key, value := range want {
				if have, there := got[key]; !there || math.Abs(have-value) > 1e-9 {
					t.Errorf("%s: %s: %s is %v (%t), want %v", test.name, walk, key, have, there, value)
				}
			}
			return got
		}
		near, away := holds("estate.walk", test.near), holds("away.walk", test.away)
		sensors := 0
		for key := range near {
			if strings.Contains(key, " sensor=") {
				sensors++
			}
		}
		if sensors != len(entitySensors(t, recorded(t, "estate.walk"))) {
			t.Errorf("%s: %d sensors", test.name, sensors)
		}
		for key := range away {
			for _, hsm := range []string{"luna54", "luna62"} {
				if strings.Contains(key, "sensor="+hsm) || strings.Contains(key, "lunaHsmStorageUsed hsm="+hsm) {
					t.Errorf("%s: %s, and it is away", test.name, key)
				}
			}
		}
		t.Logf("%s: %d values, with two away %d", test.name, len(near), len(away))
	}
}

// TestProfileForm: every OID is one of our objects under its name, columns have a tag that
// tells rows apart, Netdata has no fractions, and neither takes a host over.
func TestProfileForm(t *testing.T) {
	for name, text := range map[string]string{"Datadog": Datadog(), "Netdata": Netdata()} {
		p := parseProfile(t, text)
		for _, m := range p.Metrics {
			if len(m.Symbols) > 0 && len(m.Tags) == 0 || len(m.Symbols) == 0 && m.Symbol.OID == "" {
				t.Errorf("%s: %s has no values, or no tags", name, m.Table.Name)
			}
			for _, s := range append(slices.Clone(m.Symbols), m.Table, m.Symbol) {
				object := oid(s.Name)
				if s.Name == "lunaPartReading" {
					object = oid("entPhySensorValue")
				}
				if s.Name != "" && (object == "" || strings.TrimSuffix(s.OID, ".0") != object[1:]) {
					t.Errorf("%s: %s is %q, and has %q", name, s.Name, object, s.OID)
				}
				if name == "Netdata" && s.Scale != 0 {
					t.Errorf("%s has a scale: Netdata cuts off what is behind the point", s.Name)
				}
			}
		}
		if name == "Datadog" && strings.Contains(text, "sysobjectid") {
			t.Error("the profile for Datadog is applied to every host with net-snmp")
		}
		if name == "Netdata" && (len(p.Selector) != 1 || fmt.Sprint(p.Selector[0].System.Include) != "[1.3.6.1.4.1.8072.3.2.*]") {
			t.Errorf("selector %v", p.Selector)
		}
	}
}

// TestForgotten: each column of lunaHsmTable is a measure, or one that is left out.
func TestForgotten(t *testing.T) {
	left := strings.Fields(`
		lunaHsmName lunaHsmKind lunaHsmReason lunaHsmSince lunaHsmSerial lunaHsmLabel lunaHsmModel lunaHsmFirmware lunaHsmSoftware lunaHsmStatus
		lunaHsmTampers lunaHsmReadAt lunaHsmStale lunaHsmProvenAt lunaHsmProvenBy lunaHsmVendorRow lunaHsmResetAt
		lunaHsmWorstAlarm lunaHsmUtilization lunaHsmInterval lunaHsmUpTime lunaHsmCommands lunaHsmCriticalEvents lunaHsmNoncriticalEvents
		lunaHsmDiscontinuity lunaHsmTransportMode lunaHsmZeroized lunaHsmManuallyZeroized lunaHsmFips lunaHsmAuditRole lunaHsmStorageFree lunaHsmLicences`)
	shown := make(map[string]bool)
	for _, m := range measures {
		shown[m.column] = true
	}
	for name, n := range oids {
		if column := strings.HasPrefix(n, oid("lunaHsmTable")+".1."); column && shown[name] == slices.Contains(left, name) {
			t.Errorf("%s: shown %t, left out %t", name, shown[name], slices.Contains(left, name))
		}
	}
}
