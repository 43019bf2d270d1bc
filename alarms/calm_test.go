package alarms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSpacing tells of one alarm at most once a minute, and then how it stands.
func TestSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		a := start(t, t.TempDir(), map[string]Notifier{"noc": r}, func(w *Watch) { w.Settings.NotifyInterval = time.Minute })
		defer a.stop()
		for i := range 10 {
			a.must(a.lines(fmt.Sprint(i), transport))
			pass(time.Second)
			a.must(a.lines(fmt.Sprint(i, "b"), recovered))
			pass(time.Second)
		}
		same(t, "within the minute", []string{"raised major a/stm"}, r.told())
		pass(2 * time.Minute)
		// From the fifth beginning on it flaps, and stands until it was quiet.
		same(t, "after it", []string{"raised major a/stm", "raised major a/stm"}, r.told())
		_, taken := r.saw()
		if !taken[1].Change.Alarm.Flapping {
			t.Errorf("does not flap: %+v", taken[1])
		}
		pass(time.Hour)
		same(t, "at last", []string{"raised major a/stm", "raised major a/stm", "cleared major a/stm"}, r.told())
	})
}

// TestOperators silences, acknowledges and clears, over a restart.
func TestOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, boss := &receiver{}, &receiver{}
		escalate := func(w *Watch) {
			w.Receivers["boss"] = Receiver{Notifier: boss, Route: Route{UnacknowledgedFor: 15 * time.Minute}}
		}
		a := start(t, dir, map[string]Notifier{"noc": r}, escalate)
		id, err := a.Silence(Silence{Match: Match{Groups: []string{"battery"}}, Author: "kim", Reason: "new unit comes", From: time.Now(), Until: time.Now().Add(time.Hour)})
		a.must(err)
		_, err = a.Silence(Silence{Match: Match{Groups: []string{"battery"}}, Author: "kim", Until: time.Now().Add(time.Hour)})
		if err == nil {
			t.Error("a silence without a reason")
		}
		a.must(a.lines("1", transport, lowPower))
		same(t, "told", []string{"raised major a/stm"}, r.told())
		a.must(a.Acknowledge("a/stm", "kim", "planned"))
		if a.Acknowledge("a/nothing", "kim", "") == nil {
			t.Error("acknowledged nothing")
		}
		synctest.Wait() // else it stops between the delivery and its record
		a.stop()
		a = start(t, dir, map[string]Notifier{"noc": r}, escalate)
		defer a.stop()
		list := a.Active()
		if list[0].Ack == nil || list[0].Ack.By != "kim" || list[1].Silence == nil || list[1].Silence.Reason != "new unit comes" {
			t.Errorf("after a restart: %+v", list)
		}
		pass(30 * time.Minute)
		same(t, "told", []string{"raised major a/stm", "acknowledged major a/stm"}, r.told())
		same(t, "the boss", nil, boss.told())
		a.must(a.Unsilence(id))
		pass(time.Second)
		same(t, "after the silence", []string{"raised major a/stm", "acknowledged major a/stm", "raised minor a/battery"}, r.told())
		same(t, "the boss, of what nobody looks after", []string{"raised minor a/battery"}, boss.told())
		a.must(a.Clear(fmt.Sprint(list[0].Number), "done"))
		pass(time.Second)
		same(t, "stands", []string{"battery"}, a.active())
		if ended, err := a.History(5); err != nil || len(ended) != 1 || ended[0].lastEvidence().Text != "ended by hand: done" {
			t.Errorf("history %+v, %v", ended, err)
		}
	})
}

