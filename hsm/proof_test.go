package hsm

import (
	"testing"
	"time"
)

// TestProof: the newest proof of a unit counts, that of another does not, and one that
// changes nothing leaves Seq as it is.
func TestProof(t *testing.T) {
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Minute) }
	s := new(Snapshot)
	for _, step := range []struct {
		name  string
		facts []Fact
		want  time.Time
	}{
		{"nothing", []Fact{Information{}}, time.Time{}},
		{"before the serial number is known", []Fact{Proof{At: at(1), By: "x"}}, at(1)},
		{"it becomes known", []Fact{Show{Serial: "1"}}, at(1)},
		{"a newer one", []Fact{Proof{At: at(3), By: "y"}}, at(3)},
		{"an older one", []Fact{Proof{At: at(2), By: "x"}}, at(3)},
		{"the same unit", []Fact{Show{Serial: "1"}}, at(3)},
		{"another unit", []Fact{Show{Serial: "2"}}, time.Time{}},
		{"and its own", []Fact{Proof{At: at(4), By: "x"}}, at(4)},
	} {
		var before Proof
		if d := s.Device("a"); d != nil {
			before = d.Proven
		}
		s = s.With(Observation{Device: "a", Source: "x", At: t0, MaxAge: time.Hour, Facts: step.facts})
		got := s.Device("a").Proven
		if !got.At.Equal(step.want) {
			t.Errorf("%s: got %s, want %s", step.name, got.At, step.want)
		}
		if changed := !got.At.Equal(before.At) && !got.IsZero(); changed != (got.Seq != before.Seq && !got.IsZero()) {
			t.Errorf("%s: Seq %d after %d", step.name, got.Seq, before.Seq)
		}
	}
}

// TestRestoreProofs: what was known before a restart is known to a device that is
// expected, unless it turns out to be another unit.
func TestRestoreProofs(t *testing.T) {
	store := NewStore()
	store.Expect(NetworkHSM, "a", "b")
	store.Restore(map[string]Proof{"a": {At: t0, By: "x", Serial: "1"}, "gone": {At: t0}})
	if got := store.Latest().Device("a").Proven; !got.At.Equal(t0) || got.Seq != store.Latest().Seq {
		t.Errorf("a: %+v", got)
	}
	if got := store.Latest().Device("b").Proven; !got.IsZero() {
		t.Errorf("b: %+v", got)
	}
	if got := store.Latest().Device("gone"); got != nil {
		t.Errorf("gone: %+v", got)
	}
	store.Apply(Observation{Device: "a", Source: "x", At: t0, Facts: []Fact{Show{Serial: "2"}}})
	if got := store.Latest().Device("a").Proven; !got.IsZero() {
		t.Errorf("another unit: %+v", got)
	}
}
