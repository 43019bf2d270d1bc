package watch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// The lines of the promises.
const (
	chassisLine   = "k7pf0: [HSM] ALM2020: Chassis opened"
	integrityLine = "k7pf0: [HSM] ALM2024: Stored data integrity verify error"
	haltedLine    = "k7pf0: [HSM] ALM2009: HSM halted - internal firmware error"
	decomLine     = "k7pf0: [HSM] ALM2006: HSM decommissioned by FW"
	zeroizedLine  = "k7pf0: [HSM] ALM2007: HSM zeroized"
	hardLine      = "k7pf0: [HSM] ALM2015: Hard tamper - high temperature"
	lockLine      = "k7pf0: [HSM] ALM2010: HSM locked - tamper clear required"
	unlockedLine  = "k7pf0: [HSM] ALM2011: HSM unlocked - tamper clear done"
)

// kernelOf gives lines of a device's kernel to the Watch.
func kernelOf(a *watchtest.Running, device string, texts ...string) {
	var lines []hsm.LogLine
	for _, text := range texts {
		lines = append(lines, syslog.ParseLine(alarmstest.Stamp+"kern info  kernel: "+text))
	}
	a.Must(a.Lines(device, "/"+device, lines, []byte(fmt.Sprint(time.Now().UnixNano()))))
	synctest.Wait()
}

// shipped has a Watch run with the settings of an empty configuration.
func shipped(devices ...string) func(*watch.Watch) {
	return func(w *watch.Watch) {
		w.Settings = watch.DefaultSettings()
		for _, d := range devices {
			w.Store.Expect(hsm.NetworkHSM, d)
		}
	}
}

// flood gives so many harmless lines to the Watch, each an alarm of its own.
func flood(a *watchtest.Running, device string, from, to int) {
	for i := from; i < to; i++ {
		kernelOf(a, device, fmt.Sprintf("k7pf0: [HSM] ALM%04d: event", 3000+i))
		watchtest.Advance(100 * time.Millisecond)
	}
}

// TestStormCostsWhatFloods floods one HSM; what happens on another, and what is
// critical, is notified at once.
func TestStormCostsWhatFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a", "b"))
		defer a.Stop()
		flood(a, "a", 0, 60)
		r.Forget()
		kernelOf(a, "b", chassisLine, decomLine)
		kernelOf(a, "a", alarmstest.BatteryLine, haltedLine)
		watchtest.Advance(time.Second)
		got := r.Received()
		for _, want := range []string{"critical b/chassis", "critical b/decom", "minor a/battery", "critical a/halt"} {
			if !slices.Contains(got, "raised "+want) {
				t.Errorf("raised %s is withheld; received %q", want, got)
			}
		}
	})
}

// TestStormEnds has the alarms of a storm notified, each by name, when it ends.
func TestStormEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		flood(a, "a", 0, 80)
		watchtest.Advance(2 * time.Minute)
		got := r.Received()
		for i := range 80 {
			if want := fmt.Sprintf("raised indeterminate a/meta/ALM%04d", 3000+i); !slices.Contains(got, want) {
				t.Errorf("%s is withheld", want)
			}
		}
		for _, x := range a.Active() {
			if x.InStorm {
				t.Errorf("%s is still in a storm", x.Key)
			}
		}
	})
}

// TestRaisedAndCleared has alarms begin and end in one evaluation, and while
// the agent is down.
func TestRaisedAndCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.RecoveredLine))
		alarmstest.Same(t, "received", []string{"raised and cleared major a/stm"}, r.Received())
		a.Must(a.Kernel("2", alarmstest.TransportLine, alarmstest.RecoveredLine, alarmstest.TransportLine))
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "received", []string{"raised and cleared major a/stm", "raised and cleared major a/stm", "raised major a/stm"}, r.Received())
		_, taken := r.Attempts()
		if n := taken[0].Change.Alarm; n.Raised.IsZero() || n.Cleared.IsZero() {
			t.Errorf("raised %s, cleared %s", n.Raised, n.Cleared)
		}
	})
}

// TestClearBetween never has a second raise without the clear of the first.
func TestClearBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		watchtest.Advance(5 * time.Second)
		a.Must(a.Kernel("2", alarmstest.RecoveredLine, alarmstest.TransportLine))
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "received", []string{"raised major a/stm", "cleared major a/stm", "raised major a/stm"}, r.Received())
		a.Must(a.Kernel("3", alarmstest.RecoveredLine, alarmstest.TransportLine, alarmstest.RecoveredLine))
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "received", []string{"raised major a/stm", "cleared major a/stm", "raised major a/stm", "cleared major a/stm", "raised and cleared major a/stm"}, r.Received())
	})
}

