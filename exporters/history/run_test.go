package history

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// A running site is one of which Run stores the history.
type running struct {
	*site
	log  bytes.Buffer
	stop func()
}

func run(directory string) *running {
	r := &running{site: newSite()}
	r.Store.log = slog.New(slog.NewTextHandler(&r.log, nil))
	r.Open(directory)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- r.Run(ctx, func(now time.Time) glance.Estate { return glance.Of(r.hsms.Latest(), nil, now) })
	}()
	r.stop = func() { cancel(); <-ended }
	return r
}

// polled observes HSMs, every step, for so many steps.
func (r *running) polled(steps int, names ...string) {
	for i := range steps {
		for j, name := range names {
			r.observe(name, time.Now(), battery(3+float64(i%10)/100+float64(j)/10))
		}
		time.Sleep(Step)
	}
	synctest.Wait()
}

// word returns the state of the hour of a time.
func (s *site) word(device string, at time.Time) string {
	if days := s.Days(device, at); len(days) > 0 {
		return days[Hours-1].State
	}
	return ""
}

const hostile = "<script>alert('1')</script>\x00\u202eh v"

// TestRestart: what was read before a restart is there after it, with a gap while the
// agent was down.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		r.polled(4, "a", hostile)
		r.Note("a", "major", "the fan", time.Now())
		r.observe("a", time.Now(), battery(2.5))
		r.stop()
		time.Sleep(time.Hour)
		again := run(dir)
		now := time.Now()
		want := []float64{3.00, 3.01, 3.02, 3.03, 2.5, nan, nan, nan}
		same(t, "a", again.last("a", "battery_volts", 17, now)[:8], append([]float64{}, want...))
		want[4] = 3.13
		same(t, "b", again.last(hostile, "battery_volts", 17, now)[:5], []float64{3.10, 3.11, 3.12, 3.13, 3.13})
		days := again.Days("a", now)
		same(t, "hours", fmt.Sprint(days[Hours-2].State, days[Hours-2].Reason, days[Hours-1].State), "majorthe fan")
		same(t, "log", again.log.String(), "")
		again.polled(1, "a")
		again.stop()
		third := run(dir)
		same(t, "twice", third.last("a", "battery_volts", 3, time.Now()), []float64{nan, 3, 3})
		third.stop()
	})
}

// TestRestartWithinStep: the values of a step before and after a restart are one point.
func TestRestartWithinStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		r.observe("a", time.Now(), battery(2))
		r.stop()
		again := run(dir)
		again.observe("a", time.Now(), battery(3))
		s, _ := again.Series("a", "battery_volts", time.Now())
		same(t, "band", []float64{s.Min[points-1], s.Max[points-1]}, []float64{2, 3})
		again.stop()
	})
}

// TestKill: a copy of the file at every write, as a kill would leave it, has all up to that
// write; one that is cut, overwritten or something else begins anew, and the agent lives.
func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		defer r.stop()
		for steps := range 5 {
			r.polled(1, "a")
			stored, err := os.ReadFile(filepath.Join(dir, "history.db"))
			check.Must(t, err)
			for name, damage := range map[string]func([]byte) []byte{
				"whole":   func(b []byte) []byte { return b },
				"cut":     func(b []byte) []byte { return b[:len(b)/2] },
				"empty":   func([]byte) []byte { return nil },
				"foreign": func([]byte) []byte { return []byte("SQLite format 3\x00") },
				"zeroed":  func(b []byte) []byte { clear(b[len(b)/4 : len(b)/2]); return b },
			} {
				copied := t.TempDir()
				check.Must(t, os.WriteFile(filepath.Join(copied, "history.db"), damage(bytes.Clone(stored)), 0o600))
				after := run(copied)
				got := after.last("a", "battery_volts", 1, time.Now().Add(-Step))
				after.observe("a", time.Now(), battery(3.3))
				lives := after.last("a", "battery_volts", 1, time.Now())
				after.stop()
				same(t, name, lives, []float64{3.3})
				if name == "zeroed" { // it may have been free space
					continue
				}
				if whole := name == "whole"; whole != (len(got) > 0) || whole && got[0] != 3 {
					t.Errorf("%s after %d steps: %v", name, steps+1, got)
				} else if logged := after.log.String(); (name == "whole" || name == "empty") != (logged == "") {
					t.Errorf("%s: log %q", name, logged)
				}
			}
		}
	})
}

