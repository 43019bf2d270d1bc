package hsm

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func seen(label string, at time.Time) Observation {
	return Observation{Device: "a", Source: "hsm show", At: at, MaxAge: time.Minute, Facts: []Fact{Show{Label: Some(label)}}}
}

func TestWithDoesNotChangeTheOld(t *testing.T) {
	old := (&Snapshot{}).With(seen("one", t0))
	next := old.With(seen("two", t0))
	if got := old.Devices[0].Show.Value.Label.Value; got != "one" {
		t.Errorf("old snapshot changed: %q", got)
	}
	if got := next.Devices[0].Show.Value.Label.Value; got != "two" {
		t.Errorf("new snapshot: %q", got)
	}
}

func TestAFailureChangesOnlyItsSource(t *testing.T) {
	s := (&Snapshot{}).With(seen("one", t0))
	bad := seen("two", t0.Add(time.Second))
	bad.Failure, bad.Err = Incomplete, errors.New("cut off")
	s = s.With(bad).With(bad)
	d := s.Devices[0]
	if d.Show.Value.Label.Value != "one" || !d.Show.At.Equal(t0) {
		t.Errorf("section changed: %+v", d.Show)
	}
	src := d.Sources["hsm show"]
	if src.Failures != 2 || src.Failure != Incomplete || src.Error != "cut off" || !src.Success.Equal(t0) {
		t.Errorf("source: %+v", src)
	}
	if src = s.With(seen("three", t0)).Devices[0].Sources["hsm show"]; src.Failures != 0 || src.Error != "" {
		t.Errorf("after success: %+v", src)
	}
}

func TestFreshAndNextExpiry(t *testing.T) {
	s := (&Snapshot{}).With(seen("one", t0))
	sec := s.Devices[0].Show
	for _, c := range []struct {
		after time.Duration
		fresh bool
	}{{0, true}, {time.Minute, true}, {time.Minute + 1, false}} {
		if got := sec.Fresh(t0.Add(c.after)); got != c.fresh {
			t.Errorf("after %s: fresh %v", c.after, got)
		}
	}
	if got := s.Devices[0].NextExpiry(t0); !got.Equal(t0.Add(time.Minute)) {
		t.Errorf("next expiry %s", got)
	}
	if got := s.Devices[0].NextExpiry(t0.Add(2 * time.Minute)); !got.IsZero() {
		t.Errorf("next expiry of a stale snapshot %s", got)
	}
	if (Section[Show]{}).Fresh(t0) {
		t.Error("never read, yet fresh")
	}
}

// TestSectionsListsEverySection compares the list with the type Device.
func TestSectionsListsEverySection(t *testing.T) {
	d := Device{}
	typ, listed, n := reflect.TypeFor[Device](), d.sections(), 0
	for f := range typ.Fields() {
		if slices.Contains([]string{"Name", "Kind", "Sources", "From", "Seq", "Disagreements", "Proven", "CountedSince", "Probes", "Elsewhere", "identities", "differs", "differing", "compared"}, f.Name) {
			continue
		}
		n++
		tag, _, _ := cutTag(f.Tag.Get("json"))
		if _, ok := listed[tag]; !ok {
			t.Errorf("%s (%s) is not listed", f.Name, tag)
		}
	}
	if len(listed) != n {
		t.Errorf("%d listed, %d sections", len(listed), n)
	}
}

func cutTag(tag string) (string, string, bool) {
	for i, c := range tag {
		if c == ',' {
			return tag[:i], tag[i+1:], true
		}
	}
	return tag, "", false
}

func TestOptJSON(t *testing.T) {
	b, err := json.Marshal([]Opt[int]{Some(0), {}})
	if err != nil || string(b) != "[0,null]" {
		t.Fatalf("%s, %v", b, err)
	}
	var back []Opt[int]
	if err := json.Unmarshal(b, &back); err != nil || !back[0].Known || back[1].Known {
		t.Fatalf("%+v, %v", back, err)
	}
}

func TestStoreWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStore()
		go func() {
			time.Sleep(time.Minute)
			s.Apply(seen("one", time.Now()))
		}()
		start := time.Now()
		snap, err := s.Wait(t.Context(), s.Latest())
		if err != nil || len(snap.Devices) != 1 || time.Since(start) != time.Minute {
			t.Fatalf("Wait: %v, %v after %s", snap, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := s.Wait(ctx, snap); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Wait: %v", err)
		}
	})
}

// TestLocalTime: the time of an appliance whose zone is not stated has none in JSON.
func TestLocalTime(t *testing.T) {
	m := Monitor{LastReset: Some(LocalTime{time.Date(2026, 2, 1, 3, 4, 5, 0, time.UTC)})}
	b, err := json.Marshal(m)
	if err != nil || !strings.Contains(string(b), `"last_reset":"2026-02-01T03:04:05"`) {
		t.Fatalf("%s, %v", b, err)
	}
	var back Monitor
	if err := json.Unmarshal(b, &back); err != nil || back.LastReset != m.LastReset {
		t.Fatalf("%+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"last_reset":"2026-02-01T03:04:05Z"}`), &back); err == nil {
		t.Error("a time with a zone is read as one without")
	}
}

// TestBusySeconds checks that only what a source counts is kept: uptime times a
// rounded ratio jumps by hours and falls.
func TestBusySeconds(t *testing.T) {
	for _, counted := range []Opt[float64]{{}, Some(7.0)} {
		m := Monitor{Samples: []Sample{{UptimeSeconds: 1e8, Utilization: 0.0127}}, BusySeconds: counted}
		d := (&Snapshot{}).With(Observation{Device: "a", At: t0, Facts: []Fact{m}}).Devices[0]
		if got := d.Monitor.Value.BusySeconds; got != counted {
			t.Errorf("%+v, want %+v", got, counted)
		}
	}
}

// TestTwins: who has the same serial number is known at once when one changes, and is the
// same for a Snapshot that was made otherwise.
func TestTwins(t *testing.T) {
	s := &Snapshot{}
	for _, step := range []struct {
		device, serial string
		kind           Kind
		want           string // twins of that device
	}{
		{"a", "1", NetworkHSM, "a"},
		{"b", "2", CardHSM, "b"},
		{"c", "1", NetworkHSM, "a c"},
		{"b", "1", CardHSM, "a b c"},
		{"host", "1", HostMachine, "a b c"},
		{"a", "2", NetworkHSM, "a"},
		{"a", "", NetworkHSM, ""},
		{"c", "1", NetworkHSM, "b c"},
	} {
		s = s.With(Observation{Device: step.device, Kind: step.kind, Source: "x", At: t0, MaxAge: time.Minute, Facts: []Fact{Show{Serial: step.serial}}})
		for _, s := range []*Snapshot{s, {Devices: s.Devices}} {
			var got []string
			for _, d := range s.Twins(s.Device(step.device)) {
				got = append(got, d.Name)
			}
			if strings.Join(got, " ") != step.want {
				t.Errorf("%s has %s: %v, want %s", step.device, step.serial, got, step.want)
			}
		}
	}
}