// TestSuppressionIsShort: an acknowledged or old alarm suppresses nothing new,
// and some kinds are never suppressed.
func TestSuppressionIsShort(t *testing.T) {
	for name, x := range map[string]struct {
		first string
		then  func(a *watchtest.Running)
		next  string
		want  string
	}{
		"acknowledged": {integrityLine, func(a *watchtest.Running) {
			for _, active := range a.Active() {
				a.Must(a.Acknowledge(active.Key.String(), "kim", "restart planned"))
			}
		}, haltedLine, "raised critical a/halt"},
		"three weeks old":               {decomLine, func(*watchtest.Running) { watchtest.Advance(21 * 24 * time.Hour) }, lockLine, "a/lock"},
		"keys lost after a tamper":      {hardLine, func(*watchtest.Running) { watchtest.Advance(time.Second) }, decomLine, "raised critical a/decom"},
		"halted after a tamper":         {hardLine, func(*watchtest.Running) { watchtest.Advance(time.Second) }, haltedLine, "raised critical a/halt"},
		"zeroized after a decommission": {decomLine, func(*watchtest.Running) { watchtest.Advance(time.Second) }, zeroizedLine, "raised critical a/zeroize"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &alarmstest.Receiver{}
				a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
				defer a.Stop()
				a.Must(a.Kernel("1", x.first))
				x.then(a)
				r.Forget()
				a.Must(a.Kernel("2", x.next))
				watchtest.Advance(2 * time.Second)
				if got := strings.Join(r.Received(), ", "); !strings.Contains(got, x.want) {
					t.Errorf("%s is withheld; received %q, active %q", x.want, got, a.ActiveGroups())
				}
			})
		})
	}
}

// TestConsequenceWaits: when a cause clears, its consequence is notified only
// once its source has shown it again.
func TestConsequenceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		a.Must(a.Kernel("1", chassisLine, lockLine))
		watchtest.Advance(time.Second)
		a.Polled(hsm.Show{Status: "Tamper"})
		watchtest.Advance(time.Second)
		alarmstest.Same(t, "suppressed", []string{"raised critical a/chassis"}, r.Received())
		watchtest.Advance(time.Minute)
		a.Must(a.Clear("a/chassis", "kim", "closed"))
		watchtest.Advance(5 * time.Second)
		alarmstest.Same(t, "before its source is read", []string{"raised critical a/chassis", "cleared critical a/chassis"}, r.Received())
		a.Polled(hsm.Show{Status: "Tamper"})
		watchtest.Advance(time.Minute)
		if got := strings.Join(r.Received(), ", "); !strings.Contains(got, "a/hsm-status") {
			t.Errorf("after the next reading: received %q", got)
		}
		watchtest.Advance(20 * time.Minute)
		if got := strings.Join(r.Received(), ", "); !strings.Contains(got, "a/lock") {
			t.Errorf("what no source shows again is withheld for ever; received %q", got)
		}
	})
}

// TestCauseOfAnother: a cause suppresses only for those who are notified of it.
func TestCauseOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, late := &alarmstest.Receiver{}, &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"all": all, "late": late}, shipped("a"), func(w *watch.Watch) {
			x := w.Receivers["late"]
			x.UnacknowledgedFor = time.Hour
			w.Receivers["late"] = x
		})
		defer a.Stop()
		a.Must(a.Kernel("1", chassisLine))
		watchtest.Advance(59 * time.Minute)
		a.Must(a.Acknowledge("a/chassis", "kim", "on my way"))
		a.Must(a.Kernel("2", lockLine))
		watchtest.Advance(2 * time.Hour)
		if got := strings.Join(late.Received(), ", "); !strings.Contains(got, "a/lock") || strings.Contains(got, "a/chassis") {
			t.Errorf("the escalation receiver received %q", got)
		}
	})
}

