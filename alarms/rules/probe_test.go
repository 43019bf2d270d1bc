package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestProbeFailed: two failures in a row are an alarm, which a run that works clears, and
// the end of the probe; nothing does that is not known.
func TestProbeFailed(t *testing.T) {
	probe := func(worked bool, failures int) hsm.Probe {
		return hsm.Probe{Name: "sign", At: alarmstest.At(0), MaxAge: time.Minute, Worked: worked, Failures: failures, Text: "line"}
	}
	for _, test := range []struct {
		name   string
		probes []hsm.Probe
		after  int // s
		want   string
	}{
		{"it works", []hsm.Probe{probe(true, 0)}, 10, "cleared: line"},
		{"one failure", []hsm.Probe{probe(false, 1)}, 10, ""},
		{"two failures", []hsm.Probe{probe(false, 2)}, 10, "raised major: line"},
		{"not run since the start", []hsm.Probe{{Name: "sign"}}, 10, ""},
		{"stale", []hsm.Probe{probe(true, 0)}, 3600, ""},
		{"stale failures", []hsm.Probe{probe(false, 2)}, 3600, ""},
		{"removed", []hsm.Probe{}, 10, "cleared: no longer there"},
		{"not known which there are", nil, 10, ""},
	} {
		state := alarms.NewState()
		key := alarms.Key{Device: "a", Group: "probe-failed", Object: "sign"}
		bad := test.want != "" && test.want[0] == 'r'
		if !bad {
			state.Active[key] = alarms.Alarm{Key: key, Severity: alarms.Major, Last: alarmstest.At(-120)}
		}
		got := ""
		d := &hsm.Device{Name: "a", Probes: test.probes}
		for _, c := range alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, DefaultThresholds(), alarmstest.At(test.after)), alarms.Damping{}, alarmstest.At(test.after)) {
			switch {
			case !c.Alarm.Cleared.IsZero():
				got = "cleared: " + c.Alarm.LastEvidence().Text
			default:
				got = "raised " + c.Alarm.Severity.String() + ": " + c.Alarm.Text
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
