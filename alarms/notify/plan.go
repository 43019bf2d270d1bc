package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Planner is all that decides what a receiver is notified of.
type Planner struct {
	Active     *alarms.Overlay[alarms.Alarm]
	Past       *alarms.Overlay[alarms.Past]  // what is remembered of cleared alarms
	Unnotified map[alarms.Key]alarms.Alarm   // cleared earlier, but some receiver was not notified of that
	Cleared    map[alarms.Key][]alarms.Alarm // cleared since the last plan, oldest first
	Parent     func(device string) string    // what a device depends on; "": nothing
	Silences   []alarms.Silence
	Now        time.Time
	Spacing    time.Duration   // between two notifications of one alarm
	Brief      alarms.Severity // from it on, receivers are notified of what cleared before they could be; None: of nothing
}

// Plan returns what a receiver must be notified of now, and when to plan again
// although nothing has changed; zero: never. notified is what it was last
// notified of. Only the alarms in only are considered; nil: all.
func (p Planner) Plan(receiver string, r Route, notified map[alarms.Key]alarms.Notified, only []alarms.Key) (changes []alarms.Change, again time.Time) {
	if r.Policy.Level == LevelOff {
		return nil, time.Time{}
	}
	if only == nil {
		only = p.keys()
	}
	to := recipient{p, receiver, r, notified}
	for _, key := range only {
		due, at := to.decide(key)
		changes, again = append(changes, due...), alarms.Sooner(again, at)
	}
	slices.SortStableFunc(changes, func(a, b alarms.Change) int {
		return cmp.Or(changedAt(a).Compare(changedAt(b)), cmp.Compare(a.Alarm.Number, b.Alarm.Number))
	})
	return changes, again
}

// keys returns the keys of all alarms of which somebody may have to be notified.
func (p Planner) keys() []alarms.Key {
	all := make(map[alarms.Key]bool)
	for key := range p.Active.All() {
		all[key] = true
	}
	for key := range p.Unnotified {
		all[key] = true
	}
	for key := range p.Cleared {
		all[key] = true
	}
	return slices.Collect(maps.Keys(all))
}

func changedAt(c alarms.Change) time.Time {
	if c.Kind == alarms.Cleared || c.Kind == alarms.RaisedAndCleared {
		return c.Alarm.Cleared
	}
	return c.Alarm.Raised
}

// hoursInterval is how often a receiver outside its hours is planned again.
const hoursInterval = time.Minute

// A recipient is one receiver in a plan.
type recipient struct {
	Planner
	name string
	Route
	notified map[alarms.Key]alarms.Notified
}

// decide returns what a receiver must be notified of now for one key, in order:
// that the alarm it knows has cleared, what came and went meanwhile, and the
// active alarm. again is when there will be more; zero: it is not known.
func (p recipient) decide(key alarms.Key) (due []alarms.Change, again time.Time) {
	notified := p.notified[key]
	a, active := p.Active.Get(key)
	brief := p.brief(key)
	if notified.Lost != "" && (active && a.Number == notified.Number || !active && len(brief) == 0) {
		return nil, time.Time{} // until the receiver answers
	}
	kind, at := alarms.Kind(""), time.Time{}
	if active {
		kind, at = p.ofActive(a, maxDepth)
	}
	now := kind != "" && !at.After(p.Now)
	if ended, ok := p.ended(key, a, active); ok {
		at := p.spaced(notified)
		switch {
		case !a.IsTest() && !p.Hours.Open(p.Now):
			at = alarms.Later(at, p.Now.Add(hoursInterval))
		case now || len(brief) > 0:
			at = p.Now
		}
		end := alarms.Cleared
		if notified.Lost == alarms.Raised {
			end = alarms.RaisedAndCleared
		}
		if at.After(p.Now) {
			again = at
		} else {
			due = append(due, alarms.Change{Kind: end, Alarm: ended})
		}
	}
	due = append(due, brief...)
	switch {
	case now:
		due = append(due, alarms.Change{Kind: kind, Alarm: a})
	case kind != "":
		again = alarms.Sooner(again, at)
	}
	return due, again
}

// spaced returns when the next notification of an alarm may follow the last.
func (p recipient) spaced(notified alarms.Notified) time.Time {
	if notified.Number == 0 {
		return time.Time{}
	}
	return notified.At.Add(p.Spacing)
}

// ended returns the alarm of a key that the receiver takes to be active, but has
// cleared.
func (p recipient) ended(key alarms.Key, a alarms.Alarm, active bool) (ended alarms.Alarm, ok bool) {
	notified := p.notified[key]
	if !notified.Active() || active && a.Number == notified.Number {
		return ended, false
	}
	for _, c := range p.Cleared[key] {
		if c.Number == notified.Number {
			return c, true
		}
	}
	if c, cleared := p.Unnotified[key]; cleared {
		return c, true
	}
	if list := p.Cleared[key]; len(list) > 0 {
		return list[0], true
	}
	return ended, false
}

