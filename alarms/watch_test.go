package alarms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A receiver keeps what it is given.
type receiver struct {
	answer func(n Notification) error // nil: always taken

	mu       sync.Mutex
	attempts []string // IDs
	taken    []Notification
}

func (r *receiver) Notify(ctx context.Context, n Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, n.ID)
	if r.answer != nil {
		if err := r.answer(n); err != nil {
			return err
		}
	}
	r.taken = append(r.taken, n)
	return ctx.Err()
}

// saw returns copies of what it was given.
func (r *receiver) saw() (attempts []string, taken []Notification) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.attempts), slices.Clone(r.taken)
}

func (r *receiver) told() (list []string) {
	_, taken := r.saw()
	for _, n := range taken {
		list = append(list, told([]Change{n.Change})...)
	}
	return list
}

func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts, r.taken = nil, nil
}

// notes are a log that is read while it is written.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// An agent is a Watch that runs, in a bubble of its own time.
type agent struct {
	*Watch
	t    *testing.T
	dir  string
	log  *notes
	stop func()
}

// start runs a Watch on the state in dir, which tells all at once unless
// changed.
func start(t *testing.T, dir string, receivers map[string]Notifier, changes ...func(*Watch)) *agent {
	t.Helper()
	a := &agent{t: t, dir: dir, log: new(notes)}
	a.Watch = &Watch{
		Journal: journalIn(t, dir), Settings: DefaultSettings(), Store: hsm.NewStore(), Receivers: make(map[string]Receiver),
		Addresses: map[string]string{"a": "192.0.2.7:22"}, Log: slog.New(slog.NewTextHandler(a.log, nil)),
	}
	a.Settings.NotifyInterval, a.Settings.StormAlarms = 0, 0
	for name, n := range receivers {
		a.Receivers[name] = Receiver{Notifier: n}
	}
	for _, change := range changes {
		change(a.Watch)
	}
	a.Store.Expect(hsm.NetworkHSM, "a")
	if err := a.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	a.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		a.Journal.Close()
	}
	synctest.Wait()
	return a
}

// lines gives lines of the kernel to the Watch, with the cursor behind them.
func (a *agent) lines(cursor string, texts ...string) error {
	var lines []hsm.LogLine
	for _, text := range texts {
		lines = append(lines, syslog.ParseLine(stamp+"kern info  kernel: "+text))
	}
	err := a.Lines("a", "/log", lines, []byte(cursor))
	synctest.Wait()
	return err
}

func (a *agent) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// polled reports that hsm show was read now.
func (a *agent) polled(v hsm.Show) {
	a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), MaxAge: 605 * time.Second, Facts: []hsm.Fact{v}})
	synctest.Wait()
}

func (a *agent) active() (list []string) {
	for _, x := range a.Active() {
		list = append(list, x.Group)
	}
	return list
}

