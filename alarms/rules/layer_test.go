package rules

import (
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAlarmsNameTheLayer has a source fail at each layer: the text of the alarm begins
// with its words, and the alarm has it for programs.
func TestAlarmsNameTheLayer(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	limits := DefaultThresholds()
	for _, layer := range append(hsm.Layers(), hsm.LayerUnknown) {
		for _, test := range []struct {
			rule    Rule
			source  string
			failure hsm.Failure
			other   string // a source that works
		}{
			{unreachable, "hsm show", hsm.Unreachable, ""},
			{unreachable, "hsm show", hsm.HostKey, ""},
			{silent, "hsm show", hsm.Timeout, ""},
			{sourceFailing, "rest hsm", hsm.Unreachable, "hsm show"},
		} {
			s := new(hsm.Snapshot)
			for range 3 {
				err := collectors.Failf(test.failure, "the cause")
				s = s.With(hsm.Observation{Device: "a", Source: test.source, At: at, Failure: test.failure, Layer: layer, Err: err})
			}
			if test.other != "" {
				s = s.With(hsm.Observation{Device: "a", Source: test.other, At: at})
			}
			var got []alarms.Finding
			for _, f := range test.rule.findings(Poll{Device: s.Device("a"), Now: at, Thresholds: limits}, nil) {
				if f.Condition == alarms.Bad {
					got = append(got, f)
				}
			}
			begins := strings.TrimPrefix(layer.Words()+": the cause", ": ")
			if len(got) != 1 || !strings.HasPrefix(got[0].Text, begins) || got[0].Evidence.Layer != layer {
				t.Errorf("%s, %s: %+v, want a text that begins with %q", test.rule.Group, layer, got, begins)
			}
		}
	}
}