// TestGivenUpComesAgain: an alarm that a receiver never got is named, and comes
// again once the receiver answers, as it is then.
func TestGivenUpComesAgain(t *testing.T) {
	for name, x := range map[string]struct{ lost, next, want string }{
		"still active": {"a/stm", alarmstest.TransportLine, "raised major a/stm"},
		"cleared":      {"a/halt", haltedLine, "raised and cleared critical a/halt"}, // by the next line
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				down := true
				r := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
					if down {
						return errors.New("connection refused")
					}
					return nil
				}}
				a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"), func(w *watch.Watch) {
					x := w.Receivers["noc"]
					x.Expire = time.Hour
					w.Receivers["noc"] = x
				})
				defer a.Stop()
				a.Must(a.Kernel("1", x.next))
				watchtest.Advance(65 * time.Minute)
				text := ""
				for _, x := range a.Active() {
					if x.Group == "delivery" {
						text = x.Text
					}
				}
				if !strings.Contains(text, x.lost) || !strings.Contains(text, "connection refused") {
					t.Errorf("the delivery alarm says %q", text)
				}
				down = false
				a.Must(a.Kernel("2", alarmstest.BatteryLine))
				watchtest.Advance(3 * time.Minute)
				alarmstest.Same(t, "received", []string{"raised minor a/battery", x.want}, r.Received())
			})
		})
	}
}

// TestNoReceiverDelaysAnother has one peer of an Alertmanager hang: the other
// gets every alarm at once, and each again every minute.
func TestNoReceiverDelaysAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, hanging := &refreshed{last: make(map[string]time.Time)}, hangs{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"am": good, "am#2": hanging}, shipped("a"), func(w *watch.Watch) {
			for _, name := range []string{"am", "am#2"} {
				r := w.Receivers[name]
				r.Refresh = time.Minute
				w.Receivers[name] = r
			}
		})
		defer a.Stop()
		for i := range 31 {
			a.Must(a.Kernel(fmt.Sprint(i), fmt.Sprintf("k7pf%d: [HSM] ALM2012: HSM in secure transport mode", i)))
			watchtest.Advance(3 * time.Second)
		}
		for range 60 {
			watchtest.Advance(time.Minute)
			for key, at := range good.seen() {
				if age := time.Since(at); age > time.Minute+time.Second {
					t.Fatalf("%s was last sent %s ago", key, age)
				}
			}
		}
		if n := len(good.seen()); n != 32 { // and the delivery alarm of the other
			t.Errorf("%d alarms arrived", n)
		}
		t.Logf("the longest time between two refreshes of an alert: %s; it lasts 5m0s", good.worst)
	})
}

// A refreshed receiver records when each alarm last came.
type refreshed struct {
	mu    sync.Mutex
	last  map[string]time.Time
	worst time.Duration
}

func (r *refreshed) Notify(_ context.Context, n alarms.Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := n.Change.Alarm.Key.String()
	if at, known := r.last[key]; known {
		r.worst = max(r.worst, time.Since(at))
	}
	r.last[key] = time.Now()
	return nil
}

func (r *refreshed) seen() map[string]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.last)
}

// A hangs accepts everything and answers nothing.
type hangs struct{}

func (hangs) Notify(ctx context.Context, _ alarms.Notification) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestClockWasWrong: what an hour's wrong clock has stored neither hides newer
// evidence nor goes unnoticed.
func TestClockWasWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r}, shipped("a"))
		later, key := time.Now().Add(time.Hour), alarms.Key{Device: "a", Group: "stm"}
		e := journal.Entry{Changes: []alarms.Change{{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: key, Number: 7, Severity: alarms.Major, Codes: []string{"2012"}, Raised: later, Last: later}}}}
		a.Must(a.Journal.Write(e))
		a.Stop()
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r}, shipped("a"))
		defer a.Stop()
		watchtest.Advance(time.Second)
		a.Must(a.Kernel("2", alarmstest.RecoveredLine))
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "active", []string{"journal"}, a.ActiveGroups())
		if got := strings.Join(r.Received(), ", "); !strings.Contains(got, "cleared major a/stm") || !strings.Contains(got, "raised warning lunawatch/journal/clock") {
			t.Errorf("received %q", got)
		}
	})
}

// TestLostStateNamesIncidents: who was notified of what is in the alarm of a lost
// state.
func TestLostStateNamesIncidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"pd": r}, shipped("a"))
		a.Must(a.Kernel("1", haltedLine))
		watchtest.Advance(15 * time.Second)
		a.Stop()
		a.Must(os.Truncate(filepath.Join(dir, "state.db"), 0))
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"pd": r}, shipped("a"))
		defer a.Stop()
		if active := a.Active(); len(active) != 1 || !strings.Contains(active[0].Text, "a/halt (pd)") {
			t.Errorf("%+v", active)
		}
	})
}
