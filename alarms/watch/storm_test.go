package watch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
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
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// TestStormOfLines has 50 HSMs log 10,000 ALM lines in ten seconds, each an
// alarm of its own. No device floods: each alarm is named once, in few messages,
// and all are in the table and in the journal.
func TestStormOfLines(t *testing.T) {
	t.Parallel()
	lines := 2000
	if os.Getenv("LUNAWATCH_STRESS") != "" {
		lines = 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		const hsms = 50
		r, dir := &alarmstest.Receiver{}, t.TempDir()
		name := func(i int) string { return fmt.Sprintf("hsm%02d", i%hsms) }
		var batches atomic.Int64
		watched := func(w *watch.Watch) {
			w.Settings = watch.DefaultSettings()
			if noc, ok := w.Receivers["noc"]; ok {
				noc.Together = func(ctx context.Context, list []alarms.Notification) error {
					batches.Add(1)
					for _, n := range list {
						if err := r.Notify(ctx, n); err != nil {
							return err
						}
					}
					return nil
				}
				w.Receivers["noc"] = noc
			}
			for i := range hsms {
				w.Store.Expect(hsm.NetworkHSM, name(i))
			}
		}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r}, watched)
		began, before, most := time.Now(), memory(), uint64(0)
		for i := range lines {
			l := syslog.ParseLine(fmt.Sprintf("%skern info  kernel: k7pf%d: [HSM] ALM%04d: event", alarmstest.Stamp, i/7000, 3000+i%7000))
			a.Must(a.Lines(name(i), "/"+name(i), []hsm.LogLine{l}, []byte(fmt.Sprint(i))))
			watchtest.Advance(10 * time.Second / time.Duration(lines))
			if i%1000 == 0 {
				most = max(most, memory())
			}
		}
		took := time.Since(began)
		inTable := len(a.Active())
		watchtest.Advance(2 * time.Minute)
		once := make(map[string]int)
		for _, received := range r.Received() {
			if strings.HasPrefix(received, "raised ") {
				once[received]++
			}
		}
		t.Logf("%d lines of %d HSMs in %s: %d alarms in the table, %d named, in %d batches; heap %d kB before, %d kB at most", lines, hsms, took, inTable, len(once), batches.Load(), before>>10, most>>10)
		if inTable != lines || len(once) != lines || batches.Load() > 60 {
			t.Errorf("%d of %d in the table, %d named in %d batches", inTable, lines, len(once), batches.Load())
		}
		a.Stop()
		a = watchtest.Start(t, dir, nil, watched)
		defer a.Stop()
		if stored := len(a.Active()); stored != lines {
			t.Errorf("%d alarms after a restart", stored)
		}
	})
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReceiversOfADay has one receiver down for a day, two slow, and one that
// accepts and answers too late: each gets all in order, and none waits for
// another.
func TestReceiversOfADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		good := &alarmstest.Receiver{}
		dead := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("connection refused")
		}}
		late := &lateReceiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{
			"good": good, "dead": dead, "late": late, "slow": slowly(5 * time.Second), "slower": slowly(25 * time.Second),
		}, func(w *watch.Watch) { w.Settings.DeliveryAfter = 365 * 24 * time.Hour })
		defer a.Stop()
		for hour := range 24 {
			a.Must(a.Kernel(fmt.Sprint(hour), alarmstest.TransportLine, alarmstest.BatteryLine))
			watchtest.Advance(29 * time.Minute)
			a.Must(a.Kernel(fmt.Sprint(hour, "b"), alarmstest.RecoveredLine))
			watchtest.Advance(31 * time.Minute)
		}
		before := a.Deliveries()
		up.Store(true)
		watchtest.Advance(5 * time.Minute)
		want := good.Received()
		report := func(name string, received []string) {
			d := a.Deliveries()[name]
			t.Logf("%-6s received %d of %d in order %v; at the end of the day %d waited, the oldest for %s; %d failed attempts", name, len(received), len(want),
				slices.Equal(received, want), before[name].Waiting, age(before[name], a), d.Failed)
			alarmstest.Same(t, name, want, received)
		}
		report("good", good.Received())
		report("dead", dead.Received())
		report("slow", a.Receivers["slow"].Notifier.(*slowReceiver).Received())
		report("slower", a.Receivers["slower"].Notifier.(*slowReceiver).Received())
		// What it answered too late came again, under the same name.
		seen := make(map[string]int)
		for _, id := range late.ids {
			seen[id]++
		}
		ids, _ := good.Attempts()
		t.Logf("late   took %d, of them %d under a name it had seen", len(late.ids), len(late.ids)-len(seen))
		if len(seen) != len(ids) || len(late.ids) == len(seen) {
			t.Errorf("late took %d notifications of %d", len(seen), len(ids))
		}
		if len(want) < 40 {
			t.Errorf("only %d notifications in a day", len(want))
		}
	})
}

func age(d notify.Delivery, a *watchtest.Running) time.Duration {
	if d.Waiting == 0 {
		return 0
	}
	return time.Since(d.Oldest).Round(time.Minute)
}

// A slowReceiver takes its time.
type slowReceiver struct {
	alarmstest.Receiver
	takes time.Duration
}

func slowly(takes time.Duration) *slowReceiver { return &slowReceiver{takes: takes} }

func (s *slowReceiver) Notify(ctx context.Context, n alarms.Notification) error {
	wait.Sleep(ctx, s.takes)
	return s.Receiver.Notify(ctx, n)
}

// A lateReceiver takes everything, and answers every third only after the
// sender has given up.
type lateReceiver struct{ ids []string }

func (l *lateReceiver) Notify(ctx context.Context, n alarms.Notification) error {
	l.ids = append(l.ids, n.ID)
	if len(l.ids)%3 == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}
