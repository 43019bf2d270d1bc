package alarms

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A State is every alarm that stands, and what was counted. It is changed
// only by [State.Apply].
type State struct {
	Active map[Key]Alarm
	Events map[string]Events // by device
	// Ended is the time of what ended an alarm: older news do not raise it
	// again. It need not outlive a restart, after which all is read anew.
	Ended map[Key]time.Time
}

// endedFor bounds how long State.Ended is kept: longer than any answer may be
// believed.
const endedFor = 7 * 24 * time.Hour

// Events counts what HSMs themselves report as alarms.
type Events struct {
	Critical uint64 `json:"critical"`
	Other    uint64 `json:"other"`
}

// NewState returns a State without alarms.
func NewState() State {
	return State{Active: make(map[Key]Alarm), Events: make(map[string]Events), Ended: make(map[Key]time.Time)}
}

// Apply makes changes part of s.
func (s State) Apply(changes []Change) {
	for _, c := range changes {
		if c.Kind != Ended {
			s.Active[c.Alarm.Key] = c.Alarm
			continue
		}
		delete(s.Active, c.Alarm.Key)
		s.Ended[c.Alarm.Key] = c.endedBy()
		maps.DeleteFunc(s.Ended, func(_ Key, at time.Time) bool { return c.Alarm.Cleared.Sub(at) > endedFor })
	}
}

// endedBy returns the time of what ended the alarm of an Ended change.
func (c Change) endedBy() time.Time { return c.Alarm.Evidence[len(c.Alarm.Evidence)-1].At }

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
// they came. It does not change s.
//
//   - What no judgement speaks of stays as it is: missing data never clears.
//   - The time of its evidence orders a judgement: an older one neither ends
//     an alarm nor raises one that newer evidence has ended.
//   - The same evidence judged once more is no new sight.
//   - An alarm keeps its worst severity until it ends, so that a value on the
//     edge of two severities does not page at every poll.
func Eval(s State, judgements []Judgement, now time.Time) []Change {
	w := work{active: maps.Clone(s.Active), ended: maps.Clone(s.Ended), now: now}
	for _, j := range judgements {
		switch {
		case j.Verdict == Bad:
			w.bad(j)
		case j.Verdict == Good:
			w.good(j)
		}
	}
	for _, key := range sortedKeys(w.active) {
		if a := w.active[key]; !a.Expires.IsZero() && !now.Before(a.Expires) {
			w.end(a, Evidence{At: now, Text: "ended by itself"})
		}
	}
	return w.changes
}

// work is one evaluation, on its own copy of the state.
type work struct {
	active  map[Key]Alarm
	ended   map[Key]time.Time
	now     time.Time
	changes []Change
}

func (w *work) bad(j Judgement) {
	old, stands := w.active[j.Key]
	switch {
	case !stands && j.Evidence.At.Before(w.ended[j.Key]), stands && j.Evidence.At.Before(old.Last):
		return // newer evidence has spoken
	case stands && j.Evidence.At.Equal(old.Last) && j.Severity <= old.Severity && j.Evidence.Text == old.Evidence[len(old.Evidence)-1].Text:
		return // seen before
	}
	a, kind := old, Seen
	switch {
	case !stands:
		a, kind = Alarm{Key: j.Key, Severity: j.Severity, Text: j.Text, Raised: w.now}, Raised
	case j.Severity > old.Severity:
		a.Severity, a.Text, kind = j.Severity, j.Text, Updated
	case j.Code == "":
		a.Text = j.Text // the newest reading
	}
	a.Last, a.Count, a.Serial = j.Evidence.At, a.Count+1, cmp.Or(j.Serial, a.Serial)
	if j.Code != "" && !slices.Contains(a.Codes, j.Code) {
		a.Codes = append(slices.Clone(a.Codes), j.Code)
	}
	a.Evidence = withEvidence(a.Evidence, j.Evidence)
	if a.Expires = (time.Time{}); j.Age > 0 && (!stands || !old.Expires.IsZero()) { // an event never ends a state
		a.Expires = w.now.Add(j.Age)
	}
	w.active[a.Key] = a
	w.changes = append(w.changes, Change{kind, a})
}

// good ends what j tells to be over, unless it stands on newer evidence.
func (w *work) good(j Judgement) {
	for _, k := range w.over(j) {
		if a, stands := w.active[k]; stands && !j.Evidence.At.Before(a.Last) {
			w.end(a, j.Evidence)
		}
	}
}

// over returns the alarms that a Good judgement is about: its own; of a clear
// code, those of its card that one of the cleared codes took part in, and its
// own if that was polled only.
func (w *work) over(j Judgement) []Key {
	if len(j.Clears) == 0 {
		return []Key{j.Key}
	}
	var keys []Key
	for _, k := range sortedKeys(w.active) {
		codes := w.active[k].Codes
		card := k.Device == j.Device && k.Object == j.Object && k.Test == j.Test
		took := slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(j.Clears, c) })
		if card && took || k == j.Key && len(codes) == 0 {
			keys = append(keys, k)
		}
	}
	return keys
}

func (w *work) end(a Alarm, why Evidence) {
	a.Cleared, a.Evidence = w.now, withEvidence(a.Evidence, why)
	delete(w.active, a.Key)
	w.ended[a.Key] = why.At
	w.changes = append(w.changes, Change{Ended, a})
}

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

func sortedKeys[T any](m map[Key]T) []Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b Key) int { return strings.Compare(a.String(), b.String()) })
}
