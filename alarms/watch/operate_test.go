package watch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
)

// TestSpacing sends at most one notification per alarm per minute, giving its
// latest state, and names what came and went meanwhile.
func TestSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, func(w *watch.Watch) { w.Settings.NotifyInterval = time.Minute })
		defer a.Stop()
		for i := range 10 {
			a.Must(a.Kernel(fmt.Sprint(i), alarmstest.TransportLine))
			watchtest.Advance(time.Second)
			a.Must(a.Kernel(fmt.Sprint(i, "b"), alarmstest.RecoveredLine))
			watchtest.Advance(time.Second)
		}
		within := []string{"raised major a/stm", "cleared major a/stm", "raised and cleared major a/stm", "raised and cleared major a/stm", "raised and cleared major a/stm"}
		alarmstest.Same(t, "within the minute", within, r.Received())
		watchtest.Advance(2 * time.Minute)
		// From the fifth beginning on it flaps, and stays active until it has
		// been quiet.
		alarmstest.Same(t, "after it", append(within, "raised major a/stm"), r.Received())
		_, taken := r.Attempts()
		if !taken[5].Change.Alarm.Flapping {
			t.Errorf("does not flap: %+v", taken[5])
		}
		watchtest.Advance(time.Hour)
		alarmstest.Same(t, "at last", append(within, "raised major a/stm", "cleared major a/stm"), r.Received())
	})
}

// TestOperators silences, acknowledges and clears, over a restart.
func TestOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, boss := &alarmstest.Receiver{}, &alarmstest.Receiver{}
		escalate := func(w *watch.Watch) {
			w.Receivers["boss"] = notify.Receiver{Notifier: boss, Route: notify.Route{UnacknowledgedFor: 15 * time.Minute}}
		}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r}, escalate)
		id, err := a.Silence(alarms.Silence{Match: alarms.Match{Groups: []string{"battery"}}, Author: "kim", Reason: "new unit comes", From: time.Now(), Until: time.Now().Add(time.Hour)})
		a.Must(err)
		_, err = a.Silence(alarms.Silence{Match: alarms.Match{Groups: []string{"battery"}}, Author: "kim", Until: time.Now().Add(time.Hour)})
		if err == nil {
			t.Error("a silence without a reason")
		}
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.BatteryLine))
		alarmstest.Same(t, "received", []string{"raised major a/stm"}, r.Received())
		a.Must(a.Acknowledge("a/stm", "kim", "planned"))
		for name, want := range map[string]string{"a/nothing": "lunawatch alarms list", "a/stn": `did you mean "a/stm"?`} {
			if err := a.Acknowledge(name, "kim", ""); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("acknowledged %s: %v", name, err)
			}
		}
		synctest.Wait() // else it stops between the delivery and its record
		a.Stop()
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r}, escalate)
		defer a.Stop()
		list := a.Active()
		if list[0].Ack == nil || list[0].Ack.By != "kim" || list[1].Silence == nil || list[1].Silence.Reason != "new unit comes" {
			t.Errorf("after a restart: %+v", list)
		}
		watchtest.Advance(30 * time.Minute)
		alarmstest.Same(t, "received", []string{"raised major a/stm", "acknowledged major a/stm"}, r.Received())
		alarmstest.Same(t, "the boss", nil, boss.Received())
		a.Must(a.Unsilence(id))
		watchtest.Advance(time.Second)
		alarmstest.Same(t, "after the silence", []string{"raised major a/stm", "acknowledged major a/stm", "raised minor a/battery"}, r.Received())
		alarmstest.Same(t, "the boss, of what nobody looks after", []string{"raised minor a/battery"}, boss.Received())
		a.Must(a.Clear(fmt.Sprint(list[0].Number), "kim", "done"))
		watchtest.Advance(time.Second)
		alarmstest.Same(t, "active", []string{"battery"}, a.ActiveGroups())
		if cleared, err := a.History(5); err != nil || len(cleared) != 1 || cleared[0].LastEvidence().Text != "cleared by kim: done" {
			t.Errorf("history %+v, %v", cleared, err)
		}
	})
}

