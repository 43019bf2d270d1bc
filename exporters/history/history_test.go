package history

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A site feeds a Store as the agent does.
type site struct {
	*Store
	hsms *hsm.Store
}

func newSite() *site { return &site{New(slog.New(slog.DiscardHandler)), hsm.NewStore()} }

// observe reports facts of an HSM at a time, which may be believed for twelve minutes.
func (s *site) observe(device string, at time.Time, facts ...hsm.Fact) {
	s.take(hsm.Observation{Device: device, Kind: hsm.NetworkHSM, Source: "test", At: at, MaxAge: 12 * time.Minute, Facts: facts})
}

func (s *site) take(o hsm.Observation) {
	s.hsms.Apply(o)
	s.Observe(s.hsms.Latest().Device(o.Device), o)
}

func battery(volts float64) hsm.Show {
	return hsm.Show{Environment: &hsm.Environment{BatteryVolts: hsm.Some(volts)}}
}

// last returns the newest n medians of a measure.
func (s *site) last(device string, m Measure, n int, now time.Time) []float64 {
	series, _ := s.Series(device, m, now)
	return series.Median[max(0, len(series.Median)-n):]
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("%s:\n%s", what, diff)
	}
}

var nan = math.NaN()

// TestPack holds each value to four digits, in order, and what is no value to none.
func TestPack(t *testing.T) {
	last := -1
	for v := 1e-5; v < 4e6; v *= 1.001 {
		p := pack(v)
		if int(p) < last {
			t.Fatalf("%g is packed as %d, less than the %d of a lesser value", v, p, last)
		}
		last = int(p)
		if got := unpack(p); math.Abs(got-v) > v*0.001+2e-6 {
			t.Fatalf("%g becomes %g", v, got)
		}
	}
	for v, want := range map[float64]float64{0: 0, 3.052: 3.052, 2.71: 2.71, 141: 141, 0.41: 0.41, 1: 1, 1e12: 4193000, math.Inf(1): 4193000, -1: nan, nan: nan, math.Inf(-1): nan} {
		if got := unpack(pack(v)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%g becomes %g, want %g", v, got, want)
		}
	}
}

// TestGap: a value is shown while it may be believed, then nothing is, and never zero.
func TestGap(t *testing.T) {
	s := newSite()
	s.observe("a", noon, battery(3.05))
	s.observe("a", noon.Add(5*Step), battery(3.01))
	now := noon.Add(6 * Step)
	same(t, "medians", s.last("a", "battery_volts", 8, now), []float64{nan, 3.05, 3.05, 3.05, nan, nan, 3.01, 3.01})
	if _, known := s.Series("a", "temperature_celsius", now); known {
		t.Error("a temperature that was never stated has a series")
	}
	same(t, "measures", s.Measures("a"), []Measure{"battery_volts"})
	series, _ := s.Series("a", "battery_volts", now)
	same(t, "length", len(series.Min), int(Span/Step))
	same(t, "start", series.Start, now.Add(Step-Span))
}

// TestBand holds least, median and greatest of a step, of few and of very many samples.
func TestBand(t *testing.T) {
	for _, n := range []int{1, 2, 23, 24, 25, 100, 100_000} {
		var x samples
		for i := range n {
			x.add(float64(i) * 1000 / float64(n)) // 0 to 1000
		}
		p := x.point()
		if n > 2 && math.Abs(unpack(p.median)-500) > 60 || unpack(p.min) != 0 || unpack(p.max) < 1000-1000/float64(n)-1 {
			t.Errorf("%d samples: %g, %g, %g", n, unpack(p.min), unpack(p.median), unpack(p.max))
		}
	}
}

// TestRates: a counter is a rate only between two reads of which the first may still be
// believed, and not if it fell.
func TestRates(t *testing.T) {
	s := newSite()
	count := func(at time.Duration, n uint64) {
		s.observe("a", noon.Add(at), hsm.Information{OperationRequests: hsm.Some(n)})
	}
	count(0, 1000)
	if _, known := s.Series("a", "operations_per_second", noon); known {
		t.Error("one read is a rate")
	}
	count(Step, 1000+300*7)
	same(t, "rises", s.last("a", "operations_per_second", 2, noon.Add(Step)), []float64{nan, 7})
	count(2*Step, 5) // the HSM was reset
	count(3*Step, 5)
	same(t, "falls", s.last("a", "operations_per_second", 3, noon.Add(3*Step)), []float64{7, 7, 0})
	count(20*Step, 1e9)
	same(t, "long after", s.last("a", "operations_per_second", 2, noon.Add(20*Step)), []float64{nan, nan})
	same(t, "errors are not stated", s.Measures("a"), []Measure{"operations_per_second"})
}

