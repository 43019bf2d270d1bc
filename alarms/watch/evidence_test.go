package watch_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// A sign is a line or a poll of these stories, with what it may end and what it
// says is bad.
type sign struct {
	text      string // of a line
	show      hsm.Show
	ends, bad []string // groups
}

var firmwareRuns = []string{"halt", "restart"}

// lineSigns follow the vendor's list of codes.
var lineSigns = []sign{
	{text: chassisLine, bad: []string{"chassis"}, ends: firmwareRuns},
	{text: integrityLine, bad: []string{"integrity"}, ends: firmwareRuns},
	{text: haltedLine, bad: []string{"halt"}},
	{text: decomLine, bad: []string{"decom"}, ends: firmwareRuns},
	{text: zeroizedLine, bad: []string{"zeroize"}, ends: firmwareRuns},
	{text: hardLine, bad: []string{"hard-ht"}, ends: firmwareRuns},
	{text: lockLine, bad: []string{"lock"}, ends: firmwareRuns},
	{text: unlockedLine, ends: append([]string{"lock", "hard-ht", "chassis"}, firmwareRuns...)},
	{text: alarmstest.TransportLine, bad: []string{"stm"}, ends: firmwareRuns},
	{text: alarmstest.RecoveredLine, ends: append([]string{"stm"}, firmwareRuns...)},
	{text: alarmstest.BatteryLine, bad: []string{"battery"}, ends: firmwareRuns},
}

// answered is what any answer to hsm show ends: that nothing was read.
var answered = []string{"unreachable", "hsm-silent", "data-stale", "source-failing"}

// showSigns are answers to hsm show, and what each proves.
var showSigns = []sign{
	{text: "good", show: storyShows["good"], ends: append([]string{"chassis", "hard-ht", "lock", "halt", "restart", "decom", "zeroize", "stm", "hsm-status", "unknown-state"}, answered...)},
	{text: "tampered", show: storyShows["tampered"], bad: []string{"lock", "hsm-status"}, ends: append([]string{"unknown-state"}, answered...)},
	{text: "zeroized", show: storyShows["zeroized"], bad: []string{"zeroize", "hsm-status"}, ends: append([]string{"unknown-state"}, answered...)},
	{text: "in transport", show: hsm.Show{Status: "L3 Device", SecureTransportMode: hsm.Some(true)}, bad: []string{"stm"}, ends: append([]string{"halt", "restart", "hsm-status", "unknown-state"}, answered...)},
	{text: "in an unknown word", show: hsm.Show{Status: "Quiescent", Label: hsm.Some("root")}, bad: []string{"unknown-state", "hsm-status"}, ends: answered},
	{text: "almost nothing", ends: append(slices.Clone(firmwareRuns), answered...)},
}

// A reading is a sign of one HSM, when it was read, and when it came.
type reading struct {
	sign
	device, object string
	at, came       time.Time
}

// An evidence story keeps what was read, and what else may end alarms.
type evidenceStory struct {
	*story
	readings []reading
	watched  []string
	cleared  map[uint64]bool      // by an operator, or judged
	unit     map[string]int       // by device: how often it was exchanged
	gone     map[string]time.Time // by device: until when it was last not watched
	cursor   int
}

// TestNothingClearsWithoutEvidence: what clears an alarm is a reading of the same
// HSM (and card) that may end its kind and is newer than any that says it is
// bad, its own age, an operator, another unit, or that the HSM is no longer
// watched. Readings come late, twice, in any order, or fail.
func TestNothingClearsWithoutEvidence(t *testing.T) {
	stories(t, 30, func(t *testing.T, r *rand.Rand) {
		s := newEvidenceStory(t, r)
		defer func() { s.a.Stop() }()
		for range 15 + r.IntN(60) {
			s.read()
			synctest.Wait()
			s.judge()
			watchtest.Advance(pick(s.story, []time.Duration{0, time.Millisecond, time.Second, 40 * time.Second, 3 * time.Minute, 11 * time.Minute}))
			s.judge()
		}
		if t.Failed() {
			t.Logf("the story:\n%s", strings.Join(s.told, "\n"))
		}
	})
}

func newEvidenceStory(t *testing.T, r *rand.Rand) *evidenceStory {
	s := &evidenceStory{story: &story{Rand: r, t: t, dir: t.TempDir(), versions: make(map[uint64][]version)}, cleared: make(map[uint64]bool), unit: make(map[string]int), gone: make(map[string]time.Time)}
	s.watched = []string{"a", "b", "c"}
	s.open(r.IntN(3) == 0)
	return s
}

// open starts the agent; damped: some alarms must stay good for a while.
func (s *evidenceStory) open(damped bool) {
	s.a = watchtest.Start(s.t, s.dir, nil, shipped(s.watched...), func(w *watch.Watch) {
		w.Settings.HistoryAlarms = 1e6
		if damped {
			w.Settings.ClearAfter = map[string]time.Duration{"stm": 2 * time.Minute, "lock": 5 * time.Minute}
			w.Settings.RaiseAfter = map[string]time.Duration{"hsm-status": time.Minute}
		}
	})
}