// TestChain raises a test alarm that every receiver gets.
func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &alarmstest.Receiver{}
		bad := &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("no route") }}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"bad": bad}, func(w *watch.Watch) {
			w.Receivers["good"] = notify.Receiver{Notifier: good, Confirms: true, Route: notify.Route{Only: alarms.Match{Severity: alarms.Critical}}}
			w.Receivers["off"] = notify.Receiver{Notifier: good, Route: notify.Route{Policy: notify.Policy{Level: notify.LevelOff}}}
		})
		defer a.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		list, err := a.Test(ctx, "kim")
		a.Must(err)
		var got []string
		for _, x := range list {
			got = append(got, x.Receiver+" "+x.Result+" "+x.Error)
		}
		alarmstest.Same(t, "results", []string{"bad failed no route", "good confirmed ", "off off "}, got)
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "active", nil, a.ActiveGroups())
		if received := good.Received(); len(received) != 2 || !strings.HasPrefix(received[1], "cleared warning lunawatch/test/") {
			t.Errorf("received %q", received)
		}
	})
}

// TestGivenUp rejects one notification and lets another expire: the others are
// delivered, and other receivers notified of it.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := &alarmstest.Receiver{}
		picky := &alarmstest.Receiver{Answer: func(n alarms.Notification) error {
			if n.Change.Alarm.Group == "stm" {
				return &notify.Rejected{Err: errors.New("bad request")}
			}
			return nil
		}}
		dead := &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("no route") }}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"other": other, "picky": picky}, func(w *watch.Watch) {
			w.Receivers["dead"] = notify.Receiver{Notifier: dead, Route: notify.Route{Expire: time.Hour}}
		})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.BatteryLine))
		watchtest.Advance(time.Second)
		alarmstest.Same(t, "picky", []string{"raised minor a/battery"}, picky.Received()[:1])
		watchtest.Advance(2 * time.Hour)
		d := a.Deliveries()
		if d["picky"].Rejected != 1 || d["dead"].Expired < 2 || d["dead"].Delivered != 0 {
			t.Errorf("counts %+v", d)
		}
		all := strings.Join(other.Received(), "\n")
		if !strings.Contains(all, "raised major lunawatch/delivery/dead") || !strings.Contains(all, "raised major lunawatch/delivery/picky") {
			t.Errorf("received\n%s", all)
		}
		for _, id := range func() []string { tried, _ := dead.Attempts(); return tried }() {
			if strings.HasPrefix(id, "lunawatch/delivery/dead") {
				t.Errorf("the dead one is notified that it is dead: %s", id)
			}
		}
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		up.Store(true)
		r := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("no route")
		}}
		a := watchtest.Start(t, t.TempDir(), nil, func(w *watch.Watch) {
			w.Receivers["noc"] = notify.Receiver{Notifier: r, Route: notify.Route{Heartbeat: 5 * time.Minute}}
		})
		defer a.Stop()
		watchtest.Advance(11 * time.Minute)
		up.Store(false)
		watchtest.Advance(2 * time.Hour)
		up.Store(true)
		watchtest.Advance(time.Minute)
		_, taken := r.Attempts()
		var kinds []string
		for i, n := range taken {
			kinds = append(kinds, string(n.Change.Kind))
			if n.Sequence != uint64(i+1) {
				t.Errorf("notification %d has number %d", i, n.Sequence)
			}
		}
		alarmstest.Same(t, "kinds", []string{"started", "heartbeat", "heartbeat", "heartbeat"}, kinds)
	})
}

// TestDroppedAfterARestart: what is pending survives a restart and Past does
// not, so its beginnings are known from the alarm alone.
func TestDroppedAfterARestart(t *testing.T) {
	k := alarms.Key{Device: "a", Group: "stm"}
	s := alarms.NewState()
	s.Pending[k] = alarms.Alarm{Key: k, Severity: alarms.Major, Last: alarmstest.At(0), Begun: []time.Time{alarmstest.At(-20), alarmstest.At(-10)}, RaisesAt: alarmstest.At(60)}
	s.Apply(alarms.Eval(s, alarmstest.Clearing(10), alarms.Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}, alarmstest.At(10)))
	if p := s.Past[k]; len(s.Pending) != 0 || len(p.Begun) != 2 || !p.By.Equal(alarmstest.At(10)) {
		t.Errorf("pending %v, past %+v", s.Pending, p)
	}
}
