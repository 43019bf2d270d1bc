package watch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// breakDisk makes every write to the state fail, until mend.
func breakDisk(t *testing.T, dir string) (mend func()) {
	t.Helper()
	file := filepath.Join(dir, "state.db")
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	for _, entry := range list {
		name, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		var fd int
		if _, err := fmt.Sscan(entry.Name(), &fd); err != nil || name != file {
			continue
		}
		readOnly, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		good, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(readOnly, fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		block := filepath.Join(dir, "state.db.new", "block")
		if err := os.MkdirAll(block, 0o700); err != nil {
			t.Fatal(err)
		}
		return func() {
			os.RemoveAll(filepath.Dir(block))
			syscall.Dup3(good, fd, syscall.O_CLOEXEC)
			syscall.Close(good)
			syscall.Close(readOnly)
		}
	}
	t.Fatalf("%s is not open", file)
	return nil
}

func TestWatchNotifiesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		good := &alarmstest.Receiver{}
		flaky := &alarmstest.Receiver{Answer: func(alarms.Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("no route")
		}}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"good": good, "flaky": flaky})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.BatteryLine))
		a.Must(a.Kernel("2", alarmstest.RecoveredLine))
		want := []string{"raised major a/stm", "raised minor a/battery", "cleared major a/stm"}
		alarmstest.Same(t, "the good one, at once", want, good.Received())
		alarmstest.Same(t, "the dead one", nil, flaky.Received())
		watchtest.Advance(10 * time.Minute)
		if d := a.Deliveries(); d["good"].Waiting != 0 || d["good"].Delivered != 4 || // one of them is about the dead one
			d["good"].Failed != 0 || !d["good"].Oldest.IsZero() ||
			d["flaky"].Waiting != 3 || d["flaky"].Delivered != 0 || d["flaky"].Failed < 10 || d["flaky"].Failed > 30 || time.Since(d["flaky"].Oldest) != 10*time.Minute {
			t.Errorf("counts %+v", d)
		}
		first, _ := good.Attempts()
		tried, _ := flaky.Attempts()
		for _, id := range tried {
			if id != first[0] {
				t.Errorf("tries %q before %q is delivered", id, first[0])
			}
		}
		up.Store(true)
		watchtest.Advance(time.Minute)
		alarmstest.Same(t, "the one that came back", want, flaky.Received())
		seen := make(map[string]bool)
		_, taken := flaky.Attempts()
		for i, n := range taken {
			if n.ID != first[i] || seen[n.ID] || n.Address != "192.0.2.7:22" {
				t.Errorf("notification %+v", n)
			}
			seen[n.ID] = true
		}
		if d := a.Deliveries()["flaky"]; d.Waiting != 0 || d.Delivered != 3 {
			t.Errorf("counts %+v", d)
		}
		if log := a.Log.String(); strings.Count(log, "retrying until it is") != 1 || strings.Count(log, "delivered again") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestWatchRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		dead := &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("no route") }}
		live := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"dead": dead, "live": live})
		a.Must(a.Kernel("17", alarmstest.TransportLine))
		a.Must(a.Kernel("18", "***TEST : "+alarmstest.BatteryLine))
		a.Stop()
		watchtest.Advance(time.Minute)

		back := &alarmstest.Receiver{}
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"dead": back, "live": live})
		alarmstest.Same(t, "the one that was dead", []string{"raised major a/stm", "raised minor a/battery (test)"}, back.Received())
		alarmstest.Same(t, "the one that was notified", []string{"raised major a/stm", "raised minor a/battery (test)"}, live.Received())
		before, _ := dead.Attempts()
		if after, _ := back.Attempts(); after[0] != before[0] {
			t.Errorf("ID %q became %q", before[0], after[0])
		}
		alarmstest.Same(t, "active", []string{"stm", "battery"}, a.ActiveGroups())
		if c, err := a.Journal.Cursor("/log"); err != nil || string(c) != "18" {
			t.Errorf("cursor %q", c)
		}
		if critical, other := a.Events("a"); critical != 0 || other != 1 {
			t.Errorf("counted %d and %d", critical, other)
		}
		a.Polled(hsm.Show{SecureTransportMode: hsm.Some(true)})
		watchtest.Advance(time.Minute)
		a.Polled(hsm.Show{SecureTransportMode: hsm.Some(false)})
		a.Stop()

		a = watchtest.Start(t, dir, map[string]notify.Notifier{"dead": back, "live": live})
		defer a.Stop()
		want := []string{"raised major a/stm", "raised minor a/battery (test)", "cleared major a/stm"}
		alarmstest.Same(t, "one received", want, back.Received())
		alarmstest.Same(t, "the other received", want, live.Received())
		watchtest.Advance(15 * time.Minute)
		alarmstest.Same(t, "active", nil, a.ActiveGroups())
	})
}