func pass(d time.Duration) {
	time.Sleep(d) // in a bubble, whose time does not take any
	synctest.Wait()
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const (
	transport = "k7pf0: [HSM] ALM2012: HSM in secure transport mode"
	recovered = "k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode"
	lowPower  = "k7pf0: [HSM] ALM2003: Battery low voltage warning"
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

func TestWatchTellsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		good := &receiver{}
		flaky := &receiver{answer: func(Notification) error {
			if up.Load() {
				return nil
			}
			return errors.New("no route")
		}}
		a := start(t, t.TempDir(), map[string]Notifier{"good": good, "flaky": flaky})
		defer a.stop()
		a.must(a.lines("1", transport, lowPower))
		a.must(a.lines("2", recovered))
		want := []string{"raised major a/stm", "raised minor a/battery", "cleared major a/stm"}
		same(t, "the good one, at once", want, good.told())
		same(t, "the dead one", nil, flaky.told())
		pass(10 * time.Minute)
		if d := a.Deliveries(); d["good"].Waiting != 0 || d["good"].Delivered != 4 || // one of them tells of the dead one
			d["good"].Failed != 0 || !d["good"].Oldest.IsZero() ||
			d["flaky"].Waiting != 3 || d["flaky"].Delivered != 0 || d["flaky"].Failed < 10 || d["flaky"].Failed > 30 || time.Since(d["flaky"].Oldest) != 10*time.Minute {
			t.Errorf("counts %+v", d)
		}
		first, _ := good.saw()
		tried, _ := flaky.saw()
		for _, id := range tried {
			if id != first[0] {
				t.Errorf("tries %q before %q is delivered", id, first[0])
			}
		}
		up.Store(true)
		pass(time.Minute)
		same(t, "the one that came back", want, flaky.told())
		seen := make(map[string]bool)
		_, taken := flaky.saw()
		for i, n := range taken {
			if n.ID != first[i] || seen[n.ID] || n.Address != "192.0.2.7:22" {
				t.Errorf("notification %+v", n)
			}
			seen[n.ID] = true
		}
		if d := a.Deliveries()["flaky"]; d.Waiting != 0 || d.Delivered != 3 {
			t.Errorf("counts %+v", d)
		}
		if log := a.log.String(); strings.Count(log, "trying again until it is") != 1 || strings.Count(log, "delivered again") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestWatchRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		dead := &receiver{answer: func(Notification) error { return errors.New("no route") }}
		live := &receiver{}
		a := start(t, dir, map[string]Notifier{"dead": dead, "live": live})
		a.must(a.lines("17", transport))
		a.must(a.lines("18", "***TEST : "+lowPower))
		a.stop()
		pass(time.Minute)

		back := &receiver{}
		a = start(t, dir, map[string]Notifier{"dead": back, "live": live})
		same(t, "the one that was dead", []string{"raised major a/stm", "raised minor a/battery (test)"}, back.told())
		same(t, "the one that was told", []string{"raised major a/stm", "raised minor a/battery (test)"}, live.told())
		before, _ := dead.saw()
		if after, _ := back.saw(); after[0] != before[0] {
			t.Errorf("ID %q became %q", before[0], after[0])
		}
		same(t, "stands", []string{"stm", "battery"}, a.active())
		if c := a.Journal.Cursor("/log"); string(c) != "18" {
			t.Errorf("cursor %q", c)
		}
		if critical, other := a.Events("a"); critical != 0 || other != 1 {
			t.Errorf("counted %d and %d", critical, other)
		}
		a.polled(hsm.Show{SecureTransportMode: hsm.Some(true)})
		pass(time.Minute)
		a.polled(hsm.Show{SecureTransportMode: hsm.Some(false)})
		a.stop()

		a = start(t, dir, map[string]Notifier{"dead": back, "live": live})
		defer a.stop()
		want := []string{"raised major a/stm", "raised minor a/battery (test)", "cleared major a/stm"}
		same(t, "one told", want, back.told())
		same(t, "the other told", want, live.told())
		pass(15 * time.Minute)
		same(t, "stands", nil, a.active())
	})
}

// TestWatchSurvivesItsDisk has the disk fail: alarms go on in memory, tell of
// that, and are on the disk once it works.
func TestWatchSurvivesItsDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{}
		a := start(t, dir, map[string]Notifier{"noc": r})
		a.must(a.lines("1", transport))
		mend := breakDisk(t, dir)
		a.must(a.lines("2", lowPower))
		a.polled(hsm.Show{Zeroized: hsm.Some(true)})
		pass(time.Minute)
		want := []string{"raised major a/stm", "raised minor a/battery", "raised critical a/zeroize", "raised major lunawatch/journal"}
		told := r.told()
		slices.Sort(told[2:])
		same(t, "told", want, told)
		if err := a.Journal.Trouble(); err == nil || !strings.Contains(err.Error(), "kept in memory until there is space and it is writable") {
			t.Errorf("trouble %v", err)
		}
		if _, other := a.Events("a"); other != 2 {
			t.Errorf("counted %d", other)
		}
		mend()
		pass(time.Minute)
		if err := a.Journal.Trouble(); err != nil || !strings.Contains(a.log.String(), "stored again") {
			t.Errorf("trouble %v, log:\n%s", err, a.log)
		}
		same(t, "told", append(told, "cleared major lunawatch/journal"), r.told())
		a.stop()
		a = start(t, dir, map[string]Notifier{"noc": r})
		defer a.stop()
		same(t, "after a restart", []string{"zeroize", "stm", "battery"}, a.active())
		if c := a.Journal.Cursor("/log"); string(c) != "2" {
			t.Errorf("cursor %q", c)
		}
		if n := len(r.told()); n != 5 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestCrashInMemory has the agent die before its disk works: what was in
