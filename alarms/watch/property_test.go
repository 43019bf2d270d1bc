package watch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/alarms/watch/watchtest"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// stories plays so many random stories, each in a bubble of its own time. Each is
// named by its seed: LUNAWATCH_SEED replays it, and is the first of many with
// LUNAWATCH_STRESS.
func stories(t *testing.T, n int, play func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	t.Parallel()
	first := uint64(1)
	if collectortest.RaceDetector {
		n = (n + 3) / 4
	}
	if text := os.Getenv("LUNAWATCH_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n, first = 1, seed
	}
	for seed := first; seed < first+uint64(stress(n, 2000)); seed++ {
		if !t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, rand.New(rand.NewPCG(seed, 9))) })
		}) {
			t.Fatalf("replay it with LUNAWATCH_SEED=%d", seed)
		}
	}
}

// stress returns how often to try: as usual, or with LUNAWATCH_STRESS=1 very
// often, or with a higher number that often.
func stress(usual, often int) int {
	text := os.Getenv("LUNAWATCH_STRESS")
	if text == "" {
		return usual
	}
	if n, err := strconv.Atoi(text); err == nil && n > 1 {
		return n
	}
	return often
}

// A mood is how a receiver answers for a while.
type mood string

const (
	works   mood = "works"
	refuses mood = "refuses"
	stalls  mood = "stalls"
	rejects mood = "rejects" // one group
	asks    mood = "asks to be tried later"
	slow    mood = "slow"
)

// A mailbox is a receiver whose mood changes. What it takes, it confirms.
type mailbox struct {
	mu     sync.Mutex
	mood   mood
	group  string // that it rejects
	always bool   // it has worked, all the time
	got    []arrival
}

// An arrival is what a mailbox took, and when.
type arrival struct {
	alarms.Notification
	at time.Time
}

func (m *mailbox) Notify(ctx context.Context, n alarms.Notification) error {
	return m.together(ctx, []alarms.Notification{n})
}

func (m *mailbox) together(ctx context.Context, list []alarms.Notification) error {
	if err := m.answer(ctx, list); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range list {
		m.got = append(m.got, arrival{n, time.Now()})
	}
	return nil
}

func (m *mailbox) answer(ctx context.Context, list []alarms.Notification) error {
	m.mu.Lock()
	mood, group := m.mood, m.group
	m.mu.Unlock()
	switch mood {
	case refuses:
		return errors.New("connection refused")
	case stalls:
		<-ctx.Done()
	case slow:
		wait.Sleep(ctx, 20*time.Second)
	case asks:
		return &notify.Later{Err: errors.New("too many"), After: 3 * time.Minute}
	case works:
	case rejects:
		if slices.ContainsFunc(list, func(n alarms.Notification) bool { return n.Change.Alarm.Group == group }) {
			return &notify.Rejected{Err: errors.New("bad request")}
		}
	}
	return ctx.Err()
}

func (m *mailbox) turn(to mood, group string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mood, m.group, m.always = to, group, m.always && to == works
}

func (m *mailbox) arrivals() []arrival {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.got)
}

// routes are the kinds of receivers of a story, by name.
var routes = map[string]notify.Receiver{
	"noc":    {},
	"major":  {Route: notify.Route{Only: alarms.Match{Severity: alarms.Major}}},
	"only b": {Route: notify.Route{Only: alarms.Match{HSMs: []string{"b"}}}},
	"hours":  {Route: notify.Route{Hours: again.Hours{From: "08:00", To: "18:00", Zone: "UTC"}}},
	"boss":   {Route: notify.Route{UnacknowledgedFor: 15 * time.Minute}},
	"again":  {Route: notify.Route{Repeat: 30 * time.Minute, Expire: 90 * time.Minute}},
	"batch":  {Route: notify.Route{Expire: 90 * time.Minute}},
	"digest": {Digest: 5 * time.Minute},
	"flaky":  {Route: notify.Route{Expire: 90 * time.Minute}},
	"flaky2": {},
}

// batched are the receivers that take several notifications as one.
var batched = []string{"batch", "digest"}

