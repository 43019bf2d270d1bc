package hsm

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// facts are two that differ, of each type that changes a Device.
var facts = [][2]Fact{
	{Show{Serial: "1"}, Show{Serial: "2"}},
	{Information{}, Information{OperationRequests: Some(uint64(1))}},
	{Monitor{}, Monitor{IntervalSeconds: Some(int64(1))}},
	{NTLS{}, NTLS{Status: NTLSUp}},
	{Certificate{}, Certificate{Subject: "x"}},
	{Partitions{{Serial: "1"}}, Partitions{{Serial: "1", Name: "x"}}},
	{PartitionPolicies{Serial: "1"}, PartitionPolicies{Serial: "1", Policies: Policies{Policies: []Policy{{Value: "1"}}}}},
	{Licenses{}, Licenses{{ID: "1"}}},
	{Policies{}, Policies{Policies: []Policy{{Value: "1"}}}},
	{Clients{}, Clients{{Name: "x"}}},
	{Sensors{}, Sensors{Sensors: []Sensor{{Name: "x"}}}},
	{System{}, System{State: "ISO"}},
	{Disk{}, Disk{SMART: "PASSED"}},
	{CPU{}, CPU{Load1: 1}},
	{RAM{}, RAM{Total: Some(int64(1))}},
	{Tamper{}, Tamper{State: TamperDetected}},
	{Services{}, Services{{Name: "x"}}},
	{Operations{}, Operations{ResetTime: "x"}},
	{Host{}, Host{Name: "x"}},
	{HA{}, HA{Groups: []HAGroupState{{Label: "x"}}}},
	{CardEnvironment{&Environment{}}, CardEnvironment{&Environment{BatteryLow: true}}},
	{Transport{}, Transport{Some(true)}},
}

// TestSeqOfSections: a section that has changed has another Seq, and no other has. What
// is encoded of a section is encoded anew by that alone.
func TestSeqOfSections(t *testing.T) {
	untried := slices.DeleteFunc(factTypes(t), func(name string) bool { return strings.HasPrefix(name, "Pro") || name == "Elsewhere" }) // TestProof, TestProbes of the agent, TestOutage
	for _, f := range facts {
		name := reflect.TypeOf(f[0]).Name()
		untried = slices.DeleteFunc(untried, func(x string) bool { return x == name })
		s := (&Snapshot{}).With(Observation{Device: "a", Source: "x", At: t0, MaxAge: time.Hour, Facts: []Fact{Show{}, Partitions{{Serial: "1"}}, f[0]}})
		before := s.Devices[0]
		// of the same time, which is no difference
		after := s.With(Observation{Device: "a", Source: "x", At: t0, MaxAge: time.Hour, Facts: []Fact{f[1]}}).Devices[0]
		changed := 0
		x, y := reflect.ValueOf(*before), reflect.ValueOf(*after)
		for i := range x.NumField() {
			if !strings.HasPrefix(x.Field(i).Type().Name(), "Section[") {
				continue
			}
			same := x.Field(i).FieldByName("Seq").Uint() == y.Field(i).FieldByName("Seq").Uint()
			equal := reflect.DeepEqual(x.Field(i).FieldByName("Value").Interface(), y.Field(i).FieldByName("Value").Interface())
			if same != equal {
				t.Errorf("%s: %s: the same Seq: %v; the same value: %v", name, x.Type().Field(i).Name, same, equal)
			}
			if !equal {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("%s changed %d sections", name, changed)
		}
	}
	if len(untried) > 0 {
		t.Errorf("not tried: %v", untried)
	}
}

// factTypes returns the names of the types whose method apply has a use for its Device.
func factTypes(t *testing.T) (names []string) {
	t.Helper()
	method := regexp.MustCompile(`(?m)^func \([a-z] ([A-Z][A-Za-z]*)\) apply\(`)
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range method.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	if len(names) == 0 {
		t.Fatal("found no type of fact")
	}
	return names
}
