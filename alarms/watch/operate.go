package watch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/near"
)

// Active returns the active alarms, worst first.
func (w *Watch) Active() []alarms.Active {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.everywhere()
	active := &alarms.Overlay[alarms.Alarm]{Base: all}
	list := make([]alarms.Active, 0, len(all))
	for _, a := range all {
		g := alarms.GroupNamed(a.Group)
		s := alarms.Active{Alarm: a, Silence: alarms.SilencedBy(w.state.Silences, a, now), Title: g.Title, Action: alarms.Advice(a), Layer: a.DeadLayer()}
		if cause, ok := alarms.CauseOf(a, active, w.setup().Parent); ok {
			s.RelatedTo = &cause
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b alarms.Active) int { return a.Compare(b.Alarm) })
	return list
}

// History returns the newest cleared alarms, newest first, at most so many.
func (w *Watch) History(most int) ([]alarms.Alarm, error) { return w.Journal.History(most) }

// A NotFoundError names an alarm or a silence that is not there.
type NotFoundError string

// Error implements error.
func (e NotFoundError) Error() string { return string(e) }

// find returns the active alarm of a key, as Key.String writes it, or of a
// number. w.mu is held.
func (w *Watch) find(name string) (alarms.Alarm, error) {
	number, _ := strconv.ParseUint(name, 10, 64)
	var names []string
	for k, a := range w.everywhere() {
		names = append(names, k.String())
		if k.String() == name || number > 0 && a.Number == number {
			return a, nil
		}
	}
	slices.Sort(names)
	if meant := near.Name(name, names); meant != "" {
		return alarms.Alarm{}, NotFoundError(fmt.Sprintf("no active alarm %q; did you mean %q?", name, meant))
	}
	return alarms.Alarm{}, NotFoundError(fmt.Sprintf("no active alarm %q; lunawatch alarms list shows the active alarms", name))
}

// operate has done what somebody asks of one alarm: by the agent that owns its device.
func (w *Watch) operate(name string, r journal.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.find(name)
	switch {
	case err != nil:
		return err
	case !w.Journal.Mine(a.Device):
		r.Alarm, r.Number = a.Key, a.Number
		return w.ask(r)
	}
	return w.act(a, r)
}

// act commits what is asked of an alarm of this agent. w.mu is held.
func (w *Watch) act(a alarms.Alarm, r journal.Request) error {
	now := time.Now()
	defer w.evaluateNow()
	changes := []alarms.Change{acted(a, r, now)}
	w.touch(changes)
	return w.commit(journal.Entry{Changes: changes}, false, now)
}

// acted returns what a request makes of an alarm.
func acted(a alarms.Alarm, r journal.Request, now time.Time) alarms.Change {
	switch r.Action {
	case journal.Clear:
		a.Cleared, a.Evidence = now, alarms.WithEvidence(a.Evidence, alarms.Evidence{At: now, Text: alarms.Clip("cleared by " + r.By + ": " + r.Comment)})
		return alarms.Change{Kind: alarms.Cleared, Alarm: a}
	case journal.Acknowledge:
		a.Ack = &alarms.Ack{By: alarms.Clip(r.By), Comment: alarms.Clip(r.Comment), At: now}
		return alarms.Change{Kind: alarms.Acknowledged, Alarm: a}
	default:
		a.Ack = nil
		return alarms.Change{Kind: alarms.Unacknowledged, Alarm: a}
	}
}

// Clear clears an alarm by hand: for alarms that no source ever reports as
// over. Alarms are named by key or number; an unknown one is an error.
func (w *Watch) Clear(name, by, reason string) error {
	return w.operate(name, journal.Request{Action: journal.Clear, By: by, Comment: reason})
}

// Acknowledge records that somebody looks after an alarm, until it becomes
// worse.
func (w *Watch) Acknowledge(name, by, comment string) error {
	return w.operate(name, journal.Request{Action: journal.Acknowledge, By: by, Comment: comment})
}

// Unacknowledge withdraws an acknowledgement.
func (w *Watch) Unacknowledge(name string) error {
	return w.operate(name, journal.Request{Action: journal.Unacknowledge})
}

// Silences returns the silences that are active or to come, by their end, as of
// [alarms.Silence.At].
func (w *Watch) Silences() []alarms.Silence {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var list []alarms.Silence
	for _, s := range w.state.Silences {
		if !s.Over(now) {
			list = append(list, s.At(now))
		}
	}
	slices.SortFunc(list, func(a, b alarms.Silence) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Silence adds a silence and returns its number.
func (w *Watch) Silence(s alarms.Silence) (uint64, error) {
	if err := s.Validate(); err != nil {
		return 0, err
	}
	var err error
	if s.ID, err = w.nextSilence(); err != nil {
		return 0, err
	}
	return s.ID, w.storeSilence(s)
}

// Unsilence ends a silence. Receivers are then notified of the alarms that are
// still active.
func (w *Watch) Unsilence(id uint64) error {
	for _, s := range w.Silences() {
		if s.ID == id {
			return w.storeSilence(s.Ended(time.Now()))
		}
	}
	return NotFoundError(fmt.Sprintf("there is no silence %d; lunawatch alarms silences lists them", id))
}

func (w *Watch) storeSilence(s alarms.Silence) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.evaluateNow()
	return w.commit(journal.Entry{Silence: &s}, false, time.Now())
}

// testAge is how long a test alarm stays active.
const testAge = time.Minute

// Test raises a marked test alarm of which every receiver is notified, whatever
// its route, and returns what each did with it. It waits until ctx is done at
// most.
func (w *Watch) Test(ctx context.Context, by string) ([]notify.TestResult, error) {
	now := time.Now()
	id := strconv.FormatInt(now.UnixNano(), 36)
	results, forget := w.sender.Expect(id, now)
	defer forget()
	text := alarms.Clip("This is a test of the alarm chain by " + by + ". Nothing is wrong.")
	f := alarms.Finding{Key: alarms.Key{Device: alarms.Self, Group: "test", Object: id, Test: true}, Condition: alarms.Bad, Severity: alarms.Warning, Text: text,
		Age: testAge, Evidence: alarms.Evidence{At: now, Text: text}}
	if err := w.step(journal.Entry{}, func(alarms.State) []alarms.Finding { return []alarms.Finding{f} }, now); err != nil {
		return nil, err
	}
	return results(ctx), nil
}

// Routes returns what each receiver is notified of, by its name.
func (w *Watch) Routes() map[string]notify.Route {
	all := make(map[string]notify.Route)
	for name, r := range w.setup().Receivers {
		all[name] = r.Route
	}
	return all
}

// Notified returns what receivers were last notified of active and cleared alarms, by
// the alarm's number and by the receiver's name.
func (w *Watch) Notified() map[uint64]map[string]alarms.Notified {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[uint64]map[string]alarms.Notified)
	for receiver, keys := range w.state.Notified {
		for _, n := range keys {
			if all[n.Number] == nil {
				all[n.Number] = make(map[string]alarms.Notified)
			}
			all[n.Number][receiver] = n
		}
	}
	delete(all, 0) // heartbeats and summaries are of no alarm
	return all
}
