package proven

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/hsm"
)

// A watched is an HSM whose counters are read each minute.
type watched struct {
	*hsm.Snapshot
	requests uint64
}

func (w *watched) read(at time.Time) {
	o := hsm.Observation{Device: "a", Source: "hsm information show", At: at, Took: time.Second, MaxAge: 150 * time.Second,
		Facts: []hsm.Fact{hsm.Information{CryptoRequests: hsm.Some(w.requests)}}}
	if p, ok := By(w.Device("a"), o); ok {
		o.Facts = append(o.Facts, p)
	}
	w.Snapshot = w.With(o)
}

const unprovenAfter = 15 * time.Minute

var office = again.Hours{Days: []string{"mon", "tue", "wed", "thu", "fri"}, From: "08:00", To: "18:00", Zone: "Europe/Berlin"}

func when(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestIdleWeek watches an HSM each minute over a week in which clocks are put forward. It
// works until Friday noon, and again from Tuesday at ten: it is idle too long in the
// hours of three days only, and in summer an hour earlier.
func TestIdleWeek(t *testing.T) {
	w := watched{Snapshot: new(hsm.Snapshot)}
	stops, resumes := when(t, "2026-03-27T12:00:00+01:00"), when(t, "2026-03-31T10:00:00+02:00")
	var edges []string
	too := false
	for at := when(t, "2026-03-26T00:00:00+01:00"); at.Before(when(t, "2026-04-02T00:00:00+02:00")); at = at.Add(time.Minute) {
		if at.Before(stops) || !at.Before(resumes) {
			w.requests++
		}
		w.read(at)
		idle, _, known := Idle(w.Device("a"), office, at)
		if now := known && idle > unprovenAfter; now != too {
			too = now
			edges = append(edges, at.UTC().Format("Mon 15:04"))
		}
	}
	want := []string{"Fri 11:15", "Fri 17:01", "Mon 06:16", "Mon 16:01", "Tue 06:16", "Tue 08:00"}
	if len(edges) != len(want) {
		t.Fatalf("too long idle, and not any more, at %v UTC, want %v", edges, want)
	}
	for i := range want {
		if edges[i] != want[i] {
			t.Errorf("too long idle, and not any more, at %v UTC, want %v", edges, want)
		}
	}
}

// TestIdleUnknown: what began to be read in busy hours, or was not read for a while, has
// its full time from then; what cannot be known is not known.
func TestIdleUnknown(t *testing.T) {
	noon := when(t, "2026-03-27T12:00:00+01:00")
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for _, x := range []struct {
		name  string
		reads func(w *watched)
		at    int           // minutes after noon
		want  time.Duration // -1: not known
	}{
		{"first reading", func(w *watched) { w.read(minute(0)) }, 0, 0},
		{"twenty minutes of readings", func(w *watched) {
			for n := range 21 {
				w.read(minute(n))
			}
		}, 20, 20 * time.Minute},
		{"after a restart that has kept an old proof", func(w *watched) {
			store := hsm.NewStore()
			store.Expect(hsm.NetworkHSM, "a")
			store.Restore(map[string]hsm.Proof{"a": {At: minute(-180), By: "x"}})
			w.Snapshot = store.Latest()
			w.read(minute(0))
			w.read(minute(1))
		}, 1, time.Minute},
		{"back after an hour without a reading", func(w *watched) {
			w.read(minute(0))
			w.read(minute(60))
			w.read(minute(61))
		}, 61, time.Minute},
		{"stale", func(w *watched) { w.read(minute(0)); w.read(minute(1)) }, 30, -1},
		{"never read", func(w *watched) { w.Snapshot = w.With(hsm.Observation{Device: "a"}) }, 30, -1},
		{"requests of clients are not stated", func(w *watched) {
			w.Snapshot = w.With(hsm.Observation{Device: "a", Source: "x", At: noon, MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Information{OperationRequests: hsm.Some[uint64](5)}}})
		}, 30, -1},
		{"read outside the hours", func(w *watched) { w.read(minute(-300)); w.read(minute(361)) }, 361, -1},
		{"another source, whose counters are not compared", func(w *watched) {
			w.read(minute(0))
			w.Snapshot = w.With(hsm.Observation{Device: "a", Source: "x", At: minute(1), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Information{CryptoRequests: hsm.Some[uint64](5)}}})
		}, 1, 0},
		{"another unit", func(w *watched) {
			for n, serial := range []string{"1", "2"} {
				w.Snapshot = w.With(hsm.Observation{Device: "a", Source: "hsm show", At: minute(2 * n), MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Show{Serial: serial}}})
				w.read(minute(2*n + 1))
			}
		}, 3, 0},
	} {
		w := watched{Snapshot: new(hsm.Snapshot)}
		x.reads(&w)
		got, _, known := Idle(w.Device("a"), office, minute(x.at))
		if !known {
			got = -1
		}
		if got != x.want {
			t.Errorf("%s: idle for %s, want %s", x.name, got, x.want)
		}
	}
}
