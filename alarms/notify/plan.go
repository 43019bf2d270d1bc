package notify

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Planner is all that decides what a receiver is told.
type Planner struct {
	Active     *alarms.Overlay[alarms.Alarm]
	Unnotified *alarms.Overlay[alarms.Alarm] // ended, and some receiver still believes that they stand
	Parent     func(device string) string
	Silences   []alarms.Silence
	Now        time.Time
	Spacing    time.Duration // between two notifications of one alarm
}

// Plan returns what a receiver is to be told now, and when to look again
// although nothing has changed; zero: never. only are the alarms that it looks
// at; nil: all.
func (s Planner) Plan(receiver string, r Route, told map[alarms.Key]alarms.Notified, only []alarms.Key) (tell []alarms.Change, again time.Time) {
	if r.Policy.Level == LevelOff {
		return nil, time.Time{}
	}
	consider := func(key alarms.Key) {
		t := told[key]
		a, stands := s.Active.Get(key)
		if !stands {
			left := false
			if a, left = s.Unnotified.Get(key); !left {
				return
			}
		}
		switch kind, at := s.decide(receiver, r, a, stands, t); {
		case kind == "":
		case at.After(s.Now):
			again = alarms.Sooner(again, at)
		default:
			tell = append(tell, alarms.Change{Kind: kind, Alarm: a})
		}
	}
	for _, key := range only {
		consider(key)
	}
	if only == nil {
		for key := range s.Active.All() {
			consider(key)
		}
		for key := range s.Unnotified.All() {
			if _, stands := s.Active.Get(key); !stands {
				consider(key)
			}
		}
	}
	slices.SortFunc(tell, func(a, b alarms.Change) int {
		return cmp.Or(changedAt(a).Compare(changedAt(b)), cmp.Compare(a.Alarm.Number, b.Alarm.Number))
	})
	return tell, again
}

func changedAt(c alarms.Change) time.Time {
	if c.Kind == alarms.Cleared {
		return c.Alarm.Cleared
	}
	return c.Alarm.Raised
}

// hoursInterval is how often hours are looked at.
const hoursInterval = time.Minute

// decide returns what a receiver is to be told of one alarm, and from when on;
// "" if nothing.
func (s Planner) decide(receiver string, r Route, a alarms.Alarm, stands bool, told alarms.Notified) (kind alarms.Kind, at time.Time) {
	if told.Number != 0 {
		at = told.At.Add(s.Spacing)
	}
	kind = changeSince(a, stands, told)
	switch {
	case kind == "", s.withholds(receiver, r, a, kind):
		return s.again(r, a, told)
	case a.IsTest():
		return kind, at
	case kind == alarms.Raised:
		at = alarms.Later(at, a.Raised.Add(r.UnacknowledgedFor))
	}
	switch {
	case r.Hours.open(s.Now):
		return kind, at
	case told.Active() && r.Refresh > 0:
		return s.again(r, a, told)
	}
	return kind, alarms.Later(at, s.Now.Add(hoursInterval))
}

// withholds reports whether a receiver is not told of a change of kind. The end
// of what it was told is told always.
func (s Planner) withholds(receiver string, r Route, a alarms.Alarm, kind alarms.Kind) bool {
	switch {
	case a.IsTest(), kind == alarms.Cleared:
		return false
	case !r.takes(receiver, a), a.InStorm, kind == alarms.Raised && r.UnacknowledgedFor > 0 && a.Ack != nil:
		return true
	}
	return kind != alarms.Acknowledged && kind != alarms.Unacknowledged && s.suppressed(receiver, r, a)
}

// changeSince returns how an alarm differs from what was told of it.
func changeSince(a alarms.Alarm, stands bool, told alarms.Notified) alarms.Kind {
	switch {
	case !stands && told.Active():
		return alarms.Cleared
	case !stands:
		return ""
	case !told.Active() || told.Number != a.Number:
		return alarms.Raised
	case a.Severity > told.Severity, a.Flapping && !told.Flapping, a.Key == alarms.StormKey && a.Text != told.Text,
		told.Cause != "" && a.Cause != told.Cause: // the cause of a lost link
		return alarms.Updated
	case a.Ack != nil && !told.Acked:
		return alarms.Acknowledged
	case a.Ack == nil && told.Acked:
		return alarms.Unacknowledged
	}
	return ""
}

// again is when what was told is told once more.
func (s Planner) again(r Route, a alarms.Alarm, told alarms.Notified) (alarms.Kind, time.Time) {
	switch {
	case !told.Active():
	case r.Refresh > 0:
		return alarms.Repeated, told.At.Add(r.Refresh)
	case r.Repeat > 0 && a.Ack == nil && r.Hours.open(s.Now) && s.silence(a) == nil:
		return alarms.Repeated, told.At.Add(r.Repeat)
	}
	return "", time.Time{}
}

// suppressed reports whether a silence, or an alarm that the receiver is told of
// and that explains it, keeps an alarm from being told.
func (s Planner) suppressed(receiver string, r Route, a alarms.Alarm) bool {
	if s.silence(a) != nil {
		return true
	}
	key, explained := alarms.CauseOf(a, s.Active, s.Parent)
	if !explained {
		return false
	}
	cause, _ := s.Active.Get(key)
	return r.takes(receiver, cause)
}

func (s Planner) silence(a alarms.Alarm) *alarms.Silence {
	return alarms.SilencedBy(s.Silences, a, s.Now)
}
