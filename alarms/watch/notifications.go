package watch

import (
	"cmp"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// plan adds to entry what every receiver must be notified of, for the alarms in
// only, nil for all, and returns when to plan again although nothing changes.
func (w *Watch) plan(entry *journal.Entry, only []alarms.Key, now time.Time) (again time.Time) {
	d, setup := w.state.Draft(), w.setup()
	planner := notify.Planner{
		Active: &d.Active, Past: &d.Past, Unnotified: w.state.Unnotified, Cleared: make(map[alarms.Key][]alarms.Alarm), Parent: setup.Parent,
		Silences: entry.Silences(w.state.Silences), Now: now, Spacing: setup.Settings.NotifyInterval, Brief: setup.Settings.BriefSeverity,
	}
	for _, c := range entry.Changes {
		d.Apply(c)
		if c.Kind == alarms.Cleared {
			planner.Cleared[c.Alarm.Key] = append(planner.Cleared[c.Alarm.Key], c.Alarm)
		}
	}
	if only != nil {
		again = w.nextNotification
	}
	entry.Notified, entry.Notify = make(map[string]map[alarms.Key]alarms.Notified), make(map[string][]alarms.Notification)
	for name, r := range setup.Receivers {
		changes, at := planner.Plan(name, r.Route, w.state.Notified[name], only)
		again = alarms.Sooner(again, at)
		notified := make(map[alarms.Key]alarms.Notified)
		if only == nil {
			notified = w.forgettable(name, now)
		}
		for _, c := range changes {
			key := c.Alarm.Key
			n, known := w.notification(c, w.state.Notified[name][key], now)
			notified[key], entry.Notify[name] = known, append(entry.Notify[name], n)
			if r.Repeat > 0 {
				again = alarms.Sooner(again, now.Add(r.Repeat))
			}
		}
		if len(notified) > 0 {
			entry.Notified[name] = notified
		}
	}
	return again
}

// forgettable returns zero values for what need not be remembered of a receiver
// any more: that it was notified long enough ago that alarms cleared.
func (w *Watch) forgettable(receiver string, now time.Time) map[alarms.Key]alarms.Notified {
	old := make(map[alarms.Key]alarms.Notified)
	for key, t := range w.state.Notified[receiver] {
		if !t.Active() && now.Sub(t.At) > w.setup().Settings.NotifyInterval {
			old[key] = alarms.Notified{}
		}
	}
	return old
}

// clocksApart is how far the clock of an agent may be from what an HSM states, whose zone
// need not be known.
const clocksApart = 26 * time.Hour

// occurrence names what raised an alarm in a way that every agent which heard it finds, so
// that what two agents notify of while they cannot know of each other has one ID. It is ""
// where the number of the alarm is the only name: only this agent raises it, no line that
// states its time did, or a line did that equals the one of the alarm before. known is what
// the receiver was notified of last.
func (w *Watch) occurrence(a alarms.Alarm, known alarms.Notified) string {
	switch {
	case w.Journal.Share == nil || !w.Journal.Share.Has(a.Device) || len(a.Evidence) == 0 || a.Evidence[0].Log == nil:
		return ""
	case known.Number == a.Number:
		return known.Occurrence
	}
	line := a.Evidence[0]
	stated, err := time.Parse("2006 Jan _2 15:04:05", line.Log.Time)
	if err != nil {
		stated, err = time.Parse("2006 Jan _2 15:04:05", a.Raised.Format("2006 ")+line.Log.Time)
	}
	occurrence := notify.Hash(line.Log.Time, line.Text)
	if err != nil || stated.Sub(a.Raised).Abs() > clocksApart || occurrence == known.Occurrence {
		return ""
	}
	return occurrence
}

// notification returns the notification of a change for a receiver, with an ID of what
// cannot happen twice, and what the receiver knows of the alarm then; known is what it knew.
func (w *Watch) notification(c alarms.Change, known alarms.Notified, now time.Time) (alarms.Notification, alarms.Notified) {
	a, next := c.Alarm, c.Notified(now)
	next.Occurrence = w.occurrence(a, known)
	n := alarms.Notification{
		ID: fmt.Sprintf("%s %s %s %s", a.Key, cmp.Or(next.Occurrence, fmt.Sprint(a.Number)), c.Kind, a.Severity),
		At: now, Change: c, Address: w.setup().Addresses[a.Device],
	}
	switch c.Kind {
	case alarms.Raised, alarms.Cleared, alarms.RaisedAndCleared:
	default: // these can come again
		n.ID += fmt.Sprintf(" %d", now.UnixNano())
	}
	for _, d := range w.Store.Latest().Devices {
		if d.Name == a.Device {
			n.Label = d.Show.Value.Label.Value
			n.Change.Alarm.Serial = cmp.Or(a.Serial, d.Serial())
		}
	}
	return n, next
}

// masked reports whether a receiver must not be notified of n; see
// [notify.Route.Masks].
func (w *Watch) masked(receiver string, n alarms.Notification) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.setup().Receivers[receiver].Masks(n, w.state.Notified[receiver])
}

