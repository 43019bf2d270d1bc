package alarms

import (
	"cmp"
	"slices"
	"time"
)

// Eval returns what findings change in s at time now, in the order of the
// findings. It does not change s.
//
//   - What no finding is about stays as it is: missing data never clears an
//     alarm.
//   - Findings are ordered by the time of their evidence, which is when it was
//     read: an older one neither clears an alarm nor raises one that newer
//     evidence has cleared. A time that is still to come orders nothing: the
//     clock was wrong when it was stored.
//   - The same evidence evaluated once more does not count again.
//   - An alarm keeps its worst severity until it clears, so that a value on the
//     edge of two severities does not page at every poll.
//   - A group that is switched off raises nothing, and what is active of it ends.
//   - One that flaps stays active until it has been quiet for a while.
func Eval(s State, findings []Finding, damping Damping, now time.Time) []Change {
	e := evaluation{Draft: s.Draft(), damping: damping, now: now, numbered: s.Numbered}
	e.switchOff()
	for _, f := range findings {
		switch f.Condition {
		case Bad:
			e.bad(f)
		case Good:
			e.good(f)
		case Between:
		}
	}
	if !s.Due.IsZero() && !now.Before(s.Due) {
		e.tick()
	}
	e.storm()
	return e.changes
}

// An evaluation is one run of [Eval].
type evaluation struct {
	Draft
	damping Damping
	now     time.Time
	changes []Change

	numbered func(device string, last uint64) uint64
}

// switchOff ends what is active of groups that are switched off.
func (e *evaluation) switchOff() {
	if len(e.damping.Off) == 0 {
		return
	}
	off := func(list Overlay[Alarm]) (keys []Key) {
		for k := range list.All() {
			if slices.Contains(e.damping.Off, k.Group) {
				keys = append(keys, k)
			}
		}
		slices.SortFunc(keys, Key.Compare)
		return keys
	}
	for _, k := range off(e.pending) {
		a, _ := e.pending.Get(k)
		e.change(Dropped, a)
	}
	for _, k := range off(e.Active) {
		a, _ := e.Active.Get(k)
		e.clear(a, Evidence{At: a.Last, Text: "switched off in the configuration"})
	}
}

func (e *evaluation) bad(f Finding) {
	if slices.Contains(e.damping.Off, f.Group) {
		return
	}
	old, active := e.Active.Get(f.Key)
	known := active
	if !active {
		old, known = e.pending.Get(f.Key)
	}
	past, _ := e.Past.Get(f.Key)
	switch {
	case !known && e.older(f, past.By), known && e.older(f, old.Last):
		return // there is newer evidence
	case known && f.Evidence.At.Equal(old.Last) && f.Severity <= old.Severity && f.Evidence.Text == old.LastEvidence().Text:
		return // seen before
	}
	a, replaced := old, false
	if !known {
		a = Alarm{Key: f.Key, Happened: f.Happened, Begun: past.Begun}
		replaced = e.replaceMasked(&a, f)
	}
	kind := e.take(&a, f)
	a.InStorm = a.InStorm && a.Severity < Critical
	if a.Expires = (time.Time{}); f.Age > 0 && (!known || !old.Expires.IsZero()) { // an event never clears a state
		a.Expires = e.now.Add(f.Age)
	}
	if !a.EndsAt.IsZero() {
		a.EndsAt = time.Time{}
		if e.begins(&a) {
			kind = Updated
		}
	}
	delay := e.damping.RaiseAfter[f.Group]
	switch {
	case active:
		e.change(kind, a)
	case delay == 0 || f.Age > 0 || replaced:
		e.raise(a)
	default:
		if !known {
			a.RaisesAt = e.now.Add(delay)
		}
		e.change(Pending, a)
	}
}

// older reports whether a finding is older than the newest evidence.
func (e *evaluation) older(f Finding, newest time.Time) bool {
	return f.Evidence.At.Before(newest) && !newest.After(e.now)
}

// take adds a finding to its alarm, and returns Updated or Seen.
func (e *evaluation) take(a *Alarm, f Finding) (kind Kind) {
	kind = Seen
	if a.Count > 0 {
		f.Severity = max(f.Severity, f.Again)
	}
	switch {
	case f.Severity > a.Severity, masks(*a, f):
		a.Severity, a.Text, kind = f.Severity, f.Text, Updated
		a.Ack = nil
		a.Type, a.Cause = classify(f)
	case f.Code == "":
		a.Text = f.Text // the newest reading
	}
	a.Last, a.Count, a.Serial = f.Evidence.At, a.Count+1, cmp.Or(f.Serial, a.Serial)
	if f.Code != "" && !slices.Contains(a.Codes, f.Code) {
		a.Codes = append(slices.Clip(a.Codes), f.Code)
	}
	a.Evidence = WithEvidence(a.Evidence, f.Evidence)
	return kind
}

