package watch_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestOthersAreNotWaitedForLong: an alarm waits until other agents have said whether they
// reach the HSM, and what they say is in what the receiver gets; if they say nothing, it is
// raised after three seconds.
func TestOthersAreNotWaitedForLong(t *testing.T) {
	for name, test := range map[string]struct {
		answer time.Duration // after they were asked; 0: never
		after  time.Duration // when the alarm is raised
		text   string
	}{
		"answered": {2 * time.Second, 2 * time.Second, "no answer: dial; also not from lw2"},
		"silent":   {0, hsm.AnswersWithin, "no answer: dial"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				noc := &alarmstest.Receiver{}
				a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": noc})
				defer a.Stop()
				fails := hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), Failure: hsm.Unreachable, Layer: hsm.LayerNoAnswer, Err: errors.New("dial")}
				a.Store.Apply(fails)
				e := hsm.Elsewhere{Self: "lw1", Asked: time.Now()}
				a.Store.Apply(hsm.Observation{Device: "a", Facts: []hsm.Fact{e}})
				a.Store.Apply(fails) // of which an alarm is raised
				if test.answer > 0 {
					time.AfterFunc(test.answer, func() {
						e.Answered, e.Opinions = time.Now(), []hsm.Opinion{{Agent: "lw2", Err: "refused"}}
						a.Store.Apply(hsm.Observation{Device: "a", Facts: []hsm.Fact{e}})
					})
				}
				watchtest.Advance(test.after - time.Millisecond)
				if got := noc.Received(); len(got) > 0 {
					t.Errorf("before the others are to have answered: %q", got)
				}
				watchtest.Advance(200 * time.Millisecond)
				if got := noc.Received(); !slices.Contains(got, "raised major a/unreachable") {
					t.Errorf("%s after the others were asked: %q", test.after, got)
				}
				_, taken := noc.Attempts()
				for _, n := range taken {
					if n.Change.Alarm.Text != test.text {
						t.Errorf("the alarm says %q, want %q", n.Change.Alarm.Text, test.text)
					}
				}
			})
		})
	}
}
