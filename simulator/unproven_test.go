package simulator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/proven"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestUnproven: a receiver learns that the clients of an HSM have stopped in hours in which
// it is expected to be busy, and that they work again; at night it learns nothing. The HSM
// is polled as shipped, and every rule is evaluated.
func TestUnproven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midnight, r := time.Now(), &alarmstest.Receiver{}
		s := simulate(t, "7.2")
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, func(w *watch.Watch) {
			w.Settings.Expected = map[string]expect.Device{"a": {Busy: again.Hours{From: "08:00", To: "18:00", Zone: "UTC"}, UnprovenAfter: 15 * time.Minute}}
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- lunash.NewPoller("a", s.login(), 0, poll.DefaultIntervals()).Run(ctx, func(o hsm.Observation) {
				if p, ok := proven.By(a.Store.Latest().Device("a"), o); ok {
					o.Facts = append(o.Facts, p)
				}
				a.Store.Apply(o)
			})
		}()
		// at has the load be another from a time on.
		at := func(begin time.Duration, load string) {
			time.Sleep(time.Until(midnight.Add(begin)))
			s.inject("load " + load)
		}
		at(0, "40")
		at(12*time.Hour, "0")
		at(13*time.Hour, "40")
		at(19*time.Hour, "0")
		at(33*time.Hour, "1")
		at(34*time.Hour, "1")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		// The counters are read each 5 minutes: what they show is known so much later.
		want := []struct {
			kind     string
			from, to time.Duration // after midnight
		}{
			{"raised", 12*time.Hour + 15*time.Minute, 12*time.Hour + 21*time.Minute},
			{"cleared", 13 * time.Hour, 13*time.Hour + 6*time.Minute},
			{"raised", 32*time.Hour + 15*time.Minute, 32*time.Hour + 21*time.Minute},
			{"cleared", 33 * time.Hour, 33*time.Hour + 6*time.Minute},
		}
		_, taken := r.Attempts()
		i := 0
		for _, n := range taken {
			if n.Change.Alarm.Group != "function-unproven" {
				continue
			}
			after := n.At.Sub(midnight)
			if i >= len(want) || string(n.Change.Kind) != want[i].kind || after < want[i].from || after > want[i].to || n.Change.Alarm.Severity.String() != "warning" {
				t.Errorf("%s %s after midnight: %+v", n.Change.Kind, after, n.Change.Alarm)
			}
			i++
		}
		if i != len(want) {
			t.Errorf("%d notifications, want %d", i, len(want))
		}
		a.Stop()
	})
}