// linkLost is all that can be read of a card that is off the bus: until a
// restart, it masks why.
const linkLost = "0015"

// masks reports whether all that is known of a is a lost link, and f says why.
func masks(a Alarm, f Finding) bool {
	return slices.Equal(a.Codes, []string{linkLost}) && f.Code != "" && f.Code != linkLost && GroupNamed(f.Group).Tamper != 0
}

// replaceMasked clears the alarm of a lost link when f says why, moves its
// evidence to the new alarm a, and reports whether it did.
func (e *evaluation) replaceMasked(a *Alarm, f Finding) bool {
	masked, active := e.Active.Get(Key{Device: f.Device, Group: "chassis", Object: f.Object, Test: f.Test})
	if !active || !masks(masked, f) || f.Evidence.Log != nil && f.Evidence.Log.Untrusted {
		return false
	}
	e.clear(masked, Evidence{At: f.Evidence.At, Text: "its cause is known: " + GroupNamed(f.Group).Title})
	a.Codes, a.Evidence, a.Count = masked.Codes, masked.Evidence, masked.Count
	return true
}

func (e *evaluation) raise(a Alarm) {
	a.Number, a.Raised, a.RaisesAt = e.number+1, e.now, time.Time{}
	if e.numbered != nil {
		a.Number = e.numbered(a.Device, e.number)
	}
	e.begins(&a)
	a.InStorm = e.inStorm(a)
	e.change(Raised, a)
}

// begins records that an alarm begins or comes back, and reports whether that
// makes it flap.
func (e *evaluation) begins(a *Alarm) (flaps bool) {
	a.Begun = append(since(a.Begun, e.now.Add(-e.damping.FlapWindow)), e.now)
	flaps = e.damping.FlapCount > 0 && len(a.Begun) >= e.damping.FlapCount && !a.Flapping
	a.Flapping = a.Flapping || flaps
	a.SteadyAt = e.now.Add(e.damping.FlapWindow)
	return flaps
}

// good clears what f is about, unless there is newer evidence for it.
func (e *evaluation) good(f Finding) {
	for _, k := range e.clearedBy(f) {
		if a, waiting := e.pending.Get(k); waiting && !e.older(f, a.Last) {
			a.Evidence = WithEvidence(a.Evidence, f.Evidence)
			e.change(Dropped, a)
		}
		a, active := e.Active.Get(k)
		if !active || e.older(f, a.Last) || !a.EndsAt.IsZero() {
			continue
		}
		hold := e.damping.ClearAfter[k.Group]
		if a.Flapping {
			hold = max(hold, e.damping.FlapWindow)
		}
		if hold == 0 {
			e.clear(a, f.Evidence)
			continue
		}
		a.EndsAt, a.Evidence = e.now.Add(hold), WithEvidence(a.Evidence, f.Evidence)
		e.change(Seen, a)
	}
}

// clearedBy returns the alarms that a Good finding is about: its own. With a
// clear code, they are those of its card that one of the cleared codes took
// part in, and its own if that was polled only.
func (e *evaluation) clearedBy(f Finding) []Key {
	if len(f.Clears) == 0 {
		return []Key{f.Key}
	}
	keys := []Key{}
	for _, code := range f.Clears {
		c, _ := CodeNamed(code)
		k := Key{Device: f.Device, Group: c.Group, Object: f.Object, Test: f.Test}
		if slices.Contains(e.codes(k), code) && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(e.codes(f.Key)) == 0 {
		keys = append(keys, f.Key)
	}
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// codes returns the codes that took part in an alarm.
func (e *evaluation) codes(k Key) []string {
	a, active := e.Active.Get(k)
	if !active {
		a, _ = e.pending.Get(k)
	}
	return a.Codes
}

// tick does what time alone does.
func (e *evaluation) tick() {
	is := func(t time.Time) bool { return !t.IsZero() && !e.now.Before(t) }
	for _, k := range due(e.pending, e.now) {
		a, _ := e.pending.Get(k)
		e.raise(a)
	}
	for _, k := range due(e.Active, e.now) {
		switch a, _ := e.Active.Get(k); {
		case is(a.Expires):
			e.clear(a, Evidence{At: e.now, Text: "cleared by itself"})
		case is(a.EndsAt):
			e.clear(a, a.LastEvidence())
		default:
			a.Flapping = false
			e.change(Seen, a)
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
	slices.SortFunc(keys, Key.Compare)
	return keys
}

func (e *evaluation) clear(a Alarm, why Evidence) {
	a.Cleared = e.now
	if a.InStorm {
		a.InStorm, a.AfterStorm = false, true
	}
	if a.EndsAt.IsZero() {
		a.Evidence = WithEvidence(a.Evidence, why)
	}
	a.EndsAt = time.Time{}
	e.change(Cleared, a)
}

func (e *evaluation) change(kind Kind, a Alarm) {
	c := Change{kind, a}
	e.changes = append(e.changes, c)
	e.Apply(c)
}
