package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestFunctionUnproven: an HSM that does nothing for too long in its hours is an alarm,
// which only work clears, or the end of the setting.
func TestFunctionUnproven(t *testing.T) {
	busy := expect.Device{UnprovenAfter: 15 * time.Minute}
	quiet := expect.Device{UnprovenAfter: 15 * time.Minute, Busy: again.Hours{From: alarmstest.At(7200).UTC().Format("15:04"), To: alarmstest.At(10800).UTC().Format("15:04"), Zone: "UTC"}}
	for _, test := range []struct {
		name    string
		want    expect.Device
		read    int // s: when the counters were last read; they have been since 0
		proven  int // s; 0: never
		at      int // s
		active  bool
		expects string
	}{
		{"too long idle", busy, 1000, 0, 1001, false, "raised warning: no request of a client since " + alarmstest.At(0).UTC().Format(time.RFC3339) + ", in hours in which it is expected to be busy"},
		{"since its proof", busy, 1000, 60, 1001, false, "raised warning: no request of a client since " + alarmstest.At(60).UTC().Format(time.RFC3339) + ", in hours in which it is expected to be busy"},
		{"not yet", busy, 800, 0, 801, false, ""},
		{"it works", busy, 1000, 940, 1001, false, ""},
		{"it works again", busy, 1000, 940, 1001, true, "cleared: it has worked for a client"},
		{"a probe has worked, and counters are stale", busy, 1000, 3000, 3001, true, "cleared: it has worked for a client"},
		{"unreachable since", busy, 800, 0, 3000, false, ""},
		{"unreachable since, and active", busy, 1000, 0, 3000, true, ""},
		{"outside its hours", quiet, 1000, 0, 1001, false, ""},
		{"active, outside its hours", quiet, 1000, 0, 1001, true, ""},
		{"works outside its hours", quiet, 1000, 940, 1001, true, "cleared: it has worked for a client"},
		{"nothing is expected", expect.Device{}, 1000, 0, 1001, false, ""},
		{"nothing is expected any more", expect.Device{}, 1000, 0, 1001, true, "cleared: no longer there"},
	} {
		state := alarms.NewState()
		key := alarms.Key{Device: "a", Group: "function-unproven"}
		if test.active {
			state.Active[key] = alarms.Alarm{Key: key, Severity: alarms.Warning, Last: alarmstest.At(500)}
		}
		d := &hsm.Device{Name: "a", CountedSince: alarmstest.At(0),
			Information: hsm.Section[hsm.Information]{At: alarmstest.At(test.read), MaxAge: 150 * time.Second, Value: hsm.Information{CryptoRequests: hsm.Some[uint64](5)}}}
		if test.proven > 0 {
			d.Proven = hsm.Proof{At: alarmstest.At(test.proven), By: "x"}
		}
		limits, now := DefaultThresholds(), alarmstest.At(test.at)
		limits.Expected = map[string]expect.Device{"a": test.want}
		got := ""
		for _, c := range alarms.Eval(state, EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, state, limits, now), alarms.Damping{}, now) {
			switch {
			case c.Alarm.Group != key.Group:
			case c.Kind == alarms.Cleared:
				got = "cleared: " + c.Alarm.LastEvidence().Text
			case c.Kind == alarms.Raised:
				got = "raised " + c.Alarm.Severity.String() + ": " + c.Alarm.Text
			}
		}
		if diff := cmp.Diff(test.expects, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
