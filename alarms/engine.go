package alarms

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Self is the device of the alarms that Lunawatch raises on itself.
const Self = "lunawatch"

// A State is every alarm that stands, and what was counted. It is changed
// only by [State.Apply].
type State struct {
	Active  map[Key]Alarm
	Pending map[Key]Alarm     // to be raised, unless they are over before
	Events  map[string]Events // by device
	Number  uint64            // of the alarm that was raised last
	// Past is what is remembered of alarms that ended. It need not outlive a
	// restart, after which all is read anew.
	Past   map[Key]Past
	Raises []time.Time // of the last minute, of all alarms

	Due time.Time // before then, time alone changes no alarm; zero: never
}

// A Past is what is remembered of an alarm that ended.
type Past struct {
	By    time.Time   // time of what ended it: older news do not raise it again
	Begun []time.Time // when it lately began
}

// pastFor bounds how long a Past is kept: longer than any answer may be
// believed.
const pastFor = 7 * 24 * time.Hour

// Events counts what HSMs themselves report as alarms.
type Events struct {
	Critical uint64 `json:"critical"`
	Other    uint64 `json:"other"`
	// What its audit log says, which may be of the same events.
	AuditCritical uint64 `json:"audit_critical,omitempty"`
	FailedLogins  uint64 `json:"failed_logins,omitempty"`
}

// plus returns the sum of two counts.
func (e Events) plus(n Events) Events {
	return Events{e.Critical + n.Critical, e.Other + n.Other, e.AuditCritical + n.AuditCritical, e.FailedLogins + n.FailedLogins}
}

// NewState returns a State without alarms.
func NewState() State {
	return State{Active: make(map[Key]Alarm), Pending: make(map[Key]Alarm), Events: make(map[string]Events), Past: make(map[Key]Past)}
}

// Apply makes changes part of s.
func (s *State) Apply(changes []Change) {
	d := s.draft()
	var cleared time.Time
	for _, c := range changes {
		d.apply(c)
		s.Due = sooner(s.Due, c.Alarm.due())
		if c.Kind == Ended {
			cleared = later(cleared, c.Alarm.Cleared)
		}
	}
	d.active.flush()
	d.pending.flush()
	d.past.flush()
	s.Number, s.Raises = d.number, d.raises
	if !cleared.IsZero() {
		maps.DeleteFunc(s.Past, func(_ Key, p Past) bool { return cleared.Sub(p.By) > pastFor })
	}
}

// A draft is a State with changes over it that the State does not feel.
type draft struct {
	active, pending overlay[Alarm]
	past            overlay[Past]
	number          uint64
	raises          []time.Time
}

func (s State) draft() draft {
	return draft{
		active: overlay[Alarm]{base: s.Active}, pending: overlay[Alarm]{base: s.Pending}, past: overlay[Past]{base: s.Past},
		number: s.Number, raises: s.Raises,
	}
}

// apply does what each kind of change means.
func (d *draft) apply(c Change) {
	a := c.Alarm
	switch c.Kind {
	case Pending:
		d.pending.set(a.Key, a)
	case Dropped:
		d.pending.del(a.Key)
		d.past.set(a.Key, Past{a.lastEvidence().At, a.Begun})
	case Ended:
		d.active.del(a.Key)
		d.past.set(a.Key, Past{a.lastEvidence().At, a.Begun})
	case Raised:
		d.pending.del(a.Key)
		d.active.set(a.Key, a)
		d.number = max(d.number, a.Number)
		d.raises = append(since(d.raises, a.Raised.Add(-stormWindow)), a.Raised)
		d.raises = d.raises[max(0, len(d.raises)-maxStorm-1):]
	default:
		d.active.set(a.Key, a)
	}
}

func (a Alarm) lastEvidence() Evidence {
	if len(a.Evidence) == 0 {
		return Evidence{}
	}
	return a.Evidence[len(a.Evidence)-1]
}

// since returns the times of an ordered list after at.
func since(times []time.Time, at time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
	for i < len(times) && !times[i].After(at) {
		i++
	}
	return slices.Clip(times[i:])
}

// settle finds out again when time alone changes s, once that time has come.
func (s *State) settle(now time.Time) {
	if s.Due.IsZero() || now.Before(s.Due) {
		return
	}
	s.Due = time.Time{}
	for _, alarms := range []map[Key]Alarm{s.Active, s.Pending} {
		for _, a := range alarms {
			s.Due = sooner(s.Due, a.due())
		}
	}
}

// due returns when time alone changes a; zero: it does not.
func (a Alarm) due() time.Time {
	if !a.Cleared.IsZero() {
		return time.Time{}
	}
	at := sooner(sooner(a.Expires, a.EndsAt), a.RaisesAt)
	if a.Flapping && a.EndsAt.IsZero() {
		at = sooner(at, a.SteadyAt)
	}
	return at
}

