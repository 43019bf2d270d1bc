package alarms

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A Standing is an alarm that stands, and what keeps it from being told.
type Standing struct {
	Alarm
	RelatedTo *Key     `json:"related_to,omitempty"` // the alarm that explains it
	Silence   *Silence `json:"silence,omitempty"`
	Title     string   `json:"title"`  // of its group
	Action    string   `json:"action"` // what to do
}

// Active returns the alarms that stand, worst first.
func (w *Watch) Active() []Standing {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	active := &overlay[Alarm]{base: w.kept.Active}
	list := make([]Standing, 0, len(w.kept.Active))
	for _, a := range w.kept.Active {
		g := GroupNamed(a.Group)
		s := Standing{Alarm: a, Silence: silencedBy(w.kept.Silences, a, now), Title: g.Title, Action: g.Action}
		if cause, ok := causeOf(a, active, w.Parent); ok {
			s.RelatedTo = &cause
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Standing) int { return a.compare(b.Alarm) })
	return list
}

// find returns the alarm that stands under a key, as Key.String writes it, or
// under a number.
func (w *Watch) find(name string) (Alarm, error) {
	number, _ := strconv.ParseUint(name, 10, 64)
	for k, a := range w.kept.Active {
		if k.String() == name || number > 0 && a.Number == number {
			return a, nil
		}
	}
	return Alarm{}, fmt.Errorf("no alarm %q stands; lunawatch alarms list shows what does", name)
}

// operate makes what somebody does to one alarm durable and true.
func (w *Watch) operate(name string, change func(Alarm, time.Time) Change) error {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.find(name)
	if err != nil {
		return err
	}
	defer w.look()
	return w.commit(Entry{Changes: []Change{change(a, now)}}, false, now)
}

// Clear ends an alarm by hand: for what no source ever tells to be over.
func (w *Watch) Clear(name, reason string) error {
	return w.operate(name, func(a Alarm, now time.Time) Change {
		a.Cleared, a.Evidence = now, withEvidence(a.Evidence, Evidence{At: now, Text: clip("ended by hand: " + reason)})
		return Change{Ended, a}
	})
}

// Acknowledge notes that somebody looks after an alarm.
func (w *Watch) Acknowledge(name, by, comment string) error {
	return w.operate(name, func(a Alarm, now time.Time) Change {
		a.Ack = &Ack{clip(by), clip(comment), now}
		return Change{Acknowledged, a}
	})
}

// Unacknowledge takes an acknowledgement back.
func (w *Watch) Unacknowledge(name string) error {
	return w.operate(name, func(a Alarm, _ time.Time) Change {
		a.Ack = nil
		return Change{Unacknowledged, a}
	})
}

// Silences returns the silences that hold or are to come, by their end.
func (w *Watch) Silences() []Silence {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	list := slices.DeleteFunc(slices.Clone(w.kept.Silences), func(s Silence) bool { return !now.Before(s.Until) })
	slices.SortFunc(list, func(a, b Silence) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Silence adds a silence and returns its number.
func (w *Watch) Silence(s Silence) (uint64, error) {
	if err := s.Validate(); err != nil {
		return 0, err
	}
	id, err := w.Journal.Count("silences")
	if err != nil {
		return 0, err
	}
	s.ID = id
	return id, w.keepSilence(s)
}

// Unsilence ends a silence. What it kept from being told and still stands is
// told then.
func (w *Watch) Unsilence(id uint64) error {
	for _, s := range w.Silences() {
		if s.ID == id {
			s.Until = time.Now()
			return w.keepSilence(s)
		}
	}
	return fmt.Errorf("there is no silence %d; lunawatch alarms list shows those there are", id)
}

func (w *Watch) keepSilence(s Silence) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.look()
	return w.commit(Entry{Silence: &s}, false, time.Now())
}

// History returns the newest alarms that ended, newest first.
func (w *Watch) History(most int) ([]Alarm, error) { return w.Journal.History(most) }

// testAge is how long a test alarm stands.
const testAge = time.Minute

// Test raises a marked test alarm, has every receiver notified of it, whatever
// its route, and returns what each did. It waits until ctx is done at most.
func (w *Watch) Test(ctx context.Context, by string) ([]TestResult, error) {
	now := time.Now()
	id := strconv.FormatInt(now.UnixNano(), 36)
	results, forget := w.sender.expect(id, now)
	defer forget()
	text := clip("This is a test of the alarm chain by " + by + ". Nothing is wrong.")
	j := Judgement{Key: Key{Device: Self, Group: "test", Object: id, Test: true}, Verdict: Bad, Severity: Warning, Text: text,
		Age: testAge, Evidence: Evidence{At: now, Text: text}}
	if err := w.step(Entry{}, func(State) []Judgement { return []Judgement{j} }, now); err != nil {
		return nil, err
	}
	return results(ctx), nil
}
