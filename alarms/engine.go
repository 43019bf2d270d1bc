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

// Plus returns the sum of two counts.
func (e Events) Plus(n Events) Events {
	return Events{e.Critical + n.Critical, e.Other + n.Other, e.AuditCritical + n.AuditCritical, e.FailedLogins + n.FailedLogins}
}

// NewState returns a State without alarms.
func NewState() State {
	return State{Active: make(map[Key]Alarm), Pending: make(map[Key]Alarm), Events: make(map[string]Events), Past: make(map[Key]Past)}
}

// Apply makes changes part of s.
func (s *State) Apply(changes []Change) {
	d := s.Draft()
	var cleared time.Time
	for _, c := range changes {
		d.Apply(c)
		s.Due = Sooner(s.Due, c.Alarm.due())
		if c.Kind == Cleared {
			cleared = Later(cleared, c.Alarm.Cleared)
		}
	}
	d.Active.flush()
	d.pending.flush()
	d.past.flush()
	s.Number, s.Raises = d.number, d.raises
	if !cleared.IsZero() {
		maps.DeleteFunc(s.Past, func(_ Key, p Past) bool { return cleared.Sub(p.By) > pastFor })
	}
}

// A draft is a State with changes over it that the State does not feel.
type draft struct {
	Active, pending Overlay[Alarm]
	past            Overlay[Past]
	number          uint64
	raises          []time.Time
}

func (s State) Draft() draft {
	return draft{
		Active: Overlay[Alarm]{Base: s.Active}, pending: Overlay[Alarm]{Base: s.Pending}, past: Overlay[Past]{Base: s.Past},
		number: s.Number, raises: s.Raises,
	}
}

// Apply does what each kind of change means.
func (d *draft) Apply(c Change) {
	a := c.Alarm
	switch c.Kind {
	case Pending:
		d.pending.Set(a.Key, a)
	case Dropped:
		d.pending.del(a.Key)
		d.past.Set(a.Key, Past{a.LastEvidence().At, a.Begun})
	case Cleared:
		d.Active.del(a.Key)
		d.past.Set(a.Key, Past{a.LastEvidence().At, a.Begun})
	case Raised:
		d.pending.del(a.Key)
		d.Active.Set(a.Key, a)
		d.number = max(d.number, a.Number)
		d.raises = append(since(d.raises, a.Raised.Add(-stormWindow)), a.Raised)
		d.raises = d.raises[max(0, len(d.raises)-maxStorm-1):]
	default:
		d.Active.Set(a.Key, a)
	}
}