// givenUp records that a receiver never got a notification.
func (w *Watch) givenUp(receiver string, n alarms.Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := n.Change.Alarm
	t, known := w.state.Notified[receiver][a.Key]
	if !known || t.Number != a.Number {
		return
	}
	if n.Change.Kind == alarms.Cleared {
		t.Kind = alarms.Raised // it is to be cleared again
		w.state.Unnotified[a.Key] = a
	}
	if t.Lost != alarms.Raised { // of which the rest is nothing without it
		t.Lost = n.Change.Kind
	}
	w.note(journal.Entry{Notified: map[string]map[alarms.Key]alarms.Notified{receiver: {a.Key: t}}})
}

// owed reports whether a receiver never got some notification.
func (w *Watch) owed(receiver string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.state.Notified[receiver] {
		if t.Lost != "" {
			return true
		}
	}
	return false
}

// answers has a receiver that answers again notified of what it never got: of an
// alarm that is still active, or that came and went meanwhile, of a clear, or of
// how an alarm that it knows is now.
func (w *Watch) answers(receiver string) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	notified := make(map[alarms.Key]alarms.Notified)
	var list []alarms.Notification
	for key, t := range w.state.Notified[receiver] {
		a, cleared := w.state.Unnotified[key]
		switch {
		case t.Lost == "":
			continue
		case t.Lost != alarms.Raised && t.Lost != alarms.RaisedAndCleared:
			t.Lost, t.Severity = "", alarms.None
		case cleared && t.Active():
			var n alarms.Notification
			n, t = w.notification(alarms.Change{Kind: alarms.RaisedAndCleared, Alarm: a}, t, now)
			list = append(list, n)
		default:
			t = alarms.Notified{}
		}
		notified[key] = t
	}
	w.note(journal.Entry{Notified: map[string]map[alarms.Key]alarms.Notified{receiver: notified}, Notify: map[string][]alarms.Notification{receiver: list}})
	w.sender.Wake(receiver)
	w.evaluateNow()
}

// note stores what receivers are taken to know of alarms. w.mu is held.
func (w *Watch) note(e journal.Entry) {
	if err := w.Journal.Write(e); err != nil {
		w.Log.Error("what a receiver was notified of is not stored", "err", err)
	}
	w.state.Take(e, time.Now())
}

// known returns what a receiver takes to be active, as it was notified of it.
func (w *Watch) known(receiver string) (list []alarms.Notification) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, t := range w.state.Notified[receiver] {
		if a, active := w.state.Active[key]; active && t.Active() && t.Number == a.Number {
			a.Severity = t.Severity
			n, _ := w.notification(alarms.Change{Kind: alarms.Repeated, Alarm: a}, t, now)
			list = append(list, n)
		}
	}
	return list
}

// delivered reacts to a change of a queue or of a receiver's state.
func (w *Watch) delivered() {
	w.mu.Lock()
	w.signalChanged()
	w.mu.Unlock()
	w.evaluateNow()
}

// Retry has the queue of a receiver tried at once: it is known to be back.
func (w *Watch) Retry(receiver string) { w.sender.Retry(receiver) }

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]notify.Delivery { return w.sender.Deliveries() }