// A story is a random play on one Watch, and what is known of it besides.
type story struct {
	*rand.Rand
	t        *testing.T
	a        *watchtest.Running
	dir      string
	names    []string // of receivers
	boxes    map[string]*mailbox
	mend     func() // the disk; nil: it works
	silences []alarms.Silence
	stops    []span
	versions map[uint64][]version // of each alarm that was seen active
	logs     strings.Builder      // of the agents that have stopped
	told     []string             // what happened, for the report of a failure
	nextCode int
}

// A span is a time without the agent.
type span struct{ from, until time.Time }

// A version is an active alarm as it was from a time on.
type version struct {
	from  time.Time
	alarm alarms.Alarm
}

// The settings of stories.
const (
	storyStorm   = 8
	storySpacing = time.Minute
	// plannedWithin is how soon a receiver's queue has what no reason withholds.
	plannedWithin = storySpacing + 2*time.Second
	// arrivesWithin is how soon it arrives from there, where the receiver works:
	// what a storm has held waits 15 s for more of it.
	arrivesWithin = 17 * time.Second
)

func newStory(t *testing.T, r *rand.Rand) *story {
	s := &story{Rand: r, t: t, dir: t.TempDir(), boxes: make(map[string]*mailbox), versions: make(map[uint64][]version), nextCode: 3000}
	s.names = []string{"noc", "flaky"}
	var others []string
	for name := range routes {
		if !slices.Contains(s.names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	s.names = append(s.names, others[:3]...)
	for _, name := range s.names {
		s.boxes[name] = &mailbox{mood: works, always: true}
	}
	s.start()
	return s
}

func (s *story) start() {
	s.a = watchtest.Start(s.t, s.dir, nil, shipped("a", "b", "c"), func(w *watch.Watch) {
		w.Settings.StormAlarms, w.Settings.NotifyInterval = storyStorm, storySpacing
		w.Settings.HistoryAlarms = 1e6
		for _, name := range s.names {
			receiver := routes[name]
			receiver.Notifier = s.boxes[name]
			if slices.Contains(batched, name) {
				receiver.Together = s.boxes[name].together
			}
			w.Receivers[name] = receiver
		}
	})
}

// note records what happens, for the report of a failure.
func (s *story) note(format string, args ...any) {
	s.told = append(s.told, time.Now().UTC().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// sample records the active alarms as they are now.
func (s *story) sample() {
	for _, x := range s.a.Active() {
		s.versions[x.Number] = append(s.versions[x.Number], version{time.Now(), x.Alarm})
	}
}

// play has so many things happen.
func (s *story) play(steps int) {
	for range steps {
		s.happen()
		synctest.Wait()
		s.sample()
		watchtest.Advance(pick(s, []time.Duration{0, 0, time.Second, 3 * time.Second, 20 * time.Second, 70 * time.Second, 4 * time.Minute, 12 * time.Minute, 50 * time.Minute}))
		s.sample()
	}
	if s.mend != nil {
		s.repair()
	}
}

func pick[T any](s *story, list []T) T { return list[s.IntN(len(list))] }

// storyLines are the lines of stories, with those that end what others begin.
var storyLines = []string{
	chassisLine, integrityLine, haltedLine, decomLine, zeroizedLine, hardLine, lockLine, unlockedLine, unlockedLine,
	alarmstest.TransportLine, alarmstest.RecoveredLine, alarmstest.TransportLine, alarmstest.RecoveredLine, alarmstest.BatteryLine,
	"k7pf0: [HSM] ALM2005: HSM deactivated", "k7pf0: [HSM] ALM2023: HSM fan 1 failure",
}

var storyShows = map[string]hsm.Show{
	"good":     {Status: "L3 Device", Label: hsm.Some("root"), Tamper: hsm.TamperNone, Zeroized: hsm.Some(false), SecureTransportMode: hsm.Some(false)},
	"tampered": {Status: "Tamper", Tamper: hsm.TamperDetected},
	"zeroized": {Status: "L3 Device, Zeroized", Zeroized: hsm.Some(true)},
	"nothing":  {},
}

// happen has one thing happen.
func (s *story) happen() {
	device := pick(s, []string{"a", "b", "c"})
	switch n := s.IntN(100); {
	case n < 25:
		s.lines(device, pick(s, storyLines))
	case n < 33:
		s.lines(device, pick(s, storyLines), pick(s, storyLines), pick(s, storyLines))
	case n < 40:
		s.flood(device)
	case n < 44:
		s.flap(device)
	case n < 54:
		s.poll(device, pick(s, []string{"good", "good", "tampered", "zeroized", "nothing"}))
	case n < 60:
		s.silence(device)
	case n < 62:
		s.unsilence()
	case n < 70:
		s.operate()
	case n < 86:
		s.turn()
	case n < 91:
		s.restart()
	case n < 95:
		s.disk()
	default:
		s.note("an hour or two pass")
		watchtest.Advance(time.Duration(s.IntN(120)) * time.Minute)
	}
}

func (s *story) lines(device string, texts ...string) {
	s.note("%s logs %q", device, texts)
	kernelOf(s.a, device, texts...)
}

// flood raises more alarms of one group than a storm needs, each on a card or
// with a code of its own.
func (s *story) flood(device string) {
	code := pick(s, []string{"", "ALM2012: HSM in secure transport mode", "ALM2009: HSM halted - internal firmware error"})
	apart := pick(s, []time.Duration{0, 100 * time.Millisecond, 5 * time.Second})
	n := storyStorm + s.IntN(2*storyStorm)
	s.note("%s floods: %d of %q, %s apart", device, n, code, apart)
	for i := range n {
		text := fmt.Sprintf("k7pf%d: [HSM] %s", 1+i, code)
		if code == "" {
			text = fmt.Sprintf("k7pf0: [HSM] ALM%d: event", s.nextCode)
			s.nextCode++
		}
		kernelOf(s.a, device, text)
		s.sample()
		watchtest.Advance(apart)
	}
	if s.IntN(2) == 0 {
		s.lines(device, pick(s, storyLines), pick(s, storyLines))
	}
}

func (s *story) flap(device string) {
	s.note("%s flaps", device)
	for range 2 + s.IntN(5) {
		kernelOf(s.a, device, alarmstest.TransportLine)
		s.sample()
		watchtest.Advance(time.Duration(s.IntN(40)) * time.Second)
		kernelOf(s.a, device, alarmstest.RecoveredLine)
		s.sample()
		watchtest.Advance(time.Duration(s.IntN(40)) * time.Second)
	}
}

func (s *story) poll(device, show string) {
	s.note("%s is polled: %s", device, show)
	s.a.Store.Apply(hsm.Observation{Device: device, Source: "hsm show", At: time.Now(), Took: 2 * time.Second, MaxAge: 605 * time.Second, Facts: []hsm.Fact{storyShows[show]}})
}

func (s *story) silence(device string) {
	now := time.Now()
	x := alarms.Silence{Author: "kim", Reason: "work", From: now.Add(time.Duration(s.IntN(2)*s.IntN(30)) * time.Minute)}
	x.Until = x.From.Add(time.Duration(1+s.IntN(90)) * time.Minute)
	x.Match = pick(s, []alarms.Match{{HSMs: []string{device}}, {Groups: []string{"stm"}}, {HSMs: []string{device}, Groups: []string{"h*", "l*"}}})
	id, err := s.a.Silence(x)
	s.a.Must(err)
	x.ID = id
	s.silences = append(s.silences, x)
	s.note("silence %d: %v from %s until %s", id, x.Match, x.From.UTC(), x.Until.UTC())
}

func (s *story) unsilence() {
	for _, x := range s.a.Silences() {
		s.note("silence %d ends", x.ID)
		s.a.Must(s.a.Unsilence(x.ID))
		i := slices.IndexFunc(s.silences, func(known alarms.Silence) bool { return known.ID == x.ID })
		s.silences[i].Until = time.Now()
		return
	}
}

func (s *story) operate() {
	list := s.a.Active()
	if len(list) == 0 {
		return
	}
	x := pick(s, list)
	switch n := s.IntN(3); {
	case n == 0:
		s.note("kim clears %d %s", x.Number, x.Key)
		s.a.Must(s.a.Clear(x.Key.String(), "kim", "repaired"))
	case x.Ack == nil:
		s.note("kim acknowledges %d %s", x.Number, x.Key)
		s.a.Must(s.a.Acknowledge(x.Key.String(), "kim", "on my way"))
	default:
		s.note("kim gives %d %s back", x.Number, x.Key)
		s.a.Must(s.a.Unacknowledge(x.Key.String()))
	}
}

// turn changes the mood of a receiver. That of noc never changes.
func (s *story) turn() {
	name := pick(s, s.names[1:])
	to := pick(s, []mood{works, works, refuses, stalls, rejects, asks, slow})
	group := pick(s, []string{"stm", "chassis", "meta", "lock"})
	s.note("%s %s %s", name, to, group)
	s.boxes[name].turn(to, group)
}

func (s *story) restart() {
	if s.mend != nil {
		return // what only memory holds is lost with it
	}
	s.note("the agent stops")
	from := time.Now()
	s.logs.WriteString(s.a.Log.String())
	s.a.Stop()
	watchtest.Advance(time.Duration(s.IntN(2)*s.IntN(600)) * time.Second)
	s.start()
	s.stops = append(s.stops, span{from, time.Now()})
	s.note("the agent runs again")
}

// disk breaks the disk, or mends it.
func (s *story) disk() {
	if s.mend == nil {
		s.note("the disk breaks")
		s.mend = breakDisk(s.t, s.dir)
		return
	}
	s.repair()
}

func (s *story) repair() {
	s.note("the disk works")
	s.mend()
	s.mend = nil
	watchtest.Advance(11 * time.Second) // until the journal is back on it
}

// TestEveryRaiseArrives: every raise arrives once at each receiver that takes
// it, or waits in its queue, or was given up, which is an alarm, or was withheld
// for a reason that held all the time: too mild for the receiver, a silence, a
// cause that the same receiver was notified of, its hours, an acknowledgement
// before an escalation, a storm of its own kind. It is queued within a minute (and
// two seconds) after the last reason ends, and then arrives within 17 s where
// the receiver works (and does not collect). What is critical is queued within a
// second, in a storm, too, unless another of its kind was within a minute.
// Not played: the levels coded and category, which hide which alarm it is.
func TestEveryRaiseArrives(t *testing.T) {
	stories(t, 16, func(t *testing.T, r *rand.Rand) {
		s := newStory(t, r)
		defer func() { s.a.Stop() }()
		s.play(5 + r.IntN(30))
		if r.IntN(2) == 0 {
			s.note("all receivers work")
			for _, box := range s.boxes {
				box.turn(works, "")
			}
			watchtest.Advance(2 * time.Hour)
		} else {
			watchtest.Advance(2 * time.Minute)
		}
		s.sample()
		newAccount(s).check()
		if t.Failed() {
			t.Logf("the story:\n%s", strings.Join(s.told, "\n"))
		}
	})
}

// An account is what must have arrived, and what did.
type account struct {
	*story
	raised []alarms.Alarm // by number
	byKey  map[alarms.Key][]alarms.Alarm
	lost   map[string]map[string]time.Time // by receiver and ID: when it was last given up
	known  map[string]map[uint64][]copyOf  // by receiver and number: the raises that came, or wait
}

func newAccount(s *story) *account {
	a := &account{story: s, byKey: make(map[alarms.Key][]alarms.Alarm), lost: make(map[string]map[string]time.Time), known: make(map[string]map[uint64][]copyOf)}
	history, err := s.a.History(1e6)
	s.a.Must(err)
	a.raised = history
	for _, x := range s.a.Active() {
		a.raised = append(a.raised, x.Alarm)
	}
	slices.SortFunc(a.raised, func(x, y alarms.Alarm) int { return int(x.Number) - int(y.Number) })
	for _, x := range a.raised {
		a.byKey[x.Key] = append(a.byKey[x.Key], x)
	}
	s.logs.WriteString(s.a.Log.String())
	for _, m := range givenUpLine.FindAllStringSubmatch(s.logs.String(), -1) {
		at, err := time.Parse(time.RFC3339Nano, m[1])
		s.a.Must(err)
		a.giveUp(unquoted(m[2]), unquoted(m[3]), at)
	}
	for _, name := range s.names {
		a.known[name] = a.copies(name)
	}
	return a
}

var givenUpLine = regexp.MustCompile(`time=(\S+) .*msg="notification given up" receiver=("[^"]*"|\S+) id=("(?:[^"\\]|\\.)*"|\S+)`)

func unquoted(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}

func (a *account) giveUp(receiver, id string, at time.Time) {
	if a.lost[receiver] == nil {
		a.lost[receiver] = make(map[string]time.Time)
	}
	a.lost[receiver][id] = at
	a.saysSo(receiver, id, at)
}

// saysSo holds that a notification that was given up is an alarm.
func (a *account) saysSo(receiver, id string, at time.Time) {
	for _, x := range a.byKey[alarms.Key{Device: alarms.Self, Group: "delivery", Object: receiver}] {
		if !x.Raised.After(at.Add(time.Second)) && (x.Cleared.IsZero() || x.Cleared.After(at)) {
			return
		}
	}
	a.t.Errorf("%s was given up for %s at %s, and no alarm says so", id, receiver, at.UTC())
}

func (a *account) check() {
	a.t.Helper()
	for i, x := range a.raised {
		if x.Number != uint64(i)+1 {
			a.t.Errorf("alarm %d follows %d", x.Number, i)
		}
		if slices.ContainsFunc(a.versions[x.Number], func(v version) bool { return v.alarm.Severity == alarms.Critical && v.alarm.InStorm }) {
			a.t.Errorf("%d %s is critical and in a storm", x.Number, x.Key)
		}
	}
	for _, name := range a.names {
		a.checkReceiver(name)
	}
}

// A copyOf a raise: as it arrived, or waits.
type copyOf struct {
	alarms.Notification
	at time.Time // zero: it waits
}

func (a *account) checkReceiver(name string) {
	a.t.Helper()
	for _, x := range a.raised {
		list := a.known[name][x.Number]
		switch {
		case len(list) > 1:
			a.t.Errorf("%s: %d %s came %d times, as %q and %q", name, x.Number, x.Key, len(list), list[0].ID, list[1].ID)
		case len(list) == 1:
			a.checkInTime(name, x, list[0])
		case a.givenUpAt(name, x).IsZero():
			a.checkWithheld(name, x)
		}
	}
}

// copies returns the raises that a receiver took, or that wait for it, by the
// number of their alarm.
func (a *account) copies(name string) map[uint64][]copyOf {
	copies, ids := make(map[uint64][]copyOf), make(map[string]bool)
	add := func(n alarms.Notification, at time.Time) {
		if ids[n.ID] {
			a.t.Errorf("%s: %q came twice", name, n.ID)
		}
		ids[n.ID] = true
		if kind := n.Change.Kind; kind == alarms.Raised || kind == alarms.RaisedAndCleared {
			copies[n.Change.Alarm.Number] = append(copies[n.Change.Alarm.Number], copyOf{n, at})
		}
	}
	for _, x := range a.boxes[name].arrivals() {
		add(x.Notification, x.at)
	}
	queue, err := a.a.Journal.Queue(name, 1e6)
	a.a.Must(err)
	for _, n := range queue {
		add(n, time.Time{})
	}
	return copies
}

// givenUpAt returns when the raise of an alarm was last given up; zero: never.
func (a *account) givenUpAt(name string, x alarms.Alarm) (last time.Time) {
	for id, at := range a.lost[name] {
		if strings.HasPrefix(id, fmt.Sprintf("%s %d raised", x.Key, x.Number)) {
			last = alarms.Later(last, at)
		}
	}
	return last
}

// checkInTime holds that a raise was queued once nothing withheld it, and that
// it arrived from there.
func (a *account) checkInTime(name string, x alarms.Alarm, c copyOf) {
	if late := a.unexplained(name, x, c.At); late > plannedWithin && a.givenUpAt(name, x).IsZero() {
		a.t.Errorf("%s: %d %s %s was queued at %s, %s late: raised at %s", name, x.Number, x.Severity, x.Key, c.At.UTC(), late, x.Raised.UTC())
	}
	if late := c.At.Sub(x.Raised); late > time.Second && a.atOnce(name, x) {
		a.t.Errorf("%s: %d %s was queued %s after it was raised, at %s", name, x.Number, x.Key, late, x.Raised.UTC())
	}
	took := c.at.Sub(c.At)
	if c.at.IsZero() {
		took = time.Since(c.At)
	}
	if a.boxes[name].always && took > arrivesWithin+routes[name].Digest && len(a.stops) == 0 {
		a.t.Errorf("%s: %d %s %s arrived %s after it was queued", name, x.Number, x.Severity, x.Key, took)
	}
}

// atOnce reports whether an alarm is critical, nothing withheld it when it was
// raised, and the receiver, which always works, had heard nothing of its kind for
// a minute.
func (a *account) atOnce(name string, x alarms.Alarm) bool {
	was := a.as(x, x.Raised)
	if was.Severity < alarms.Critical || !a.boxes[name].always || routes[name].Digest > 0 || a.reason(name, was, x.Raised) != "" || !a.givenUpAt(name, x).IsZero() {
		return false
	}
	return !slices.ContainsFunc(a.boxes[name].arrivals(), func(y arrival) bool {
		return y.Change.Alarm.Key == x.Key && y.At.Before(x.Raised.Add(time.Second)) && y.At.After(x.Raised.Add(-storySpacing-time.Second)) && y.Change.Alarm.Number != x.Number
	})
}

// checkWithheld holds that a raise that never came was withheld for a reason,
// all the time, and when it cleared.
func (a *account) checkWithheld(name string, x alarms.Alarm) {
	end := x.Cleared
	if end.IsZero() {
		end = time.Now()
	}
	if missed := a.unexplained(name, x, end); missed > plannedWithin {
		a.t.Errorf("%s: %d %s %s never came, and for %s nothing withheld it: raised at %s, cleared at %s", name, x.Number, x.Severity, x.Key, missed, x.Raised.UTC(), x.Cleared.UTC())
		return
	}
	if x.Cleared.IsZero() || x.Severity < alarms.Minor || routes[name].UnacknowledgedFor > 0 {
		return
	}
	if a.reason(name, x, x.Cleared) == "" {
		a.t.Errorf("%s: %d %s %s cleared before it was notified, and never came: raised at %s, cleared at %s", name, x.Number, x.Severity, x.Key, x.Raised.UTC(), x.Cleared.UTC())
	}
}

// unexplained returns the longest time until end for which nothing withheld an
// alarm from a receiver.
func (a *account) unexplained(name string, x alarms.Alarm, end time.Time) (longest time.Duration) {
	const step = 15 * time.Second
	if end.Sub(x.Raised) <= plannedWithin {
		return end.Sub(x.Raised)
	}
	free := x.Raised
	for at := x.Raised; at.Before(end); at = at.Add(step) {
		if a.reason(name, a.as(x, at), at) != "" {
			free = at.Add(step)
		}
		longest = max(longest, min(at.Add(step).Sub(free), end.Sub(free)))
	}
	return longest
}

// as returns an alarm as it was at a time.
func (a *account) as(x alarms.Alarm, at time.Time) alarms.Alarm {
	list := a.versions[x.Number]
	for _, v := range slices.Backward(list) {
		if !v.from.After(at) {
			return v.alarm
		}
	}
	if len(list) > 0 {
		return list[0].alarm
	}
	return x
}

// reason says why a receiver is not notified of an alarm at a time; "": nothing
// withholds it.
func (a *account) reason(name string, x alarms.Alarm, at time.Time) string {
	r := routes[name]
	switch {
	case !r.Only.Takes(x):
		return "not for this receiver"
	case x.Key == alarms.Key{Device: alarms.Self, Group: "delivery", Object: name}:
		return "it is about the receiver"
	case slices.ContainsFunc(a.stops, func(s span) bool { return !at.Before(s.from) && at.Before(s.until) }):
		return "no agent"
	case alarms.SilencedBy(a.silences, x, at) != nil:
		return "silence"
	case name == "hours" && (at.UTC().Hour() < 8 || at.UTC().Hour() >= 18):
		return "hours"
	case r.UnacknowledgedFor > 0 && (x.Ack != nil || at.Before(x.Raised.Add(r.UnacknowledgedFor))):
		return "not yet"
	case a.floods(x, at):
		return "storm"
	case a.suppressed(name, x, at, 4):
		return "suppressed"
	}
	return ""
}

// floods reports whether an alarm was raised in a flood of its own device and
// group, that still rages.
func (a *account) floods(x alarms.Alarm, at time.Time) bool {
	if x.Severity == alarms.Critical || x.Device == alarms.Self {
		return false
	}
	before, lately := 0, 0
	for _, y := range a.raised {
		if y.Device != x.Device || y.Group != x.Group {
			continue
		}
		if y.Number < x.Number && x.Raised.Sub(y.Raised) <= time.Minute {
			before++
		}
		if age := at.Sub(y.Raised); age >= 0 && age <= time.Minute {
			lately++
		}
	}
	return before >= storyStorm && lately > storyStorm/2
}

// suppressed reports whether an alarm follows from another one that the same
// receiver was notified of, or from one that has just cleared.
func (a *account) suppressed(name string, x alarms.Alarm, at time.Time, depth int) bool {
	if depth == 0 || x.Group == "unreachable" && at.Sub(x.Raised) > 15*time.Minute {
		return false
	}
	for key := range alarms.Causes(x, nil) {
		if slices.ContainsFunc(a.byKey[key], func(c alarms.Alarm) bool { return a.hides(name, c, x, at, depth) }) {
			return true
		}
	}
	return false
}

// hides reports whether a cause hides its consequence from a receiver: it is
// active, and the receiver was notified of it, or it has cleared, and the
// consequence was not seen since.
func (a *account) hides(name string, c, x alarms.Alarm, at time.Time, depth int) bool {
	then := a.as(c, at)
	if !c.Cleared.IsZero() && !at.Before(c.Cleared) {
		then = c
	}
	switch {
	case c.Raised.After(at), !follows(x, then):
		return false
	case c.Cleared.IsZero(), !at.After(c.Cleared):
		return a.knows(name, c, at) || a.suppressed(name, then, at, depth-1)
	}
	return !at.After(c.Cleared.Add(10*time.Minute)) && !x.Last.After(c.Cleared)
}

// follows reports whether an alarm may be a consequence of another one: no worse,
// begun from 10 minutes before to 20 minutes after it or a line that reports it
// again, and before anybody acknowledged that. Of what is only not read, the
// severity counts alone.
func follows(x, c alarms.Alarm) bool {
	switch {
	case c.Severity < x.Severity:
		return false
	case alarms.GroupNamed(x.Group).Unread:
		return true
	case c.Ack != nil && c.Ack.At.Before(x.Raised):
		return false
	}
	reports := []time.Time{c.Raised}
	for i, e := range c.Evidence {
		if e.Log != nil && (c.Cleared.IsZero() || i < len(c.Evidence)-1) {
			reports = append(reports, e.At)
		}
	}
	return slices.ContainsFunc(reports, func(at time.Time) bool {
		after := x.Raised.Sub(at)
		return -10*time.Minute <= after && after <= 20*time.Minute+5*time.Second
	})
}

// knows reports whether a receiver was notified of an alarm by a time, or its
// queue held that then.
func (a *account) knows(name string, x alarms.Alarm, at time.Time) bool {
	return at.Before(a.givenUpAt(name, x)) || slices.ContainsFunc(a.known[name][x.Number], func(c copyOf) bool { return !c.At.After(at) })
}