func (a Alarm) LastEvidence() Evidence {
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

// Settle finds out again when time alone changes s, once that time has come.
func (s *State) Settle(now time.Time) {
	if s.Due.IsZero() || now.Before(s.Due) {
		return
	}
	s.Due = time.Time{}
	for _, alarms := range []map[Key]Alarm{s.Active, s.Pending} {
		for _, a := range alarms {
			s.Due = Sooner(s.Due, a.due())
		}
	}
}

// due returns when time alone changes a; zero: it does not.
func (a Alarm) due() time.Time {
	if !a.Cleared.IsZero() {
		return time.Time{}
	}
	at := Sooner(Sooner(a.Expires, a.EndsAt), a.RaisesAt)
	if a.Flapping && a.EndsAt.IsZero() {
		at = Sooner(at, a.SteadyAt)
	}
	return at
}

// Sooner returns the earlier of two times, of which zero is never.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Next returns when time alone changes s; zero: it does not.
func (s State) Next(calm Damping) time.Time {
	next := s.Due
	if _, storm := s.Active[StormKey]; storm && len(s.Raises) > calm.StormAlarms {
		next = Sooner(next, s.Raises[len(s.Raises)-1-calm.StormAlarms].Add(stormWindow))
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
func Eval(s State, judgements []Finding, calm Damping, now time.Time) []Change {
	w := evaluation{draft: s.Draft(), calm: calm, now: now}
	for _, j := range judgements {
		switch j.Condition {
		case Bad:
			w.bad(j)
		case Good:
			w.good(j)
		}
	}
	if !s.Due.IsZero() && !now.Before(s.Due) {
		w.tick()
	}
	w.storm()
	return w.changes
}

// evaluation is one evaluation, over a state that it does not touch.
type evaluation struct {
	draft
	calm    Damping
	now     time.Time
	changes []Change
}

func (w *evaluation) change(kind Kind, a Alarm) {
	c := Change{kind, a}
	w.changes = append(w.changes, c)
	w.Apply(c)
}

func (w *evaluation) bad(j Finding) {
	old, stands := w.Active.Get(j.Key)
	known := stands
	if !stands {
		old, known = w.pending.Get(j.Key)
	}
	past, _ := w.past.Get(j.Key)
	switch {
	case !known && j.Evidence.At.Before(past.By), known && j.Evidence.At.Before(old.Last):
		return // newer evidence has spoken
	case known && j.Evidence.At.Equal(old.Last) && j.Severity <= old.Severity && j.Evidence.Text == old.LastEvidence().Text:
		return // seen before
	}
	a, replaced := old, false
	if !known {
		a = Alarm{Key: j.Key, Begun: past.Begun}
		replaced = w.replaceMasked(&a, j)
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
func (w *evaluation) take(a *Alarm, j Finding) (kind Kind) {
	kind = Seen
	if a.Count > 0 {
		j.Severity = max(j.Severity, j.Again)
	}
	switch {
	case j.Severity > a.Severity, masks(*a, j):
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
	a.Evidence = WithEvidence(a.Evidence, j.Evidence)
	return kind
}

// linkLost is all that can be read of a card that is off the bus: it hides
// why, until a restart.
const linkLost = "0015"

// masks reports whether all that is known of a is a lost link, and j tells
// why.
func masks(a Alarm, j Finding) bool {
	return slices.Equal(a.Codes, []string{linkLost}) && j.Code != "" && j.Code != linkLost && GroupNamed(j.Group).Tamper != 0
}

// replaceMasked ends the alarm of a lost link when a new one tells its cause,
// which takes over the evidence, and reports whether it did.
func (w *evaluation) replaceMasked(a *Alarm, j Finding) bool {
	hidden, stands := w.Active.Get(Key{Device: j.Device, Group: "chassis", Object: j.Object, Test: j.Test})
	if !stands || !masks(hidden, j) {
		return false
	}
	w.clear(hidden, Evidence{At: j.Evidence.At, Text: "its cause is known: " + GroupNamed(j.Group).Title})
	a.Codes, a.Evidence, a.Count = hidden.Codes, hidden.Evidence, hidden.Count
	return true
}

func (w *evaluation) raise(a Alarm) {
	a.Number, a.Raised, a.RaisesAt = w.number+1, w.now, time.Time{}
	w.begins(&a)
	a.InStorm = w.calm.StormAlarms > 0 && a.Device != Self && len(since(w.raises, w.now.Add(-stormWindow))) >= w.calm.StormAlarms
	w.change(Raised, a)
}

// begins notes that an alarm begins or comes back, and reports whether that
// makes it one that flaps.
func (w *evaluation) begins(a *Alarm) (flaps bool) {
	a.Begun = append(since(a.Begun, w.now.Add(-w.calm.FlapWindow)), w.now)
	flaps = w.calm.FlapCount > 0 && len(a.Begun) >= w.calm.FlapCount && !a.Flapping
	a.Flapping = a.Flapping || flaps
	a.SteadyAt = w.now.Add(w.calm.FlapWindow)
	return flaps
}

// good ends what j tells to be over, unless it stands on newer evidence.
func (w *evaluation) good(j Finding) {
	for _, k := range w.clearedBy(j) {
		if a, waits := w.pending.Get(k); waits && !j.Evidence.At.Before(a.Last) {
			a.Evidence = WithEvidence(a.Evidence, j.Evidence)
			w.change(Dropped, a)
		}
		a, stands := w.Active.Get(k)
		if !stands || j.Evidence.At.Before(a.Last) || !a.EndsAt.IsZero() {
			continue
		}
		hold := w.calm.ClearAfter[k.Group]
		if a.Flapping {
			hold = max(hold, w.calm.FlapWindow)
		}
		if hold == 0 {
			w.clear(a, j.Evidence)
			continue
		}
		a.EndsAt, a.Evidence = w.now.Add(hold), WithEvidence(a.Evidence, j.Evidence)
		w.change(Seen, a)
	}
}

// clearedBy returns the alarms that a Good judgement is about: its own; of a clear
// code, those of its card that one of the cleared codes took part in, and its
// own if that was polled only.
func (w *evaluation) clearedBy(j Finding) []Key {
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
func (w *evaluation) codes(k Key) []string {
	a, stands := w.Active.Get(k)
	if !stands {
		a, _ = w.pending.Get(k)
	}
	return a.Codes
}

// tick does what time alone does.
func (w *evaluation) tick() {
	is := func(t time.Time) bool { return !t.IsZero() && !w.now.Before(t) }
	for _, k := range due(w.pending, w.now) {
		a, _ := w.pending.Get(k)
		w.raise(a)
	}
	for _, k := range due(w.Active, w.now) {
		switch a, _ := w.Active.Get(k); {
		case is(a.Expires):
			w.clear(a, Evidence{At: w.now, Text: "ended by itself"})
		case is(a.EndsAt):
			w.clear(a, a.LastEvidence())
		default:
			a.Flapping = false
			w.change(Seen, a)
		}
	}
}

// due returns the alarms that time alone changes by now.
func due(alarms Overlay[Alarm], now time.Time) (keys []Key) {
	for k, a := range alarms.All() {
		if at := a.due(); !at.IsZero() && !now.Before(at) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, Key.compare)
	return keys
}

func (w *evaluation) clear(a Alarm, why Evidence) {
	a.Cleared = w.now
	if a.EndsAt.IsZero() {
		a.Evidence = WithEvidence(a.Evidence, why)
	}
	a.EndsAt = time.Time{}
	w.change(Cleared, a)
}

const (
	stormWindow = time.Minute // in which new alarms make a storm
	maxStorm    = 1000        // is the highest Damping.Storm
)

// MaxEvidence bounds what an alarm keeps: the first and the newest.
const MaxEvidence = 6

// MaxText bounds the text of an alarm or of its evidence, in bytes.
const MaxText = 500

func WithEvidence(list []Evidence, e Evidence) []Evidence {
	if len(list) == MaxEvidence {
		list = append(list[:1:1], list[2:]...)
	}
	return append(slices.Clip(list), e)
}

// Clip cuts a text that may be of any length, such as a log line.
func Clip(s string) string {
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
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

func SortedKeys[T any](m map[Key]T) []Key { return slices.SortedFunc(maps.Keys(m), Key.compare) }

func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// With returns e and what the HSM itself reports in js.
func (e Events) With(js []Finding) Events {
	for _, j := range js {
		switch {
		case j.Condition != Bad || j.Test || GroupNamed(j.Group).Trap != CryptoAttention:
		case j.Group == "audit-event":
			e.AuditCritical++
		case j.Group == "failed-login":
			e.FailedLogins++
		case j.Severity == Critical:
			e.Critical++
		default:
			e.Other++
		}
	}
	return e
}