// memory only is read again from the logs, and told with the same name.
func TestCrashInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{}
		a := start(t, dir, map[string]Notifier{"noc": r})
		a.must(a.lines("1", transport))
		mend := breakDisk(t, dir)
		a.must(a.lines("2", lowPower))
		mend() // but the agent dies before it looks
		a.stop()
		a = start(t, dir, map[string]Notifier{"noc": r})
		defer a.stop()
		if c := a.Journal.Cursor("/log"); string(c) != "1" {
			t.Errorf("cursor %q", c)
		}
		a.must(a.lines("2", lowPower))
		_, taken := r.saw()
		same(t, "told", []string{"raised major a/stm", "raised minor a/battery", "raised minor a/battery"}, r.told())
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
		r := &receiver{}
		r.answer = func(Notification) error {
			if mend == nil {
				mend = breakDisk(t, dir)
			}
			return nil
		}
		a := start(t, dir, map[string]Notifier{"noc": r})
		defer a.stop()
		a.must(a.lines("1", transport))
		synctest.Wait()
		if d := a.Deliveries()["noc"]; len(r.told()) != 1 || d.Waiting != 0 || d.Delivered != 1 {
			t.Errorf("taken %d times, counts %+v", len(r.told()), d)
		}
		mend()
		pass(2 * time.Minute)
		for _, told := range r.told()[1:] {
			if !strings.Contains(told, "lunawatch/journal") {
				t.Errorf("told %q", told)
			}
		}
	})
}

func TestUnreadableNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		dir := t.TempDir()
		j := journalIn(t, dir)
		if err := j.Write(Entry{Notify: map[string][]Notification{"noc": {{ID: "1"}, {ID: "2"}}}}); err != nil {
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
		a := start(t, dir, map[string]Notifier{"noc": r})
		defer a.stop()
		if attempts, _ := r.saw(); len(attempts) != 1 || attempts[0] != "2" || !strings.Contains(a.log.String(), "is left out") {
			t.Errorf("attempts %q, log:\n%s", attempts, a.log)
		}
	})
}

// TestTimeAloneIsSeen has alarms end, data become stale and a certificate
// expire while nothing is read.
func TestTimeAloneIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		a := start(t, t.TempDir(), map[string]Notifier{"noc": r})
		defer a.stop()
		a.must(a.lines("1", "k7pf0: ALM0017: Request Timed Out"))
		a.Store.Apply(hsm.Observation{Device: "a", Source: "ntls certificate show", At: time.Now(), MaxAge: 24 * time.Hour,
			Facts: []hsm.Fact{hsm.Certificate{NotAfter: hsm.Some(time.Now().Add(2 * time.Hour))}}})
		a.polled(hsm.Show{Status: "Zeroized"})
		r.forget()
		pass(604 * time.Second)
		same(t, "before", nil, r.told())
		pass(2 * time.Second)
		same(t, "past the age", []string{"raised warning a/data-stale/show"}, r.told())
		pass(293 * time.Second) // 899 s from the event
		same(t, "before its end", []string{"raised warning a/data-stale/show"}, r.told())
		pass(2 * time.Second)
		same(t, "past the event", []string{"raised warning a/data-stale/show", "cleared minor a/comm"}, r.told())
		r.forget()
		pass(2 * time.Hour)
		same(t, "past the certificate", []string{"updated critical a/ntls-certificate"}, r.told())
	})
}