// TestAnswerTime is of what answers: measuring takes as long as it is asked to.
func TestAnswerTime(t *testing.T) {
	s := newSite()
	for _, o := range []hsm.Observation{
		{Took: 2 * time.Second, Facts: []hsm.Fact{hsm.Show{}}},
		{Took: 5 * time.Second, Facts: []hsm.Fact{hsm.Monitor{}}},
		{Took: 30 * time.Second, Failure: hsm.Timeout, Err: fmt.Errorf("no answer")},
		{Facts: []hsm.Fact{hsm.NTLS{}}},
	} {
		o.Device, o.Kind, o.Source, o.At, o.MaxAge = "a", hsm.NetworkHSM, "x", noon, time.Minute
		s.take(o)
	}
	same(t, "answers", s.last("a", "answer_seconds", 2, noon), []float64{nan, 2})
}

// TestClock steps back, which forgets what is in the future, and forward.
func TestClock(t *testing.T) {
	s := newSite()
	for i := range 6 {
		s.observe("a", noon.Add(time.Duration(i)*Step), battery(3+float64(i)/10))
	}
	s.Note("a", "critical", "later", noon.Add(2*time.Hour))
	s.observe("a", noon.Add(5*Step-time.Second), battery(3.9)) // by a moment: still the newest step
	same(t, "a moment back", s.last("a", "battery_volts", 2, noon.Add(5*Step)), []float64{3.4, 3.7})

	s.observe("a", noon.Add(2*Step), battery(2.9))
	s.Note("a", "well", "", noon)
	same(t, "three steps back", s.last("a", "battery_volts", 4, noon.Add(2*Step)), []float64{nan, 3, 3.1, 2.9})
	same(t, "the future", s.last("a", "battery_volts", 6, noon.Add(8*Step)), []float64{2.9, 2.9, nan, nan, nan, nan})
	same(t, "hours", s.Days("a", noon.Add(2*time.Hour))[Hours-3:], []Hour{{noon, "well", ""}, {noon.Add(time.Hour), "", ""}, {noon.Add(2 * time.Hour), "", ""}})

	s.observe("a", noon.Add(100*time.Hour), battery(3.3))
	same(t, "four days on", s.last("a", "battery_volts", 3, noon.Add(100*time.Hour)), []float64{nan, nan, 3.3})
	s.observe("a", noon.Add(-100*time.Hour), battery(3.1))
	same(t, "eight days back", s.last("a", "battery_volts", 2, noon.Add(-100*time.Hour)), []float64{nan, 3.1})
	for _, at := range []time.Time{time.Unix(-1e9, 0), time.Unix(1, 0), time.Unix(1<<40, 0)} {
		s.observe("a", at, battery(3.1))
		s.Note("a", "major", "r", at)
		same(t, at.String(), s.last("a", "battery_volts", 1, at), []float64{3.1})
		same(t, at.String(), s.Days("a", at)[Hours-1].State, "major")
	}
}

// TestHours holds the worst of an hour, and the first reason of that.
func TestHours(t *testing.T) {
	s := newSite()
	for i, x := range [][2]string{{"well", ""}, {"major", "first"}, {"major", "second"}, {"unknown", "not read"}, {"well", ""}} {
		s.Note("a", x[0], x[1], noon.Add(time.Duration(i)*time.Minute))
	}
	s.Note("a", "stale", "stale: sensors", noon.Add(2*time.Hour))
	s.Note("a", "a new word", "", noon.Add(2*time.Hour+time.Minute))
	got := s.Days("a", noon.Add(3*time.Hour))
	same(t, "length", len(got), Hours)
	same(t, "hours", got[Hours-5:], []Hour{
		{noon.Add(-time.Hour), "", ""}, {noon, "major", "first"}, {noon.Add(time.Hour), "", ""}, {noon.Add(2 * time.Hour), "unknown", ""}, {noon.Add(3 * time.Hour), "", ""},
	})
	same(t, "31 days later", slices.ContainsFunc(s.Days("a", noon.Add(31*24*time.Hour)), func(h Hour) bool { return h.State != "" }), false)
	same(t, "a stranger", s.Days("b", noon), []Hour(nil))
}