// sooner returns the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Next returns when time alone changes s; zero: it does not.
func (s State) Next(calm Damping) time.Time {
	next := s.Due
	if _, storm := s.Active[stormKey]; storm && len(s.Raises) > calm.StormAlarms {
		next = sooner(next, s.Raises[len(s.Raises)-1-calm.StormAlarms].Add(stormWindow))
	}
	return next
}

// Eval returns what judgements change in s at time now, in the order in which
// they came. It does not change s.
//
//   - What no judgement speaks of stays as it is: missing data never clears.
//   - The time of its evidence orders a judgement: an older one neither ends
//     an alarm nor raises one that newer evidence has ended.
//   - The same evidence judged once more is no new sight.
//   - An alarm keeps its worst severity until it ends, so that a value on the
//     edge of two severities does not page at every poll.
//   - One that flaps stands until it was over for a while.
func Eval(s State, judgements []Judgement, calm Damping, now time.Time) []Change {
	w := work{draft: s.draft(), calm: calm, now: now}
	for _, j := range judgements {
		switch j.Verdict {
		case Bad:
			w.bad(j)
		case Good:
			w.good(j)
		}
	}
	if !s.Due.IsZero() && !now.Before(s.Due) {
		w.pass()
	}
	w.storm()
	return w.changes
}

// work is one evaluation, over a state that it does not touch.
type work struct {
	draft
	calm    Damping
	now     time.Time
	changes []Change
}

func (w *work) change(kind Kind, a Alarm) {
	c := Change{kind, a}
	w.changes = append(w.changes, c)
	w.apply(c)
}

func (w *work) bad(j Judgement) {
	old, stands := w.active.get(j.Key)
	known := stands
	if !stands {
		old, known = w.pending.get(j.Key)
	}
	past, _ := w.past.get(j.Key)
	switch {
	case !known && j.Evidence.At.Before(past.By), known && j.Evidence.At.Before(old.Last):
		return // newer evidence has spoken
	case known && j.Evidence.At.Equal(old.Last) && j.Severity <= old.Severity && j.Evidence.Text == old.lastEvidence().Text:
		return // seen before
	}
	a, replaced := old, false
	if !known {
		a = Alarm{Key: j.Key, Begun: past.Begun}
		replaced = w.replaceHidden(&a, j)
	}
	kind := w.take(&a, j)
	if a.Expires = (time.Time{}); j.Age > 0 && (!known || !old.Expires.IsZero()) { // an event never ends a state
		a.Expires = w.now.Add(j.Age)
	}
	if !a.EndsAt.IsZero() {
		a.EndsAt = time.Time{}
		if w.begins(&a) {
			kind = Updated
		}
	}
	delay := w.calm.RaiseAfter[j.Group]
	switch {
	case stands:
		w.change(kind, a)
	case delay == 0 || j.Age > 0 || replaced:
		w.raise(a)
	default:
		if !known {
			a.RaisesAt = w.now.Add(delay)
		}
		w.change(Pending, a)
	}
}

// take adds a judgement to its alarm.
func (w *work) take(a *Alarm, j Judgement) (kind Kind) {
	kind = Seen
	if a.Count > 0 {
		j.Severity = max(j.Severity, j.Again)
	}
	switch {
	case j.Severity > a.Severity, hides(*a, j):
		a.Severity, a.Text, kind = j.Severity, j.Text, Updated
		a.Ack = nil
		a.Type, a.Cause = classify(j)
	case j.Code == "":
		a.Text = j.Text // the newest reading
	}
	a.Last, a.Count, a.Serial = j.Evidence.At, a.Count+1, cmp.Or(j.Serial, a.Serial)
	if j.Code != "" && !slices.Contains(a.Codes, j.Code) {
		a.Codes = append(slices.Clip(a.Codes), j.Code)
	}
	a.Evidence = withEvidence(a.Evidence, j.Evidence)
	return kind
}

// linkLost is all that can be read of a card that is off the bus: it hides
// why, until a restart.
const linkLost = "0015"

// hides reports whether all that is known of a is a lost link, and j tells
// why.
func hides(a Alarm, j Judgement) bool {
	return slices.Equal(a.Codes, []string{linkLost}) && j.Code != "" && j.Code != linkLost && GroupNamed(j.Group).tamper != 0
}

// replaceHidden ends the alarm of a lost link when a new one tells its cause,
// which takes over the evidence, and reports whether it did.
func (w *work) replaceHidden(a *Alarm, j Judgement) bool {
	hidden, stands := w.active.get(Key{Device: j.Device, Group: "chassis", Object: j.Object, Test: j.Test})
	if !stands || !hides(hidden, j) {
		return false
	}
	w.end(hidden, Evidence{At: j.Evidence.At, Text: "its cause is known: " + GroupNamed(j.Group).Title})
	a.Codes, a.Evidence, a.Count = hidden.Codes, hidden.Evidence, hidden.Count
	return true
}

