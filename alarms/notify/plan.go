package notify

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Planner is all that decides what a receiver is notified of.
type Planner struct {
	Active     *alarms.Overlay[alarms.Alarm]
	Unnotified *alarms.Overlay[alarms.Alarm] // cleared, but some receiver was not notified of that
	Parent     func(device string) string    // what a device depends on; "": nothing
	Silences   []alarms.Silence
	Now        time.Time
	Spacing    time.Duration // between two notifications of one alarm
}

// Plan returns what a receiver must be notified of now, and when to plan again
// although nothing has changed; zero: never. notified is what it was last
// notified of. Only the alarms in only are considered; nil: all.
func (p Planner) Plan(receiver string, r Route, notified map[alarms.Key]alarms.Notified, only []alarms.Key) (changes []alarms.Change, again time.Time) {
	if r.Policy.Level == LevelOff {
		return nil, time.Time{}
	}
	consider := func(key alarms.Key) {
		a, active := p.Active.Get(key)
		if !active {
			cleared := false
			if a, cleared = p.Unnotified.Get(key); !cleared {
				return
			}
		}
		switch kind, at := p.decide(receiver, r, a, active, notified[key]); {
		case kind == "":
		case at.After(p.Now):
			again = alarms.Sooner(again, at)
		default:
			changes = append(changes, alarms.Change{Kind: kind, Alarm: a})
		}
	}
	for _, key := range only {
		consider(key)
	}
	if only == nil {
		for key := range p.Active.All() {
			consider(key)
		}
		for key := range p.Unnotified.All() {
			if _, active := p.Active.Get(key); !active {
				consider(key)
			}
		}
	}
	slices.SortFunc(changes, func(a, b alarms.Change) int {
		return cmp.Or(changedAt(a).Compare(changedAt(b)), cmp.Compare(a.Alarm.Number, b.Alarm.Number))
	})
	return changes, again
}

func changedAt(c alarms.Change) time.Time {
	if c.Kind == alarms.Cleared {
		return c.Alarm.Cleared
	}
	return c.Alarm.Raised
}

// hoursInterval is how often a receiver outside its hours is planned again.
const hoursInterval = time.Minute

// decide returns what a receiver must be notified of for one alarm, and from
// when on; "": nothing.
func (p Planner) decide(receiver string, r Route, a alarms.Alarm, active bool, notified alarms.Notified) (kind alarms.Kind, at time.Time) {
	if notified.Number != 0 {
		at = notified.At.Add(p.Spacing)
	}
	kind = changeSince(a, active, notified)
	switch {
	case kind == "", p.withholds(receiver, r, a, kind):
		return p.repeat(r, a, notified)
	case a.IsTest():
		return kind, at
	case kind == alarms.Raised:
		at = alarms.Later(at, a.Raised.Add(r.UnacknowledgedFor))
	}
	switch {
	case r.Hours.open(p.Now):
		return kind, at
	case notified.Active() && r.Refresh > 0:
		return p.repeat(r, a, notified)
	}
	return kind, alarms.Later(at, p.Now.Add(hoursInterval))
}

// withholds reports whether a receiver is not notified of a change of kind. Of
// the clearing of an alarm of which it was notified, it always is.
func (p Planner) withholds(receiver string, r Route, a alarms.Alarm, kind alarms.Kind) bool {
	switch {
	case a.IsTest(), kind == alarms.Cleared:
		return false
	case !r.takes(receiver, a), a.InStorm, kind == alarms.Raised && r.UnacknowledgedFor > 0 && a.Ack != nil:
		return true
	}
	return kind != alarms.Acknowledged && kind != alarms.Unacknowledged && p.suppressed(receiver, r, a)
}

// changeSince returns how an alarm differs from what the receiver was notified
// of.
func changeSince(a alarms.Alarm, active bool, notified alarms.Notified) alarms.Kind {
	switch {
	case !active && notified.Active():
		return alarms.Cleared
	case !active:
		return ""
	case !notified.Active() || notified.Number != a.Number:
		return alarms.Raised
	case a.Severity > notified.Severity, a.Flapping && !notified.Flapping, a.Key == alarms.StormKey && a.Text != notified.Text,
		notified.Cause != "" && a.Cause != notified.Cause: // the cause of a lost link
		return alarms.Updated
	case a.Ack != nil && !notified.Acked:
		return alarms.Acknowledged
	case a.Ack == nil && notified.Acked:
		return alarms.Unacknowledged
	}
	return ""
}

// repeat returns when the receiver is notified once more of what it knows; "":
// never.
func (p Planner) repeat(r Route, a alarms.Alarm, notified alarms.Notified) (alarms.Kind, time.Time) {
	switch {
	case !notified.Active():
	case r.Refresh > 0:
		return alarms.Repeated, notified.At.Add(r.Refresh)
	case r.Repeat > 0 && a.Ack == nil && r.Hours.open(p.Now) && p.silence(a) == nil:
		return alarms.Repeated, notified.At.Add(r.Repeat)
	}
	return "", time.Time{}
}

// suppressed reports whether a silence, or an alarm that explains it and of
// which the receiver is notified, suppresses the notifications of an alarm.
func (p Planner) suppressed(receiver string, r Route, a alarms.Alarm) bool {
	if p.silence(a) != nil {
		return true
	}
	key, explained := alarms.CauseOf(a, p.Active, p.Parent)
	if !explained {
		return false
	}
	cause, _ := p.Active.Get(key)
	return r.takes(receiver, cause)
}

func (p Planner) silence(a alarms.Alarm) *alarms.Silence {
	return alarms.SilencedBy(p.Silences, a, p.Now)
}
