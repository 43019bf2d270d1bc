package watch_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestGivenUpCauseSuppressesNothing: of a cause that a receiver rejects it is
// not notified, so that it must get the consequence.
func TestGivenUpCauseSuppressesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		picky := &alarmstest.Receiver{Answer: func(n alarms.Notification) error {
			if n.Change.Alarm.Group == "chassis" {
				return &notify.Rejected{Err: errors.New("bad request")}
			}
			return nil
		}}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"picky": picky}, shipped("a"))
		defer a.Stop()
		kernelOf(a, "a", chassisLine)
		watchtest.Advance(time.Minute)
		kernelOf(a, "a", lockLine)
		a.Must(a.Acknowledge("a/chassis", "kim", "on my way"))
		a.Polled(hsm.Show{Status: "Tamper"})
		watchtest.Advance(12 * time.Minute) // until what was polled is stale
		for _, want := range []string{"raised critical a/lock", "raised warning a/data-stale/show"} {
			if got := picky.Received(); !slices.Contains(got, want) {
				t.Errorf("%s is withheld, too; received %q", want, got)
			}
		}
	})
}

// TestOnlyACauseIsWaitedFor: an alarm that has cleared and explained nothing,
// since it was milder, delays no escalation.
func TestOnlyACauseIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boss := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"boss": boss}, shipped("a"), func(w *watch.Watch) {
			w.Receivers["boss"] = notify.Receiver{Notifier: boss, Route: notify.Route{UnacknowledgedFor: 15 * time.Minute}}
		})
		defer a.Stop()
		a.Polled(hsm.Show{Status: "L3 Device, Zeroized"})
		watchtest.Advance(14 * time.Minute)
		kernelOf(a, "a", alarmstest.TransportLine, alarmstest.RecoveredLine)
		watchtest.Advance(time.Minute + time.Second)
		if got := boss.Received(); !slices.Contains(got, "raised critical a/hsm-status") {
			t.Errorf("withheld by an alarm that was milder; received %q", got)
		}
	})
}

// TestRaiseComesOnce: a receiver that took a raise, but of which later
// notifications were given up, gets the rest once it answers, not the raise
// again.
func TestRaiseComesOnce(t *testing.T) {
	for name, x := range map[string]struct {
		down, up time.Duration // when the receiver is, after the raise
		clear    time.Duration
		want     []string
	}{
		"a repeat is given up":      {time.Minute, 3 * time.Hour, 24 * time.Hour, []string{"raised major a/stm", "updated major a/stm"}},
		"and it clears meanwhile":   {time.Minute, 3 * time.Hour, 2 * time.Hour, []string{"raised major a/stm", "cleared major a/stm"}},
		"the raise and its repeats": {0, 3 * time.Hour, 24 * time.Hour, []string{"raised major a/stm"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
					if after := time.Since(began); after >= x.down && after < x.up {
						return errors.New("connection refused")
					}
					return nil
				}}
				a := watchtest.Start(t, t.TempDir(), nil, shipped("a"), func(w *watch.Watch) {
					w.Receivers["noc"] = notify.Receiver{Notifier: r, Route: notify.Route{Repeat: 20 * time.Minute, Expire: time.Hour}}
				})
				defer a.Stop()
				a.Must(a.Kernel("1", alarmstest.TransportLine))
				watchtest.Advance(min(x.clear, x.up+time.Minute))
				if x.clear < x.up {
					a.Must(a.Kernel("2", alarmstest.RecoveredLine))
					watchtest.Advance(x.up + time.Minute - x.clear)
				}
				a.Must(a.Kernel("3", alarmstest.BatteryLine)) // it answers
				watchtest.Advance(3 * time.Minute)
				got := slices.DeleteFunc(r.Received(), func(s string) bool { return !strings.HasSuffix(s, "a/stm") })
				alarmstest.Same(t, "received", x.want, got)
			})
		})
	}
}