// read has something be read, or be done.
func (s *evidenceStory) read() {
	device := pick(s.story, []string{"a", "b", "c"})
	switch n := s.IntN(100); {
	case n < 35:
		s.line(device, time.Now(), pick(s.story, lineSigns), pick(s.story, lineSigns))
	case n < 45:
		s.line(device, time.Now().Add(-time.Duration(s.IntN(120))*time.Minute), pick(s.story, lineSigns))
	case n < 75:
		s.show(device, time.Now().Add(-time.Duration(s.IntN(2)*s.IntN(20))*time.Minute))
	case n < 82:
		s.fail(device)
	case n < 88:
		s.clearOne()
	case n < 92:
		s.unit[device]++
		s.note("another unit answers as %s", device)
		s.show(device, time.Now())
	default:
		s.reopen()
	}
}

// line has lines of one card read, as of a time.
func (s *evidenceStory) line(device string, at time.Time, list ...sign) {
	if !slices.Contains(s.watched, device) {
		return
	}
	object := pick(s.story, []string{"", "", "", "k7pf1"})
	var lines []rules.Line
	for _, x := range list {
		text := x.text
		if object != "" {
			text = strings.Replace(text, "k7pf0", object, 1)
		}
		l := syslog.ParseLine(alarmstest.Stamp + "kern info  kernel: " + text)
		lines = append(lines, rules.Line{LogLine: l, Device: device, File: "/" + device, At: at})
		s.took(reading{sign: x, device: device, object: object, at: at})
	}
	s.cursor++
	s.a.Must(s.a.Take("/"+device, lines, []byte(fmt.Sprint(s.cursor))))
}

// show has hsm show be read, as of a time.
func (s *evidenceStory) show(device string, at time.Time) {
	if !slices.Contains(s.watched, device) {
		return
	}
	x := pick(s.story, showSigns)
	v := x.show
	v.Serial = fmt.Sprint(70001 + 10*int(device[0]) + s.unit[device])
	s.took(reading{sign: x, device: device, at: at.Add(-time.Second)})
	s.a.Store.Apply(hsm.Observation{Device: device, Source: "hsm show", At: at, Took: time.Second, MaxAge: 605 * time.Second, Facts: []hsm.Fact{v}})
}

func (s *evidenceStory) fail(device string) {
	if !slices.Contains(s.watched, device) {
		return
	}
	failure := pick(s.story, []hsm.Failure{hsm.Unreachable, hsm.Timeout, hsm.Command, hsm.Login})
	s.took(reading{sign: sign{text: string(failure), ends: answered}, device: device, at: time.Now()})
	s.a.Store.Apply(hsm.Observation{Device: device, Source: "hsm show", At: time.Now(), Failure: failure, Err: errors.New("no answer")})
}

func (s *evidenceStory) took(r reading) {
	r.came = time.Now()
	s.note("%s%s: %s, of %s", r.device, r.object, r.text, r.at.UTC().Format("15:04:05.000"))
	s.readings = append(s.readings, r)
}

func (s *evidenceStory) clearOne() {
	if list := s.a.Active(); len(list) > 0 {
		x := pick(s.story, list)
		s.note("kim clears %d %s", x.Number, x.Key)
		s.a.Must(s.a.Clear(x.Key.String(), "kim", "repaired"))
		s.cleared[x.Number] = true
	}
}

// reopen restarts the agent, at times with other devices.
func (s *evidenceStory) reopen() {
	s.a.Stop()
	for _, device := range []string{"b", "c"} {
		if !slices.Contains(s.watched, device) {
			s.gone[device] = time.Now()
		}
	}
	s.watched = pick(s.story, [][]string{{"a", "b", "c"}, {"a", "b", "c"}, {"a", "b"}, {"a", "c"}})
	s.note("the agent restarts and watches %v", s.watched)
	s.open(s.IntN(3) == 0)
}

// judge holds that what has cleared since had a reason to.
func (s *evidenceStory) judge() {
	s.t.Helper()
	list, err := s.a.History(1e6)
	s.a.Must(err)
	for _, x := range list {
		if !s.cleared[x.Number] && x.Device != alarms.Self && !s.justified(x) {
			s.t.Errorf("%d %s %s cleared at %s by %q: raised at %s", x.Number, x.Severity, x.Key, x.Cleared.UTC(), x.LastEvidence().Text, x.Raised.UTC())
		}
		s.cleared[x.Number] = true
	}
}

func (s *evidenceStory) justified(x alarms.Alarm) bool {
	switch {
	case !x.Expires.IsZero() && !x.Cleared.Before(x.Expires):
		return true
	case !slices.Contains(s.watched, x.Device), s.gone[x.Device].After(x.Raised):
		return true
	case x.LastEvidence().Text != "" && strings.HasPrefix(x.LastEvidence().Text, "unit replaced"):
		return s.unit[x.Device] > 0
	}
	return slices.ContainsFunc(s.readings, func(good reading) bool { return s.ends(good, x) })
}

// ends reports whether a reading may end an alarm: it came once the alarm had
// begun, and none that says it is bad is newer.
func (s *evidenceStory) ends(good reading, x alarms.Alarm) bool {
	of := func(r reading) bool {
		return r.device == x.Device && (r.object == x.Object || x.Group == "data-stale" || x.Group == "source-failing" || x.Group == "unknown-state")
	}
	if !of(good) || !slices.Contains(good.ends, x.Group) || good.at.Before(x.Evidence[0].At) {
		return false
	}
	return !slices.ContainsFunc(s.readings, func(bad reading) bool {
		return of(bad) && slices.Contains(bad.bad, x.Group) && bad.at.After(good.at) && !bad.came.After(x.Cleared)
	})
}
