package hsm

import (
	"errors"
	"testing"
	"time"
)

// from returns an observation of an HSM's label and firmware.
func from(source string, rank int, at time.Duration, label, firmware string) Observation {
	return Observation{
		Device: "a", Source: source, Rank: rank, At: t0.Add(at), MaxAge: 10 * time.Minute,
		Facts: []Fact{Show{Label: Some(label), Firmware: firmware}},
	}
}

func lost(o Observation) Observation {
	o.Facts, o.Failure, o.Err = nil, Unreachable, errors.New("gone")
	return o
}

// TestOneMetricOneSource plays observations of two sources; after each, the section must
// be that of the named one.
func TestOneMetricOneSource(t *testing.T) {
	const m = time.Minute
	first := func(at time.Duration) Observation { return from("first", 0, at, "x", "1") }
	second := func(at time.Duration) Observation { return from("second", 1, at, "x", "1") }
	for _, c := range []struct {
		name string
		play []Observation
		want string // the sources of the section, one letter each
	}{
		{"the preferred one holds", []Observation{first(0), second(m), second(9 * m), first(10 * m), second(10 * m)}, "fffff"},
		{"never read", []Observation{second(0), second(m), first(2 * m), second(3 * m)}, "ssff"},
		{"it is silent", []Observation{first(0), second(10 * m), second(10*m + 1)}, "ffs"},
		{"it fails: no gap, and no haste", []Observation{first(0), lost(first(4 * m)), second(4 * m), second(5*m + 1)}, "fffs"},
		{"it comes back", []Observation{first(0), second(11 * m), first(12 * m), second(13 * m), first(14 * m)}, "fsfff"},
		{"it comes and goes", []Observation{first(0), lost(first(5 * m)), first(8 * m), lost(first(9 * m)), second(10 * m), first(13 * m), second(14 * m)}, "fffffff"},
		{"the second is lost", []Observation{second(0), lost(second(m)), first(2 * m), lost(second(3 * m))}, "ssff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, got := &Snapshot{}, ""
			for _, o := range c.play {
				s = s.With(o)
				got += s.Devices[0].Show.Source[:1]
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestAnObservationFillsOnlyWhatIsFree has an answer with two sections, one of which
// another source holds.
func TestAnObservationFillsOnlyWhatIsFree(t *testing.T) {
	both := from("second", 1, time.Minute, "theirs", "1")
	both.Facts = append(both.Facts, Tamper{State: TamperNone})
	d := (&Snapshot{}).With(from("first", 0, 0, "ours", "1")).With(both).Devices[0]
	if d.Show.Value.Label.Value != "ours" || d.Tamper.Source != "second" || d.Tamper.Value.State != TamperNone {
		t.Errorf("%+v, %+v", d.Show, d.Tamper)
	}
}

// TestDisagreements checks that a difference is reported only after both sources were
// asked again, and not once one of them is stale.
func TestDisagreements(t *testing.T) {
	const m = time.Minute
	s := &Snapshot{}
	step := func(o Observation, want int) {
		t.Helper()
		s = s.With(o)
		if got := s.Devices[0].Disagreements; len(got) != want {
			t.Errorf("at %s: %+v, want %d", o.At.Sub(t0), got, want)
		}
	}
	step(from("a", 0, 0, "x", "7.0"), 0)
	step(from("b", 1, 1*m, "X ", "7.2"), 0) // updated between the two polls
	step(from("a", 0, 5*m, "x", "7.2"), 0)
	step(from("b", 1, 6*m, "y", "7.2"), 0)
	step(lost(from("a", 0, 7*m, "", "")), 0)
	step(from("a", 0, 8*m, "x", "7.2"), 1)
	d := s.Devices[0].Disagreements[0]
	if d.What != "label" || !d.Since.Equal(t0.Add(6*m)) || d.Stated[0].Source != "a" || d.Stated[0].Value != "x" || d.Stated[1].Value != "y" {
		t.Errorf("%+v", d)
	}
	step(from("b", 1, 9*m, "", "7.2"), 0) // not stated
	step(from("b", 1, 10*m, "y", "7.2"), 0)
	step(from("b", 1, 11*m, "y", "7.2"), 0)
	step(from("a", 0, 12*m, "x", "7.2"), 1)
	step(from("a", 0, 30*m, "x", "7.2"), 0) // b is stale
	step(from("b", 1, 31*m, "y", "7.2"), 1)
	step(from("b", 1, 32*m, "x", "7.2"), 0)
	if old := (&Snapshot{}).With(from("a", 0, 0, "x", "1")); len(old.With(from("b", 1, m, "y", "1")).Devices[0].identities) != 2 || len(old.Devices[0].identities) != 1 {
		t.Error("the old snapshot changed")
	}
}

// TestWhatIsCompared has two sources differ in one property at a time. A real change,
// which one of them reports late, is no disagreement.
func TestWhatIsCompared(t *testing.T) {
	const m = time.Minute
	at := func(source string, at time.Duration, f Fact) Observation {
		return Observation{Device: "a", Source: source, At: t0.Add(at), Took: 90 * time.Second, MaxAge: 10 * m, Facts: []Fact{f}}
	}
	parts := func(serials ...string) Partitions {
		list := Partitions{}
		for _, s := range serials {
			list = append(list, Partition{Serial: s})
		}
		return list
	}
	for _, c := range []struct {
		what string // "": no property that both state
		a, b Fact
	}{
		{"serial", Show{Serial: "1"}, Show{Serial: "2"}},
		{"fips", Show{FIPS: Some(true)}, Show{FIPS: Some(false)}},
		{"zeroized", Show{Zeroized: Some(true)}, Show{Zeroized: Some(false)}},
		{"secure_transport_mode", Show{SecureTransportMode: Some(true)}, Show{SecureTransportMode: Some(false)}},
		{"tamper", Show{Tamper: TamperDetected}, Show{Tamper: TamperNone}},
		{"authentication", Show{Authentication: AuthPED}, Show{Authentication: AuthPassword}},
		{"partitions", parts("1", "2"), parts("3", "1")},
		{"partitions", parts("1"), parts()},
		{"", parts("1", "2"), parts("2", "1")},
		{"", parts("1"), parts("")},
		{"", Show{Authentication: AuthPED}, Show{Authentication: AuthUnknown}},
		{"", Show{FIPS: Some(true)}, Show{}},
		{"", Show{SOLoginAttemptsLeft: Some[int64](3)}, Show{SOLoginAttemptsLeft: Some[int64](2)}},
	} {
		s := &Snapshot{}
		var got string
		for i, o := range []Observation{at("a", 0, c.a), at("b", m, c.b), at("a", 5*m, c.a), at("b", 6*m, c.b)} {
			s = s.With(o)
			for _, d := range s.Devices[0].Disagreements {
				if got += d.What; i < 3 {
					t.Errorf("%s: reported before both were asked again", c.what)
				}
			}
		}
		if got != c.what {
			t.Errorf("%q, want %q", got, c.what)
		}
	}
	late := (&Snapshot{}).With(at("a", 0, Show{Firmware: "2"})).With(at("b", m, Show{Firmware: "1"})).With(at("a", 5*m, Show{Firmware: "2"}))
	if late.Devices[0].Disagreements != nil || late.Devices[0].Compared(t0.Add(20*m)) {
		t.Error("b has not been asked again, yet it is settled")
	}
	late = late.With(at("b", 6*m, Show{Firmware: "2"}))
	if d := late.Devices[0]; d.Disagreements != nil || !d.Compared(t0.Add(20*m)) || d.Compared(t0.Add(5*m)) {
		t.Error("they agree, and every source had its turn")
	}
}
