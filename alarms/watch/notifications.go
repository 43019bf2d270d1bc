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
	d := w.state.Draft()
	planner := notify.Planner{
		Active: &d.Active, Unnotified: &alarms.Overlay[alarms.Alarm]{Base: w.state.Unnotified}, Parent: w.Parent,
		Silences: entry.Silences(w.state.Silences), Now: now, Spacing: w.Settings.NotifyInterval,
	}
	for _, c := range entry.Changes {
		d.Apply(c)
		if c.Kind == alarms.Cleared {
			planner.Unnotified.Set(c.Alarm.Key, c.Alarm)
		}
	}
	if only != nil {
		again = w.nextNotification
	}
	entry.Notified, entry.Notify = make(map[string]map[alarms.Key]alarms.Notified), make(map[string][]alarms.Notification)
	for name, r := range w.Receivers {
		changes, at := planner.Plan(name, r.Route, w.state.Notified[name], only)
		again = alarms.Sooner(again, at)
		notified := make(map[alarms.Key]alarms.Notified)
		if only == nil {
			notified = w.forgettable(name, now)
		}
		for _, c := range changes {
			if c.Kind == alarms.Repeated && r.Refresh > 0 && w.sender.IsBehind(name) {
				again = alarms.Sooner(again, now.Add(r.Refresh))
				continue // they would pile up; it is repeated once the receiver is back
			}
			notified[c.Alarm.Key] = c.Notified(now)
			entry.Notify[name] = append(entry.Notify[name], w.notification(c, now))
			if repeat := cmp.Or(r.Refresh, r.Repeat); repeat > 0 {
				again = alarms.Sooner(again, now.Add(repeat))
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
		if t.Kind == alarms.Cleared && now.Sub(t.At) > w.Settings.NotifyInterval {
			old[key] = alarms.Notified{}
		}
	}
	return old
}

// notification returns the notification of a change, with an ID of what cannot
// happen twice.
func (w *Watch) notification(c alarms.Change, now time.Time) alarms.Notification {
	a := c.Alarm
	n := alarms.Notification{
		ID: fmt.Sprintf("%s %d %s %s", a.Key, a.Number, c.Kind, a.Severity),
		At: now, Change: c, Address: w.Addresses[a.Device],
	}
	switch c.Kind {
	case alarms.Raised, alarms.Cleared:
	default: // these can come again
		n.ID += fmt.Sprintf(" %d", now.UnixNano())
	}
	for _, d := range w.Store.Latest().Devices {
		if d.Name == a.Device {
			n.Label = d.Show.Value.Label.Value
			n.Change.Alarm.Serial = cmp.Or(a.Serial, d.Serial())
		}
	}
	return n
}

// masked reports whether a receiver must not be notified of n; see
// [notify.Route.Masks].
func (w *Watch) masked(receiver string, n alarms.Notification) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Receivers[receiver].Masks(n, w.state.Notified[receiver])
}

// delivered reacts to a change of a queue or of a receiver's state.
func (w *Watch) delivered() {
	w.mu.Lock()
	w.signalChanged()
	w.mu.Unlock()
	w.evaluateNow()
}

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]notify.Delivery { return w.sender.Deliveries() }