// TestReasons: hostile ones are bounded, and of very many the newest are kept.
func TestReasons(t *testing.T) {
	s := newSite()
	for i := range Hours {
		s.Note("a", "major", fmt.Sprintf("<script>\xff\u202e%d ", i)+strings.Repeat("ä", 5000), noon.Add(time.Duration(i)*time.Hour))
	}
	got := s.Days("a", noon.Add((Hours-1)*time.Hour))
	for i, h := range got {
		if want := fmt.Sprintf("<script>?\u202e%d ä", i); i >= Hours-maxReasons && (!strings.HasPrefix(h.Reason, want) || len(h.Reason) > maxReason) {
			t.Errorf("hour %d: reason %q", i, h.Reason)
		}
		if h.State != "major" || i < Hours-maxReasons && h.Reason != "" {
			t.Errorf("hour %d is %s for %q", i, h.State, h.Reason)
		}
	}
}

// TestChanged: an alarm that was active for a moment is in the hour, a test is not.
func TestChanged(t *testing.T) {
	s := newSite()
	change := func(kind alarms.Kind, device string, severity alarms.Severity, test bool) alarms.Change {
		return alarms.Change{Kind: kind, Alarm: alarms.Alarm{Key: alarms.Key{Device: device, Group: "fan", Test: test}, Severity: severity, Text: "text"}}
	}
	s.Changed([]alarms.Change{change(alarms.Raised, "a", alarms.Minor, false), change(alarms.Cleared, "a", alarms.Minor, false), change(alarms.Raised, "a", alarms.Critical, true),
		change(alarms.Pending, "a", alarms.Major, false)}, noon)
	same(t, "hour", s.Days("a", noon)[Hours-1], Hour{noon, "minor", "text"})
}

// TestGlance: what was not asked yet is no unknown hour.
func TestGlance(t *testing.T) {
	s := newSite()
	s.hsms.Apply(hsm.Observation{Device: "dead", Kind: hsm.NetworkHSM, Source: "x", At: noon, Failure: hsm.Unreachable, Err: fmt.Errorf("no route")})
	s.hsms.Apply(hsm.Observation{Device: "new", Kind: hsm.NetworkHSM, Source: "log", At: noon})
	s.Glance(glance.Of(s.hsms.Latest(), nil, noon))
	same(t, "dead", s.Days("dead", noon)[Hours-1], Hour{noon, "unknown", "x: no route"})
	same(t, "new", s.Days("new", noon), []Hour(nil))
}

// TestProbes: how long a test program took, and how many of its runs failed, is kept while
// its result may be believed; neither is the time in which the HSM answers commands.
func TestProbes(t *testing.T) {
	s := newSite()
	s.take(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, At: noon, Facts: []hsm.Fact{hsm.Probes{{Name: "sign"}}}})
	ran := func(at time.Time, took time.Duration, worked bool) {
		s.take(hsm.Observation{Device: "a", At: at, Took: took, Facts: []hsm.Fact{hsm.Probe{Name: "sign", At: at, Took: took, MaxAge: 12 * time.Minute, Worked: worked}}})
	}
	ran(noon, 2*time.Second, true)
	ran(noon.Add(4*Step), 30*time.Second, false)
	ran(noon.Add(4*Step+time.Minute), 3*time.Second, true)
	now := noon.Add(4 * Step)
	same(t, "seconds", s.last("a", "probe_seconds", 6, now), []float64{nan, 2, 2, 2, nan, 16.5})
	same(t, "failed", s.last("a", "probe_failed_ratio", 6, now), []float64{nan, 0, 0, 0, nan, 0.5})
	same(t, "measures", s.Measures("a"), []Measure{"probe_seconds", "probe_failed_ratio"})
}
