package watch_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
)

// The receivers that work in the stories of delays, and what of them. Beside
// them are up to four that do not.
const (
	plain        = "plain"      // takes one at a time, at once
	refreshing   = "refreshing" // and forgets
	slowReceives = "slow"       // takes several at once, each time for 20 s, and forgets
	freshEvery   = time.Minute
)

// TestNoReceiverDelaysAnotherRandom: whatever others do, a receiver that works
// has a notification within a second of its being queued, and one that forgets
// has every active alarm again within its interval and one attempt.
func TestNoReceiverDelaysAnotherRandom(t *testing.T) {
	stories(t, 12, func(t *testing.T, r *rand.Rand) {
		s := delayStory(t, r)
		defer func() { s.a.Stop() }()
		for range 10 + r.IntN(20) {
			switch device := pick(s, []string{"a", "b", "c"}); r.IntN(5) {
			case 0, 1:
				s.turn()
			case 2:
				s.operate()
			default:
				s.lines(device, pick(s, storyLines), pick(s, storyLines))
			}
			watchtest.Advance(time.Duration(r.IntN(150)) * time.Second)
		}
		watchtest.Advance(2 * time.Minute)
		for _, x := range s.boxes[plain].arrivals() {
			if took := x.at.Sub(x.At); took > time.Second {
				t.Errorf("%s took %s", x.ID, took)
			}
		}
		active := make(map[alarms.Key]bool)
		for _, x := range s.a.Active() {
			active[x.Key] = true
		}
		checkRefreshed(t, refreshing, s.boxes[refreshing].arrivals(), active, freshEvery+time.Second)
		checkRefreshed(t, slowReceives, s.boxes[slowReceives].arrivals(), active, freshEvery+notify.DeliveryTimeout)
		for name, d := range s.a.Deliveries() {
			if name == plain && d.Waiting > 0 {
				t.Errorf("%d wait for %s", d.Waiting, name)
			}
		}
		if t.Failed() {
			t.Logf("the story:\n%s", strings.Join(s.told, "\n"))
		}
	})
}

// delayStory has three receivers that work, and up to four that turn.
func delayStory(t *testing.T, r *rand.Rand) *story {
	s := &story{Rand: r, t: t, boxes: map[string]*mailbox{plain: {mood: works}, refreshing: {mood: works}, slowReceives: {mood: slow}}, versions: make(map[uint64][]version)}
	s.names = []string{plain} // which never turns
	for i := range 1 + r.IntN(4) {
		name := fmt.Sprint("bad", i)
		s.names, s.boxes[name] = append(s.names, name), &mailbox{mood: stalls}
	}
	s.a = watchtest.Start(t, t.TempDir(), nil, shipped("a", "b", "c"), func(w *watch.Watch) {
		for name, box := range s.boxes {
			x := notify.Receiver{Notifier: box}
			if name != plain {
				x.Refresh, x.Expire = freshEvery, 30*time.Minute
			}
			if name == slowReceives || r.IntN(2) == 0 && name != plain && name != refreshing {
				x.Together = box.together
			}
			w.Receivers[name] = x
		}
	})
	return s
}

// checkRefreshed holds that an alarm, once it came, comes again in time until it
// is cleared.
func checkRefreshed(t *testing.T, name string, list []arrival, active map[alarms.Key]bool, within time.Duration) {
	t.Helper()
	last := make(map[alarms.Key]time.Time)
	for _, x := range list {
		key, due := x.Change.Alarm.Key, x.at
		if x.Change.Kind == alarms.Cleared {
			due = x.Change.Alarm.Cleared // which may have waited
		}
		if at, known := last[key]; known && due.Sub(at) > within {
			t.Errorf("%s: %s came again only after %s, at %s", name, key, due.Sub(at), x.at.UTC())
		}
		last[key] = x.at
		if kind := x.Change.Kind; kind == alarms.Cleared || kind == alarms.RaisedAndCleared {
			delete(last, key)
		}
	}
	for key, at := range last {
		if active[key] && time.Since(at) > within {
			t.Errorf("%s: %s last came %s ago", name, key, time.Since(at))
		}
	}
}