// TestWatchSurvivesItsDisk has the disk fail: alarms are kept in memory, one of
// them says so, and all are on disk once it works.
func TestWatchSurvivesItsDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		mend := breakDisk(t, dir)
		a.Must(a.Kernel("2", alarmstest.BatteryLine))
		a.Polled(hsm.Show{Zeroized: hsm.Some(true)})
		watchtest.Advance(time.Minute)
		want := []string{"raised major a/stm", "raised minor a/battery", "raised critical a/zeroize", "raised major lunawatch/journal"}
		received := r.Received()
		slices.Sort(received[2:])
		alarmstest.Same(t, "received", want, received)
		if err := a.Journal.Trouble(); err == nil || !strings.Contains(err.Error(), "kept in memory until there is space and it is writable") {
			t.Errorf("trouble %v", err)
		}
		if _, other := a.Events("a"); other != 2 {
			t.Errorf("counted %d", other)
		}
		mend()
		watchtest.Advance(time.Minute)
		if err := a.Journal.Trouble(); err != nil || !strings.Contains(a.Log.String(), "stored again") {
			t.Errorf("trouble %v, log:\n%s", err, a.Log)
		}
		alarmstest.Same(t, "received", append(received, "cleared major lunawatch/journal"), r.Received())
		a.Stop()
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		alarmstest.Same(t, "after a restart", []string{"zeroize", "stm", "battery"}, a.ActiveGroups())
		if c, err := a.Journal.Cursor("/log"); err != nil || string(c) != "2" {
			t.Errorf("cursor %q", c)
		}
		if n := len(r.Received()); n != 5 {
			t.Errorf("received %d times", n)
		}
	})
}

// TestCrashInMemory has the agent die before its disk works: what was in
// memory only is read again from the logs, and notified with the same ID.
func TestCrashInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		mend := breakDisk(t, dir)
		a.Must(a.Kernel("2", alarmstest.BatteryLine))
		mend() // but the agent dies before it retries
		a.Stop()
		a = watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		if c, err := a.Journal.Cursor("/log"); err != nil || string(c) != "1" {
			t.Errorf("cursor %q", c)
		}
		a.Must(a.Kernel("2", alarmstest.BatteryLine))
		_, taken := r.Attempts()
		alarmstest.Same(t, "received", []string{"raised major a/stm", "raised minor a/battery", "raised minor a/battery"}, r.Received())
		if taken[1].ID != taken[2].ID {
			t.Errorf("the same is named %q and %q", taken[1].ID, taken[2].ID)
		}
	})
}

// TestTakenOnce has the journal fail after a receiver took a notification.
func TestTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var mend func()
		r := &alarmstest.Receiver{}
		r.Answer = func(alarms.Notification) error {
			if mend == nil {
				mend = breakDisk(t, dir)
			}
			return nil
		}
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine))
		synctest.Wait()
		if d := a.Deliveries()["noc"]; len(r.Received()) != 1 || d.Waiting != 0 || d.Delivered != 1 {
			t.Errorf("taken %d times, counts %+v", len(r.Received()), d)
		}
		mend()
		watchtest.Advance(2 * time.Minute)
		for _, received := range r.Received()[1:] {
			if !strings.Contains(received, "lunawatch/journal") {
				t.Errorf("received %q", received)
			}
		}
	})
}

func TestUnreadableNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		dir := t.TempDir()
		j := journaltest.Open(t, dir)
		if err := j.Write(journal.Entry{Notify: map[string][]alarms.Notification{"noc": {{ID: "1"}, {ID: "2"}}}}); err != nil {
			t.Fatal(err)
		}
		j.Close()
		db, err := bbolt.Open(filepath.Join(dir, "state.db"), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			queue := tx.Bucket([]byte("queues")).Bucket([]byte("noc"))
			first, _ := queue.Cursor().First()
			return queue.Put(first, []byte("{"))
		})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		a := watchtest.Start(t, dir, map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		if attempts, _ := r.Attempts(); len(attempts) != 1 || attempts[0] != "2" || !strings.Contains(a.Log.String(), "is skipped") {
			t.Errorf("attempts %q, log:\n%s", attempts, a.Log)
		}
	})
}

// TestTimeAloneIsSeen has alarms end, data become stale and a certificate
// expire while nothing is read.
func TestTimeAloneIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		a.Must(a.Kernel("1", "k7pf0: ALM0017: Request Timed Out"))
		a.Store.Apply(hsm.Observation{Device: "a", Source: "ntls certificate show", At: time.Now(), MaxAge: 24 * time.Hour,
			Facts: []hsm.Fact{hsm.Certificate{NotAfter: hsm.Some(time.Now().Add(2 * time.Hour))}}})
		a.Polled(hsm.Show{Status: "Zeroized"})
		r.Forget()
		watchtest.Advance(604 * time.Second)
		alarmstest.Same(t, "before", nil, r.Received())
		watchtest.Advance(2 * time.Second)
		alarmstest.Same(t, "past the age", []string{"raised warning a/data-stale/show"}, r.Received())
		watchtest.Advance(293 * time.Second) // 899 s from the event
		alarmstest.Same(t, "before its end", []string{"raised warning a/data-stale/show"}, r.Received())
		watchtest.Advance(2 * time.Second)
		alarmstest.Same(t, "past the event", []string{"raised warning a/data-stale/show", "cleared minor a/comm"}, r.Received())
		r.Forget()
		watchtest.Advance(2 * time.Hour)
		alarmstest.Same(t, "past the certificate", []string{"updated critical a/ntls-certificate"}, r.Received())
	})
}

// TestCursor stores a cursor with the findings of its lines, and a little later
// if they have none.
func TestCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		for i, x := range []struct {
			text, want string
			wait       time.Duration
		}{
			{"eth0: up", "0", 0},                 // the first
			{"eth0: down", "0", 0},               // no finding
			{alarmstest.TransportLine, "2", 0},   // changes something
			{"eth0: up", "2", 0},                 // no finding
			{"eth0: down", "4", 6 * time.Second}, // but must not wait for ever
			{alarmstest.RecoveredLine, "5", 0},   // changes something
			{alarmstest.RecoveredLine, "6", 0},   // would change something, were it read again
		} {
			watchtest.Advance(x.wait)
			a.Must(a.Kernel(fmt.Sprint(i), x.text))
			if c, err := a.Journal.Cursor("/log"); err != nil || string(c) != x.want {
				t.Errorf("step %d: cursor %q, want %q", i, c, x.want)
			}
		}
	})
}

// TestNothingNewIsNotWritten spares the disk at polls that change nothing.
func TestNothingNewIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := watchtest.Start(t, dir, nil)
		defer a.Stop()
		state := func() []byte {
			b, err := os.ReadFile(filepath.Join(dir, "state.db"))
			a.Must(err)
			return b
		}
		before := state()
		a.Polled(hsm.Show{Zeroized: hsm.Some(false)})
		watchtest.Advance(10 * time.Minute)
		if !bytes.Equal(before, state()) {
			t.Error("something was written")
		}
		a.Must(a.Kernel("1", alarmstest.BatteryLine))
		if bytes.Equal(before, state()) {
			t.Error("an alarm was not written")
		}
	})
}

func TestEventsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := watchtest.Start(t, t.TempDir(), nil)
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.TransportLine, alarmstest.RecoveredLine, alarmstest.BatteryLine, alarmstest.BatteryLine, "k7pf0: [HSM] ALM2007: HSM zeroized", "***TEST : "+alarmstest.BatteryLine, "k7pf0: [HSM] ALM2999: new"))
		a.Must(a.Lines("a", "/log", []hsm.LogLine{syslog.ParseLine(alarmstest.Stamp + "daemon crit  smartd[4]: Device: /dev/sda, failing")}, nil))
		a.Must(a.Lines("a", "/log", []hsm.LogLine{syslog.ParseLine(alarmstest.Stamp + "authpriv info  login: DIALUP AT ttyS0 BY recover"),
			syslog.AuditLine("41,26/11/21 02:00:00,S/N 484233 LUNA_FW_ROLLBACK"), syslog.AuditLine("43,26/11/21 02:00:00,S/N 484233 LUNA_LOGOUT")}, nil))
		a.Must(a.Kernel("2", "k7pf0: [HSM] ALM2007: HSM zeroized", alarmstest.BatteryLine))
		if critical, other := a.Events("a"); critical != 2 || other != 5 {
			t.Errorf("counted %d and %d", critical, other)
		}
	})
}

// TestPolledThresholdsReachLines has the Watch give lines the sensors that
// were polled.
func TestPolledThresholdsReachLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &alarmstest.Receiver{}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"noc": r})
		defer a.Stop()
		a.Store.Apply(hsm.Observation{Device: "a", Source: "status sensors", At: time.Now(), MaxAge: time.Hour,
			Facts: []hsm.Fact{hsm.Sensors{Sensors: []hsm.Sensor{alarmstest.ApplianceFan("Fan3B", 6000)}}}})
		synctest.Wait()
		l := syslog.ParseLine(alarmstest.Stamp + "local4 notice  ipmievd: Fan sensor Fan3B . Lower Non-recoverable going low  (Reading 1500 < Threshold 1000 RPM)")
		watchtest.Advance(time.Second)
		a.Must(a.Lines("a", "/log", []hsm.LogLine{l}, nil))
		synctest.Wait()
		alarmstest.Same(t, "received", []string{"raised minor a/appliance-fan/FAN3B"}, r.Received())
	})
}

func TestSettings(t *testing.T) {
	if err := watch.DefaultSettings().Validate(); err != nil {
		t.Errorf("the default settings: %v", err)
	}
	var keys []string
	for _, f := range setting.Faults(watch.Settings{}.Validate()) {
		keys = append(keys, f.Path)
	}
	alarmstest.Same(t, "what cannot be zero", []string{"storage_ratio", "log_disk_ratio", "unreachable_after", "silent_after", "event_age",
		"flap_window", "delivery_after", "history_age", "history_alarms"}, keys)
}

// TestDigestIsNoTrouble: waiting on purpose is not an alarm, failing is.
func TestDigestIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(context.Context, []alarms.Notification) error { return errors.New("down") }
		one := &alarmstest.Receiver{Answer: func(alarms.Notification) error { return errors.New("down") }}
		a := watchtest.Start(t, t.TempDir(), map[string]notify.Notifier{"mail": one}, func(w *watch.Watch) {
			r := w.Receivers["mail"]
			r.Digest, r.Together = 10*time.Minute, broken
			w.Receivers["mail"] = r
		})
		defer a.Stop()
		a.Must(a.Kernel("1", alarmstest.BatteryLine))
		watchtest.Advance(14 * time.Minute)
		alarmstest.Same(t, "while it collects", []string{"battery"}, a.ActiveGroups())
		watchtest.Advance(3 * time.Minute)
		alarmstest.Same(t, "once it fails", []string{"delivery", "battery"}, a.ActiveGroups())
	})
}