// TestAnotherVersion of the file is moved away, and said.
func TestAnotherVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		other, _, err := journal.OpenTable(dir, "history", "0")
		check.Must(t, err)
		check.Must(t, other.Close())
		r := run(dir)
		r.polled(2, "a")
		r.stop()
		if !strings.Contains(r.log.String(), "not of version 1") {
			t.Errorf("log %q", r.log.String())
		}
		_, err = os.Stat(filepath.Join(dir, "history.db.damaged"))
		check.Must(t, err)
		again := run(dir)
		same(t, "a", again.last("a", "battery_volts", 3, time.Now()), []float64{3, 3.01, 3.01})
		again.stop()
	})
}

// TestDiskThatRefuses: what could not be stored is, once it can be, and the log says both.
func TestDiskThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "later")
		r := run(dir)
		r.polled(3, "a", "b")
		if !strings.Contains(r.log.String(), "not stored") {
			t.Errorf("log %q", r.log.String())
		}
		check.Must(t, os.Mkdir(dir, 0o700))
		r.polled(2, "a", "b")
		if strings.Count(r.log.String(), "not stored") != 1 || !strings.Contains(r.log.String(), "stored again") {
			t.Errorf("log %q", r.log.String())
		}
		r.stop()
		again := run(dir)
		same(t, "a", again.last("a", "battery_volts", 7, time.Now()), []float64{nan, 3, 3.01, 3.02, 3, 3.01, 3.01})
		same(t, "hour", again.Days("b", time.Now())[Hours-1].State, "well")
		again.stop()
	})
}

// TestAgesOut: an HSM that left the configuration is kept for thirty days, and its number is
// given to the next.
func TestAgesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		r.polled(1, "a", "b")
		r.hsms.Forget("a", "b")
		time.Sleep(29 * 24 * time.Hour)
		synctest.Wait()
		if days := r.Days("a", time.Now()); len(days) != Hours || r.Measures("a") != nil {
			t.Errorf("after 29 days: %d hours, measures %v", len(days), r.Measures("a"))
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if days := r.Days("a", time.Now()); days != nil {
			t.Errorf("after 31 days: %d hours", len(days))
		}
		r.polled(1, "c")
		r.stop()
		again := run(dir)
		same(t, "measures", again.Measures("c"), []Measure{"battery_volts"})
		same(t, "names", len(again.devices), 1)
		same(t, "number", again.devices["c"].number, uint32(0))
		again.stop()
	})
}

// TestClockBackAtStart: what is stored of the future is not shown, and goes.
func TestClockBackAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, later := t.TempDir(), time.Now().Add(20*time.Hour)
		s := newSite()
		s.Open(dir)
		s.observe("a", later, battery(3.3))
		s.Note("a", "critical", "later", later)
		s.save(later, true)
		check.Must(t, s.disk.Close())
		for range 2 {
			r := run(dir)
			same(t, "measures", r.Measures("a"), []Measure(nil))
			same(t, "hour", r.word("a", later), "")
			r.observe("b", time.Now(), battery(3))
			r.stop()
		}
		time.Sleep(20 * time.Hour)
		r := run(dir)
		same(t, "then", r.Measures("a"), []Measure(nil))
		r.stop()
	})
}

// TestWriteFails: what one write could not store, the next does.
func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		disk := r.disk
		check.Must(t, disk.Close())
		r.Note("a", "major", "the fan", time.Now())
		r.polled(2, "a")
		if !strings.Contains(r.log.String(), "not stored") {
			t.Errorf("log %q", r.log.String())
		}
		opened, _, err := journal.OpenTable(dir, "history", version)
		check.Must(t, err)
		*disk = *opened
		r.polled(1, "a")
		r.stop()
		again := run(dir)
		same(t, "values", again.last("a", "battery_volts", 4, time.Now()), []float64{3, 3.01, 3, 3})
		same(t, "hour", again.word("a", time.Now()), "major")
		again.stop()
	})
}

// TestProbesAcrossRestart: a measure beyond the eighth is stored, too.
func TestProbesAcrossRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := run(dir)
		r.take(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, At: time.Now(), Facts: []hsm.Fact{hsm.Probes{{Name: "sign"}}}})
		for _, worked := range []bool{true, false} {
			now := time.Now()
			r.take(hsm.Observation{Device: "a", At: now, Facts: []hsm.Fact{hsm.Probe{Name: "sign", At: now, Took: 2 * time.Second, MaxAge: Step, Worked: worked}}})
			r.polled(1, "a")
		}
		r.stop()
		again, now := run(dir), time.Now()
		same(t, "seconds", again.last("a", "probe_seconds", 3, now)[:2], []float64{2, 2})
		same(t, "failed", again.last("a", "probe_failed_ratio", 3, now)[:2], []float64{0, 1})
		same(t, "battery", again.last("a", "battery_volts", 3, now)[:2], []float64{3, 3})
		same(t, "log", again.log.String(), "")
		again.stop()
	})
}