func (w *work) raise(a Alarm) {
	a.Number, a.Raised, a.RaisesAt = w.number+1, w.now, time.Time{}
	w.begins(&a)
	a.InStorm = w.calm.StormAlarms > 0 && a.Device != Self && len(since(w.raises, w.now.Add(-stormWindow))) >= w.calm.StormAlarms
	w.change(Raised, a)
}

// begins notes that an alarm begins or comes back, and reports whether that
// makes it one that flaps.
func (w *work) begins(a *Alarm) (flaps bool) {
	a.Begun = append(since(a.Begun, w.now.Add(-w.calm.FlapWindow)), w.now)
	flaps = w.calm.FlapCount > 0 && len(a.Begun) >= w.calm.FlapCount && !a.Flapping
	a.Flapping = a.Flapping || flaps
	a.SteadyAt = w.now.Add(w.calm.FlapWindow)
	return flaps
}

// good ends what j tells to be over, unless it stands on newer evidence.
func (w *work) good(j Judgement) {
	for _, k := range w.over(j) {
		if a, waits := w.pending.get(k); waits && !j.Evidence.At.Before(a.Last) {
			a.Evidence = withEvidence(a.Evidence, j.Evidence)
			w.change(Dropped, a)
		}
		a, stands := w.active.get(k)
		if !stands || j.Evidence.At.Before(a.Last) || !a.EndsAt.IsZero() {
			continue
		}
		hold := w.calm.ClearAfter[k.Group]
		if a.Flapping {
			hold = max(hold, w.calm.FlapWindow)
		}
		if hold == 0 {
			w.end(a, j.Evidence)
			continue
		}
		a.EndsAt, a.Evidence = w.now.Add(hold), withEvidence(a.Evidence, j.Evidence)
		w.change(Seen, a)
	}
}

// over returns the alarms that a Good judgement is about: its own; of a clear
// code, those of its card that one of the cleared codes took part in, and its
// own if that was polled only.
func (w *work) over(j Judgement) []Key {
	if len(j.Clears) == 0 {
		return []Key{j.Key}
	}
	keys := []Key{}
	for _, code := range j.Clears {
		c, _ := CodeNamed(code)
		k := Key{Device: j.Device, Group: c.Group, Object: j.Object, Test: j.Test}
		if slices.Contains(w.codes(k), code) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(w.codes(j.Key)) == 0 {
		keys = append(keys, j.Key)
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}

// codes returns the codes that took part in an alarm.
func (w *work) codes(k Key) []string {
	a, stands := w.active.get(k)
	if !stands {
		a, _ = w.pending.get(k)
	}
	return a.Codes
}

// pass does what time alone does.
func (w *work) pass() {
	is := func(t time.Time) bool { return !t.IsZero() && !w.now.Before(t) }
	for _, k := range due(w.pending, w.now) {
		a, _ := w.pending.get(k)
		w.raise(a)
	}
	for _, k := range due(w.active, w.now) {
		switch a, _ := w.active.get(k); {
		case is(a.Expires):
			w.end(a, Evidence{At: w.now, Text: "ended by itself"})
		case is(a.EndsAt):
			w.end(a, a.lastEvidence())
		default:
			a.Flapping = false
			w.change(Seen, a)
		}
	}
}

// due returns the alarms that time alone changes by now.
func due(alarms overlay[Alarm], now time.Time) (keys []Key) {
	for k, a := range alarms.all() {
		if at := a.due(); !at.IsZero() && !now.Before(at) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}

func (w *work) end(a Alarm, why Evidence) {
	a.Cleared = w.now
	if a.EndsAt.IsZero() {
		a.Evidence = withEvidence(a.Evidence, why)
	}
	a.EndsAt = time.Time{}
	w.change(Ended, a)
}

const (
	stormWindow = time.Minute // in which new alarms make a storm
	maxStorm    = 1000        // is the highest Damping.Storm
)

// maxEvidence bounds what an alarm keeps: the first and the newest.
const maxEvidence = 6

// maxText bounds the text of an alarm or of its evidence, in bytes.
const maxText = 500

func withEvidence(list []Evidence, e Evidence) []Evidence {
	if len(list) == maxEvidence {
		list = append(list[:1:1], list[2:]...)
	}
	return append(slices.Clip(list), e)
}

// clip cuts a text that may be of any length, such as a log line.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + " ..."
}

// compare orders keys as their texts do, but for separators.
func (k Key) compare(other Key) int {
	test := func(k Key) int {
		if k.Test {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(k.Device, other.Device), strings.Compare(k.Group, other.Group),
		strings.Compare(k.Object, other.Object), cmp.Compare(test(k), test(other)))
}

func sortedKeys[T any](m map[Key]T) []Key { return slices.SortedFunc(maps.Keys(m), Key.compare) }