// TestChain raises a test alarm that every receiver gets.
func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &receiver{}
		bad := &receiver{answer: func(Notification) error { return errors.New("no route") }}
		a := start(t, t.TempDir(), map[string]Notifier{"bad": bad}, func(w *Watch) {
			w.Receivers["good"] = Receiver{Notifier: good, Confirms: true, Route: Route{Only: Match{Severity: Critical}}}
			w.Receivers["off"] = Receiver{Notifier: good, Route: Route{Policy: Policy{Level: LevelOff}}}
		})
		defer a.stop()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		list, err := a.Test(ctx, "kim")
		a.must(err)
		var got []string
		for _, x := range list {
			got = append(got, x.Receiver+" "+x.Result+" "+x.Error)
		}
		same(t, "results", []string{"bad failed no route", "good confirmed ", "off off "}, got)
		pass(2 * time.Minute)
		same(t, "stands", nil, a.active())
		if told := good.told(); len(told) != 2 || !strings.HasPrefix(told[1], "cleared warning lunawatch/test/") {
			t.Errorf("told %q", told)
		}
	})
}

// TestGivenUp rejects one notification and lets another expire: the rest goes
// on, and others are told.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := &receiver{}
		picky := &receiver{answer: func(n Notification) error {
			if n.Change.Alarm.Group == "stm" {
				return &Rejected{errors.New("bad request")}
			}
			return nil
		}}
		dead := &receiver{answer: func(Notification) error { return errors.New("no route") }}
		a := start(t, t.TempDir(), map[string]Notifier{"other": other, "picky": picky}, func(w *Watch) {
			w.Receivers["dead"] = Receiver{Notifier: dead, Route: Route{Expire: time.Hour}}
		})
		defer a.stop()
		a.must(a.lines("1", transport, lowPower))
		pass(time.Second)
		same(t, "picky", []string{"raised minor a/battery"}, picky.told()[:1])
		pass(2 * time.Hour)
		d := a.Deliveries()
		if d["picky"].Rejected != 1 || d["dead"].Expired < 2 || d["dead"].Delivered != 0 {
			t.Errorf("counts %+v", d)
		}
		all := strings.Join(other.told(), "\n")
		if !strings.Contains(all, "raised major lunawatch/delivery/dead") || !strings.Contains(all, "raised major lunawatch/delivery/picky") {
			t.Errorf("told\n%s", all)
		}
		for _, id := range func() []string { tried, _ := dead.saw(); return tried }() {
			if strings.HasPrefix(id, "lunawatch/delivery/dead") {
				t.Errorf("the dead one is told that it is dead: %s", id)
			}
		}
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		up.Store(true)
		r := &receiver{answer: func(Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("no route")
		}}
		a := start(t, t.TempDir(), nil, func(w *Watch) {
			w.Receivers["noc"] = Receiver{Notifier: r, Route: Route{Heartbeat: 5 * time.Minute}}
		})
		defer a.stop()
		pass(11 * time.Minute)
		up.Store(false)
		pass(2 * time.Hour)
		up.Store(true)
		pass(time.Minute)
		_, taken := r.saw()
		var kinds []string
		for i, n := range taken {
			kinds = append(kinds, string(n.Change.Kind))
			if n.Sequence != uint64(i+1) {
				t.Errorf("notification %d has number %d", i, n.Sequence)
			}
		}
		same(t, "kinds", []string{"started", "heartbeat", "heartbeat", "heartbeat"}, kinds)
	})
}

// TestDroppedAfterARestart: what is pending outlives a restart and Past does
// not, so its beginnings are known from the alarm alone.
func TestDroppedAfterARestart(t *testing.T) {
	k := Key{Device: "a", Group: "stm"}
	s := NewState()
	s.Pending[k] = Alarm{Key: k, Severity: Major, Last: at(0), Begun: []time.Time{at(-20), at(-10)}, RaisesAt: at(60)}
	s.Apply(Eval(s, isGood(10), Damping{FlapCount: 3, FlapWindow: 10 * time.Minute}, at(10)))
	if p := s.Past[k]; len(s.Pending) != 0 || len(p.Begun) != 2 || !p.By.Equal(at(10)) {
		t.Errorf("pending %v, past %+v", s.Pending, p)
	}
}
