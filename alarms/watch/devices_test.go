package watch

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// newEstate returns a Watch of a few devices, with a journal of its own.
func newEstate(t testing.TB, store *hsm.Store) *Watch {
	t.Helper()
	j, err := journal.Open(t.TempDir())
	check.Must(t, err)
	t.Cleanup(func() { j.Close() })
	w := &Watch{Setup: Setup{Settings: DefaultSettings()}, Store: store, Log: slog.New(slog.DiscardHandler), Journal: j}
	check.Must(t, w.Open())
	return w
}

// openAlarms are the alarms of w but for their numbers, and what is remembered.
func openAlarms(w *Watch) (list []string) {
	for _, of := range []map[alarms.Key]alarms.Alarm{w.state.Active, w.state.Pending} {
		for k, a := range of {
			list = append(list, fmt.Sprint(k, a.Severity, a.Text, a.Last))
		}
	}
	for name, m := range w.state.Memory {
		list = append(list, fmt.Sprintf("%s %+v", name, m))
	}
	slices.Sort(list)
	return list
}

// anything is an observation of a device with values that rules judge.
func anything(r *rand.Rand, device string, at time.Time) hsm.Observation {
	o := hsm.Observation{Device: device, Kind: hsm.NetworkHSM, Source: "hsm show", At: at, MaxAge: 10 * time.Minute}
	some := func(words ...string) string { return words[r.IntN(len(words))] }
	switch r.IntN(5) {
	case 0:
		show := hsm.Show{Serial: some("1", "2", "3"), Status: hsm.Status(some("OK", "Transport Mode", "zeroized")), Tamper: hsm.TamperState(some("", string(hsm.TamperNone))), SOLoginAttemptsLeft: hsm.Some(int64(r.IntN(4)))}
		show.Environment = &hsm.Environment{TemperatureCelsius: hsm.Some(float64(30 + r.IntN(60))), TemperatureWarning: hsm.Some(75.)}
		o.Facts = []hsm.Fact{show}
	case 1:
		o.Source = "partition show"
		var list hsm.Partitions
		for i := range r.IntN(4) {
			list = append(list, hsm.Partition{Serial: fmt.Sprint(i), Name: fmt.Sprint("p", i), Activated: hsm.Some(r.IntN(2) == 0), Storage: hsm.Storage{Total: hsm.Some[int64](100), Used: hsm.Some(int64(r.IntN(101)))}})
		}
		o.Facts = []hsm.Fact{list}
		if r.IntN(4) == 0 {
			o.Unread = []string{"a line"}
		}
	case 2:
		o.Source = "ntls certificate show"
		o.Facts = []hsm.Fact{hsm.Certificate{NotAfter: hsm.Some(at.Add(time.Duration(r.IntN(40*24)) * time.Hour))}}
		o.MaxAge = 30 * 24 * time.Hour
	case 3:
		o.Source = "ntls information show"
		o.Facts = []hsm.Fact{hsm.NTLS{Status: hsm.NTLSStatus(some(string(hsm.NTLSUp), string(hsm.NTLSDown)))}}
	case 4:
		o.Failure, o.Err = hsm.Unreachable, errors.New("connection refused")
	}
	return o
}

// TestEvaluatesWhatChanged: evaluating only the devices of which something has changed
// comes to the same as evaluating all of them each time.
func TestEvaluatesWhatChanged(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { evaluateTwoWays(t, seed) })
	}
}

func evaluateTwoWays(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	store := hsm.NewStore()
	changed, every := newEstate(t, store), newEstate(t, store)
	names, codes := []string{"a", "b", "c", "d", "e"}, []string{"00", "03", "04", "09", "10", "11", "12", "13", "24"}
	store.Expect(hsm.NetworkHSM, names...)
	judged, of := 0, 0
	for step := range 300 {
		time.Sleep([]time.Duration{time.Second, time.Minute, 7 * time.Minute, 49 * time.Minute}[r.IntN(4)])
		device, now := names[r.IntN(len(names))], time.Now()
		switch r.IntN(6) {
		case 0:
			line := syslog.ParseLine(now.Format("2006 Jan _2 15:04:05") + " x  kern info  kernel: k7pf0: [HSM] ALM20" + codes[r.IntN(len(codes))] + ": x")
			for _, w := range []*Watch{changed, every} {
				check.Must(t, w.Lines(device, "log", []hsm.LogLine{line}, nil))
			}
		case 1: // only time passes
		default:
			store.Apply(anything(r, device, now))
		}
		every.evaluatedAll = time.Time{}
		clear(every.evaluated)
		devices, _ := changed.toEvaluate(store.Latest(), now)
		judged, of = judged+len(devices), of+len(store.Latest().Devices)
		for _, d := range devices {
			delete(changed.evaluated, d.Name)
		}
		for _, w := range []*Watch{changed, every} {
			check.Must(t, w.evaluateSnapshot(store.Latest(), now))
		}
		if diff := cmp.Diff(openAlarms(every), openAlarms(changed)); diff != "" {
			t.Fatalf("seed %d, step %d (-all +changed):\n%s", seed, step, diff)
		}
	}
	if judged*4 > of*3 {
		t.Errorf("%d of %d devices were evaluated", judged, of)
	}
}

// TestCauseFirst: what a third of an estate depends on is evaluated before it, though
// they are not evaluated together.
func TestCauseFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := hsm.NewStore()
		w := newEstate(t, store)
		w.Parent = func(device string) string { return map[bool]string{true: "router"}[device != "router"] }
		for i := range 2 * together {
			store.Expect(hsm.NetworkHSM, fmt.Sprint("hsm-", i))
		}
		store.Expect(hsm.NetworkHSM, "router")
		check.Must(t, w.evaluateSnapshot(store.Latest(), time.Now()))
		for range w.Settings.Thresholds.UnreachableAfter {
			time.Sleep(time.Minute)
			for _, d := range store.Latest().Devices {
				store.Apply(hsm.Observation{Device: d.Name, Kind: hsm.NetworkHSM, Source: "hsm show", At: time.Now(), Failure: hsm.Unreachable, Err: errors.New("no answer")})
			}
		}
		devices, _ := w.toEvaluate(store.Latest(), time.Now())
		if len(devices) <= together || devices[0].Name != "router" {
			t.Errorf("%d devices, and the first is %s", len(devices), devices[0].Name)
		}
		check.Must(t, w.evaluateSnapshot(store.Latest(), time.Now()))
		if got := len(w.state.Active); got != 2*together+1 {
			t.Errorf("%d alarms are active", got)
		}
	})
}
