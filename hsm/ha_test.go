package hsm

import (
	"encoding/json"
	"testing"
)

func TestHALogFile(t *testing.T) {
	for path, want := range map[string]string{
		"":                        "",
		"/var/log":                "/var/log/haErrorLog.txt",
		"/var/log/":               "/var/log/haErrorLog.txt",
		`C:\Luna\halog`:           `C:\Luna\halog\haErrorLog.txt`,
		`C:\Luna\halog\`:          `C:\Luna\halog\haErrorLog.txt`,
		"/var/log/haErrorLog.txt": "/var/log/haErrorLog.txt",
		`C:\Luna\halog/`:          `C:\Luna\halog/haErrorLog.txt`,
	} {
		if got := (HALogConfig{Path: path}).File(); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}

// TestHostFacts checks that facts of a host do not change a device, and that a fact of
// one part of a card changes only that.
func TestHostFacts(t *testing.T) {
	before := (&Snapshot{}).With(Observation{Device: "a", Source: "hsm showinfo", At: t0, Facts: []Fact{Show{Serial: "1"}}})
	show := func(facts ...Fact) string {
		s := before.With(Observation{Device: "a", Source: "x", At: t0, Facts: facts})
		b, err := json.Marshal(s.Devices[0].Show)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := show(Slots{}, HAGroups{}, ClientConfig{}, HALog{}, Roles{}); got != show() {
		t.Errorf("changed: %s", got)
	}
	s := before.With(Observation{Device: "a", Source: "x", At: t0, Facts: []Fact{CardEnvironment{&Environment{BatteryLow: true}}, Transport{Some(true)}}})
	v := s.Devices[0].Show.Value
	if v.Serial != "1" || !v.Environment.BatteryLow || !Is(v.SecureTransportMode, true) {
		t.Errorf("%+v", v)
	}
}
