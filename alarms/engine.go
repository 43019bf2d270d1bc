package alarms

import (
	"maps"
	"slices"
	"time"
)

// A State is every alarm that stands, and what was counted. It is changed
// only by [State.Apply].
type State struct {
	Active map[Key]Alarm
	Events map[string]Events // by device
}

// Events counts what HSMs themselves report as alarms.
type Events struct {
	Critical uint64 `json:"critical"`
	Other    uint64 `json:"other"`
}

// NewState returns a State without alarms.
func NewState() State {
	return State{Active: make(map[Key]Alarm), Events: make(map[string]Events)}
}

// Apply makes changes part of s.
func (s State) Apply(changes []Change) {
	for _, c := range changes {
		if c.Kind == Ended {
			delete(s.Active, c.Alarm.Key)
		} else {
			s.Active[c.Alarm.Key] = c.Alarm
		}
	}
}

// Next returns when the first alarm of s ends by itself; zero: none does.
func (s State) Next() time.Time {
	var next time.Time
	for _, a := range s.Active {
		if !a.Expires.IsZero() && (next.IsZero() || a.Expires.Before(next)) {
			next = a.Expires
		}
	}
	return next
}

// Eval returns what judgements change in s at time now, in the order in which
// they came. It does not change s. What no judgement speaks of stays as it is,
// so missing data never clears.
func Eval(s State, judgements []Judgement, now time.Time) []Change {
	w := work{active: s.Active, now: now, changed: make(map[Key]*Alarm)}
	for _, j := range judgements {
		switch {
		case j.Verdict == Bad:
			w.bad(j)
		case j.Verdict == Good && len(j.Clears) > 0:
			for _, key := range w.withCodes(j) {
				w.clear(key, j)
			}
		case j.Verdict == Good:
			w.clear(j.Key, j)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(s.Active), compareKeys) {
		if a := w.get(key); a != nil && !a.Expires.IsZero() && !now.Before(a.Expires) {
			w.end(*a, Evidence{At: now, Text: "ended by itself"})
		}
	}
	return w.changes
}

// work is one evaluation. changed overlays active; nil in it is cleared.
type work struct {
	active  map[Key]Alarm
	now     time.Time
	changed map[Key]*Alarm
	changes []Change
}

func (w *work) get(k Key) *Alarm {
	if a, ok := w.changed[k]; ok {
		return a
	}
	if a, ok := w.active[k]; ok {
		return &a
	}
	return nil
}

func (w *work) note(kind Kind, a Alarm) {
	w.changes = append(w.changes, Change{kind, a})
	if kind == Ended {
		w.changed[a.Key] = nil
	} else {
		w.changed[a.Key] = &a
	}
}

func (w *work) bad(j Judgement) {
	old := w.get(j.Key)
	a := Alarm{Key: j.Key, Raised: w.now}
	kind := Raised
	if old != nil {
		a, kind = *old, Seen
		a.Codes, a.Evidence = slices.Clone(a.Codes), slices.Clone(a.Evidence)
	}
	again := old != nil && old.Last.Equal(j.Evidence.At) // the same reading judged once more
	if again && old.Severity == j.Severity && old.Text == j.Text {
		return
	}
	severity := j.Severity
	if old != nil && j.Code != "" {
		severity = max(severity, old.Severity) // causes of one event add up
	}
	if old != nil && severity != old.Severity {
		kind = Updated
	}
	if old == nil || severity != old.Severity || j.Code == "" || len(a.Codes) == 0 {
		a.Text = j.Text
	}
	a.Severity, a.Last, a.Count = severity, j.Evidence.At, a.Count+1
	if j.Serial != "" {
		a.Serial = j.Serial
	}
	if j.Code != "" && !slices.Contains(a.Codes, j.Code) {
		a.Codes = append(a.Codes, j.Code)
	}
	a.Evidence = append(a.Evidence, j.Evidence)
	if len(a.Evidence) > maxEvidence {
		a.Evidence = slices.Delete(a.Evidence, 1, len(a.Evidence)-maxEvidence+1)
	}
	a.Expires = time.Time{}
	if j.Age > 0 {
		a.Expires = w.now.Add(j.Age)
	}
	w.note(kind, a)
}

// clear ends the alarm of key, unless j is older than what it stands on.
func (w *work) clear(key Key, j Judgement) {
	if a := w.get(key); a != nil && !j.Evidence.At.Before(a.Last) {
		w.end(*a, j.Evidence)
	}
}

func (w *work) end(a Alarm, why Evidence) {
	a.Cleared = w.now
	a.Evidence = append(slices.Clone(a.Evidence), why)
	w.note(Ended, a)
}

// withCodes returns the alarms on j's device that have one of the codes that
// j clears.
func (w *work) withCodes(j Judgement) []Key {
	var keys []Key
	all := maps.Clone(w.active)
	for k, a := range w.changed {
		delete(all, k)
		if a != nil {
			all[k] = *a
		}
	}
	for k, a := range all {
		same := k.Device == j.Device && k.Object == j.Object && k.Test == j.Test
		if same && slices.ContainsFunc(a.Codes, func(c string) bool { return slices.Contains(j.Clears, c) }) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys(a, b Key) int {
	switch x, y := a.String(), b.String(); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