// TestCursor stores a cursor with what its lines say, and a little later if
// they say nothing.
func TestCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, t.TempDir(), nil)
		defer a.stop()
		for i, x := range []struct {
			text, want string
			wait       time.Duration
		}{
			{"eth0: up", "0", 0},                 // the first
			{"eth0: down", "0", 0},               // says nothing
			{transport, "2", 0},                  // changes something
			{"eth0: up", "2", 0},                 // says nothing
			{"eth0: down", "4", 6 * time.Second}, // but must not wait for ever
			{recovered, "5", 0},                  // changes something
			{recovered, "6", 0},                  // would change something, were it read again
		} {
			pass(x.wait)
			a.must(a.lines(fmt.Sprint(i), x.text))
			if c := a.Journal.Cursor("/log"); string(c) != x.want {
				t.Errorf("step %d: cursor %q, want %q", i, c, x.want)
			}
		}
	})
}

// TestNothingNewIsNotWritten spares the disk at polls that change nothing.
func TestNothingNewIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		a := start(t, dir, nil)
		defer a.stop()
		state := func() []byte {
			b, err := os.ReadFile(filepath.Join(dir, "state.db"))
			a.must(err)
			return b
		}
		before := state()
		a.polled(hsm.Show{Zeroized: hsm.Some(false)})
		pass(10 * time.Minute)
		if !bytes.Equal(before, state()) {
			t.Error("something was written")
		}
		a.must(a.lines("1", lowPower))
		if bytes.Equal(before, state()) {
			t.Error("an alarm was not written")
		}
	})
}

func TestEventsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := start(t, t.TempDir(), nil)
		defer a.stop()
		a.must(a.lines("1", transport, recovered, lowPower, lowPower, "k7pf0: [HSM] ALM2007: HSM zeroized", "***TEST : "+lowPower, "k7pf0: [HSM] ALM2999: new"))
		a.must(a.Lines("a", "/log", []hsm.LogLine{syslog.ParseLine(stamp + "daemon crit  smartd[4]: Device: /dev/sda, failing")}, nil))
		a.must(a.lines("2", "k7pf0: [HSM] ALM2007: HSM zeroized", lowPower))
		if critical, other := a.Events("a"); critical != 2 || other != 5 {
			t.Errorf("counted %d and %d", critical, other)
		}
	})
}

// TestPolledThresholdsReachLines has the Watch give lines the sensors that
// were polled.
func TestPolledThresholdsReachLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		a := start(t, t.TempDir(), map[string]Notifier{"noc": r})
		defer a.stop()
		a.Store.Apply(hsm.Observation{Device: "a", Source: "status sensors", At: time.Now(), MaxAge: time.Hour,
			Facts: []hsm.Fact{hsm.Sensors{Sensors: []hsm.Sensor{applianceFan("Fan3B", 6000)}}}})
		synctest.Wait()
		l := syslog.ParseLine(stamp + "local4 notice  ipmievd: Fan sensor Fan3B . Lower Non-recoverable going low  (Reading 1500 < Threshold 1000 RPM)")
		pass(time.Second)
		a.must(a.Lines("a", "/log", []hsm.LogLine{l}, nil))
		synctest.Wait()
		same(t, "told", []string{"raised minor a/appliance-fan/FAN3B"}, r.told())
	})
}

func TestSettings(t *testing.T) {
	if err := DefaultSettings().Validate(); err != nil {
		t.Errorf("the default settings: %v", err)
	}
	var keys []string
	for _, f := range setting.Faults(Settings{}.Validate()) {
		keys = append(keys, f.Path)
	}
	same(t, "what cannot be zero", []string{"storage_ratio", "log_disk_ratio", "unreachable_after", "silent_after", "event_age",
		"flap_window", "delivery_after", "history_age", "history_alarms"}, keys)
}

// TestDigestIsNoTrouble: waiting on purpose is not an alarm, failing is.
func TestDigestIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := func(context.Context, []Notification) error { return errors.New("down") }
		one := &receiver{answer: func(Notification) error { return errors.New("down") }}
		a := start(t, t.TempDir(), map[string]Notifier{"mail": one}, func(w *Watch) {
			r := w.Receivers["mail"]
			r.Digest, r.Together = 10*time.Minute, broken
			w.Receivers["mail"] = r
		})
		defer a.stop()
		a.must(a.lines("1", lowPower))
		pass(14 * time.Minute)
		same(t, "while it collects", []string{"battery"}, a.active())
		pass(3 * time.Minute)
		same(t, "once it fails", []string{"delivery", "battery"}, a.active())
	})
}
