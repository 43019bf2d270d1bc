package receivers

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestPagerDutyObservedChanges: firmware and a policy that polls find changed, though
// nothing is expected of either, are a change event each and no incident, also when the
// agent was down meanwhile; when their alarms end, nothing is left that pages anybody.
func TestPagerDutyObservedChanges(t *testing.T) {
	r := new(alarmstest.Receiver)
	synctest.Test(t, func(t *testing.T) {
		dir, to := t.TempDir(), map[string]notify.Notifier{"on-call": r}
		polled := func(a *watchtest.Running, firmware, minimum string) {
			a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: "70001", Firmware: firmware}}})
			a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm showpolicies", At: time.Now(), MaxAge: time.Hour, Facts: []hsm.Fact{
				hsm.Policies{Policies: []hsm.Policy{{ID: hsm.Some[int64](25), Description: "Minimum pin length", Value: minimum, Destructive: hsm.Some(false)}}}}})
			watchtest.Advance(time.Minute)
		}
		a := watchtest.Start(t, dir, to)
		polled(a, "7.4.0", "8")
		polled(a, "7.4.0", "9")
		a.Stop()
		watchtest.Advance(time.Hour)
		a = watchtest.Start(t, dir, to)
		polled(a, "7.7.1", "9")
		watchtest.Advance(25 * time.Hour) // longer than event_age
		a.Stop()
	})
	s := newSite(t, subject{})
	inProcess(checkPagerDuty)(s)
	p := &PagerDuty{URL: s.url("/v2/enqueue"), RoutingKeyFile: s.secret("key-0000"), Changes: true}
	_, taken := r.Attempts()
	for _, n := range taken {
		if n.Change.Alarm.Group != "hsm-changed" {
			continue
		}
		if err := p.Notify(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	var changes, resolved int
	for _, body := range gotten(s) {
		switch {
		case strings.Contains(body, `"event_action":"resolve"`):
			resolved++
		case strings.Contains(body, "event_action"):
			t.Errorf("an incident: %s", body)
		case !strings.Contains(body, []string{"policy 25 (Minimum pin length) is 9, before 8", "firmware is 7.7.1, before 7.4.0"}[min(changes, 1)]):
			t.Errorf("change event %d: %s", changes, body)
			changes++
		default:
			changes++
		}
	}
	if changes != 2 || resolved != 2 {
		t.Errorf("%d change events, and %d ends of what is no incident, want 2 and 2: %q", changes, resolved, r.Received())
	}
	if slices.Contains(r.Received(), "raised major a/inventory/firmware") {
		t.Errorf("nothing is expected: %q", r.Received())
	}
}