// TestGivenUpIsSaid: the delivery alarm names what was given up, although more
// waits, and although somebody cleared it before.
func TestGivenUpIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("connection refused") }}
		a := watchtest.Start(t, t.TempDir(), nil, shipped("a"), func(w *watch.Watch) {
			w.Receivers["noc"] = notify.Receiver{Notifier: down, Route: notify.Route{Expire: time.Hour}}
		})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		watchtest.Advance(30 * time.Minute)
		a.Must(a.Kernel("2", haltedLine))
		watchtest.Advance(20 * time.Minute)
		a.Must(a.Clear("lunawatch/delivery/noc", "kim", "seen"))
		watchtest.Advance(12 * time.Minute)
		text := ""
		for _, x := range a.Active() {
			if x.Group == "delivery" {
				text = x.Text
			}
		}
		if !strings.Contains(text, "a/stm 1 raised") || !strings.Contains(text, "1 notifications wait") {
			t.Errorf("the delivery alarm says %q", text)
		}
	})
}

// TestBriefAfterGivenUp: that a raise was given up withholds no later alarm of
// the same kind, be it as short as it may.
func TestBriefAfterGivenUp(t *testing.T) {
	for name, x := range map[string]struct {
		next [][]string
		want []string
	}{
		"raised and cleared": {[][]string{{alarmstest.RecoveredLine}, {alarmstest.TransportLine, alarmstest.RecoveredLine}},
			[]string{"raised and cleared major a/stm", "raised and cleared major a/stm"}},
		"active again": {[][]string{{alarmstest.RecoveredLine}, {alarmstest.TransportLine}},
			[]string{"raised and cleared major a/stm", "raised major a/stm"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rejecting := true
				r := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
					if rejecting {
						return &notify.Rejected{Err: errors.New("bad request")}
					}
					return nil
				}}
				a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
				defer a.Stop()
				a.Must(a.Kernel("1", alarmstest.TransportLine))
				watchtest.Advance(time.Minute)
				rejecting = false
				for i, lines := range x.next {
					a.Must(a.Kernel(fmt.Sprint(2+i), lines...))
					watchtest.Advance(2 * time.Minute)
				}
				alarmstest.Same(t, "received", x.want, r.Received())
			})
		})
	}
}

// TestClearIsNoReport: the line that clears an old alarm does not make it the
// cause of what begins now.
func TestClearIsNoReport(t *testing.T) {
	for name, x := range map[string]struct {
		next [][]string
		want string
	}{
		"after it":    {[][]string{{unlockedLine}, {lockLine}}, "raised critical a/lock"},
		"together":    {[][]string{{lockLine, unlockedLine}}, "raised and cleared critical a/lock"},
		"in one read": {[][]string{{unlockedLine, lockLine}}, "raised critical a/lock"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &alarmstest.Receiver{}
				a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r}, shipped("a"))
				defer a.Stop()
				a.Must(a.Kernel("1", hardLine))
				watchtest.Advance(time.Hour)
				for i, lines := range x.next {
					a.Must(a.Kernel(fmt.Sprint(2+i), lines...))
				}
				watchtest.Advance(2 * time.Second)
				if got := r.Received(); !slices.Contains(got, x.want) {
					t.Errorf("%s is withheld; received %q", x.want, got)
				}
			})
		})
	}
}

// TestRepeatIsNoRaise: an alarm that is suppressed, and follows one of the same
// kind that the receiver knows, is raised to it later, not repeated now.
func TestRepeatIsNoRaise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), nil, shipped("a"), func(w *watch.Watch) {
			w.Receivers["noc"] = notify.Receiver{Notifier: r, Route: notify.Route{Repeat: 30 * time.Minute}}
		})
		defer a.Stop()
		a.Must(a.Kernel("1", lockLine))
		a.Must(a.Acknowledge("a/lock", "kim", "on my way"))
		watchtest.Advance(time.Hour)
		r.Forget()
		a.Must(a.Kernel("2", unlockedLine, chassisLine, lockLine))
		watchtest.Advance(2 * time.Minute)
		alarmstest.Same(t, "with its cause", []string{"cleared critical a/lock", "raised critical a/chassis"}, r.Received())
		a.Must(a.Clear("a/chassis", "kim", "closed"))
		watchtest.Advance(11 * time.Minute)
		alarmstest.Same(t, "after it", []string{"cleared critical a/lock", "raised critical a/chassis", "cleared critical a/chassis", "raised critical a/lock"}, r.Received())
	})
}