// brief returns the alarms of a key that have cleared before the receiver was
// notified of them, unless they are too mild or it was withheld on purpose. It
// is not limited by the spacing, unless the receiver's level is.
func (p recipient) brief(key alarms.Key) (list []alarms.Change) {
	notified := p.notified[key]
	if p.Brief == alarms.None || p.UnacknowledgedFor > 0 || !p.Hours.Open(p.Now) || p.Policy.limited() && p.spaced(notified).After(p.Now) {
		return nil
	}
	for _, a := range p.Cleared[key] {
		if a.Number <= notified.Number || a.Severity < p.Brief || a.IsTest() || !p.takes(p.name, a) || p.silence(a) != nil {
			continue
		}
		if hidden, _ := p.suppressed(a, maxDepth); !hidden {
			list = append(list, alarms.Change{Kind: alarms.RaisedAndCleared, Alarm: a})
		}
	}
	return list
}

// ofActive returns what a receiver must be notified of for an active alarm, and
// from when on; "": nothing.
func (p recipient) ofActive(a alarms.Alarm, depth int) (kind alarms.Kind, at time.Time) {
	notified := p.notified[a.Key]
	at = p.spaced(notified)
	kind = changeSince(a, notified)
	hidden, until := p.withholds(a, kind, depth)
	switch {
	case kind == "", hidden && until.IsZero():
		return p.repeat(a, notified)
	case hidden:
		return kind, alarms.Later(at, until)
	case a.IsTest():
		return kind, at
	case kind == alarms.Raised:
		at = alarms.Later(at, a.Raised.Add(p.UnacknowledgedFor))
	}
	if p.Hours.Open(p.Now) {
		return kind, at
	}
	return kind, alarms.Later(at, p.Now.Add(hoursInterval))
}

// withholds reports whether a receiver is not notified of a change of kind, and
// until when time alone does not change that; zero: for ever.
func (p recipient) withholds(a alarms.Alarm, kind alarms.Kind, depth int) (yes bool, until time.Time) {
	switch {
	case a.IsTest():
		return false, time.Time{}
	case !p.takes(p.name, a), a.InStorm, kind == alarms.Raised && p.UnacknowledgedFor > 0 && a.Ack != nil:
		return true, time.Time{}
	case kind == alarms.Acknowledged, kind == alarms.Unacknowledged:
		return false, time.Time{}
	case p.silence(a) != nil:
		return true, time.Time{}
	}
	return p.suppressed(a, depth)
}

// changeSince returns how an active alarm differs from what the receiver was
// notified of.
func changeSince(a alarms.Alarm, notified alarms.Notified) alarms.Kind {
	switch {
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
func (p recipient) repeat(a alarms.Alarm, notified alarms.Notified) (alarms.Kind, time.Time) {
	if notified.Active() && notified.Number == a.Number && p.Repeat > 0 && a.Ack == nil && p.Hours.Open(p.Now) && p.silence(a) == nil {
		return alarms.Repeated, notified.At.Add(p.Repeat)
	}
	return "", time.Time{}
}

const (
	// maxDepth bounds a chain of causes.
	maxDepth = 8
	// confirmWithin is how long a consequence waits for a reading that shows it
	// again once its cause has cleared: two polls.
	confirmWithin = 10 * time.Minute
	// unreachableAlone is how long another alarm can suppress that an HSM is not
	// reachable.
	unreachableAlone = 15 * time.Minute
)

// suppressed reports whether an alarm that explains a, and of which the receiver
// is notified, suppresses the notifications of a, and until when; zero: as long
// as that alarm is active. A cause that has cleared suppresses its consequences
// until their source shows them again.
func (p recipient) suppressed(a alarms.Alarm, depth int) (yes bool, until time.Time) {
	if a.Group == "unreachable" {
		if until = a.Raised.Add(unreachableAlone); !until.After(p.Now) {
			return false, time.Time{}
		}
	}
	if p.explained(a, depth) {
		return true, until
	}
	for key := range alarms.Causes(a, p.Parent) {
		past, _ := p.Past.Get(key)
		if past.Was == nil || !past.Was.Explains(a) {
			continue
		}
		if confirmed := past.Cleared.Add(confirmWithin); a.Cleared.IsZero() && !a.Last.After(past.Cleared) && confirmed.After(p.Now) {
			return true, confirmed
		}
	}
	return false, time.Time{}
}

// explained reports whether the receiver is notified of an alarm that explains a.
func (p recipient) explained(a alarms.Alarm, depth int) bool {
	for key := range alarms.Causes(a, p.Parent) {
		if p.isCause(key, a, depth) {
			return true
		}
	}
	return false
}

// isCause reports whether the alarm of a key, active or cleared together with a,
// explains a, and the receiver is notified of it or of its own cause.
func (p recipient) isCause(key alarms.Key, a alarms.Alarm, depth int) bool {
	explains := func(c alarms.Alarm) bool {
		if depth == 0 || !c.Explains(a) {
			return false
		}
		notified := p.notified[key]
		known := notified.Active() && notified.Number == c.Number
		if known && notified.Lost != alarms.Raised {
			return true
		}
		if kind, at := p.ofActive(c, depth-1); !known && kind != "" && !at.After(p.Now) {
			return true
		}
		return p.takes(p.name, c) && p.explained(c, depth-1)
	}
	if c, active := p.Active.Get(key); active {
		return explains(c)
	}
	return !a.Cleared.IsZero() && slices.ContainsFunc(p.Cleared[key], explains)
}

func (p Planner) silence(a alarms.Alarm) *alarms.Silence {
	if a.Device == alarms.Self && a.Group == "silence" {
		return nil
	}
	return alarms.SilencedBy(p.Silences, a, p.Now)
}
