package alarms

import (
	"cmp"
	"slices"
	"time"
)

// Told is what a receiver was last told of an alarm.
type Told struct {
	Number   uint64    `json:"number"` // of the alarm
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Acked    bool      `json:"acked,omitempty"`
	Flapping bool      `json:"flapping,omitempty"`
	Text     string    `json:"text,omitempty"` // of a storm
	Cause    string    `json:"cause,omitempty"`
	At       time.Time `json:"at"`
}

// stands reports whether the receiver believes that the alarm stands.
func (t Told) stands() bool { return t.Number != 0 && t.Kind != Ended }

// Repeated is what was told before, told again.
const Repeated Kind = "repeated"

// A situation is all that decides what a receiver is told.
type situation struct {
	active   *overlay[Alarm]
	left     *overlay[Alarm] // ended, and some receiver still believes that they stand
	parent   func(device string) string
	silences []Silence
	now      time.Time
	spacing  time.Duration // between two notifications of one alarm
}

// plan returns what a receiver is to be told now, and when to look again
// although nothing has changed; zero: never. only are the alarms that it looks
// at; nil: all.
func (s situation) plan(receiver string, r Route, told map[Key]Told, only []Key) (tell []Change, again time.Time) {
	if r.Policy.Level == LevelOff {
		return nil, time.Time{}
	}
	consider := func(key Key) {
		t := told[key]
		a, stands := s.active.get(key)
		if !stands {
			left := false
			if a, left = s.left.get(key); !left {
				return
			}
		}
		switch kind, at := s.decide(receiver, r, a, stands, t); {
		case kind == "":
		case at.After(s.now):
			again = sooner(again, at)
		default:
			tell = append(tell, Change{kind, a})
		}
	}
	for _, key := range only {
		consider(key)
	}
	if only == nil {
		for key := range s.active.all() {
			consider(key)
		}
		for key := range s.left.all() {
			if _, stands := s.active.get(key); !stands {
				consider(key)
			}
		}
	}
	slices.SortFunc(tell, func(a, b Change) int {
		return cmp.Or(changedAt(a).Compare(changedAt(b)), cmp.Compare(a.Alarm.Number, b.Alarm.Number))
	})
	return tell, again
}

func changedAt(c Change) time.Time {
	if c.Kind == Ended {
		return c.Alarm.Cleared
	}
	return c.Alarm.Raised
}

// look is how often hours are looked at.
const look = time.Minute

// decide returns what a receiver is to be told of one alarm, and from when on;
// "" if nothing.
func (s situation) decide(receiver string, r Route, a Alarm, stands bool, told Told) (kind Kind, at time.Time) {
	if told.Number != 0 {
		at = told.At.Add(s.spacing)
	}
	kind = news(a, stands, told)
	switch {
	case kind == "", s.withholds(receiver, r, a, kind):
		return s.again(r, a, told)
	case a.isTest():
		return kind, at
	case kind == Raised:
		at = later(at, a.Raised.Add(r.UnacknowledgedFor))
	}
	switch {
	case r.Hours.open(s.now):
		return kind, at
	case told.stands() && r.Refresh > 0:
		return s.again(r, a, told)
	}
	return kind, later(at, s.now.Add(look))
}

// withholds reports whether a receiver is not told of a change of kind. The end
// of what it was told is told always.
func (s situation) withholds(receiver string, r Route, a Alarm, kind Kind) bool {
	switch {
	case a.isTest(), kind == Ended:
		return false
	case !r.takes(receiver, a), a.InStorm, kind == Raised && r.UnacknowledgedFor > 0 && a.Ack != nil:
		return true
	}
	return kind != Acknowledged && kind != Unacknowledged && s.hidden(receiver, r, a)
}

// news returns how an alarm differs from what was told of it.
func news(a Alarm, stands bool, told Told) Kind {
	switch {
	case !stands && told.stands():
		return Ended
	case !stands:
		return ""
	case !told.stands() || told.Number != a.Number:
		return Raised
	case a.Severity > told.Severity, a.Flapping && !told.Flapping, a.Key == stormKey && a.Text != told.Text,
		told.Cause != "" && a.Cause != told.Cause: // the cause of a lost link
		return Updated
	case a.Ack != nil && !told.Acked:
		return Acknowledged
	case a.Ack == nil && told.Acked:
		return Unacknowledged
	}
	return ""
}

// again is when what was told is told once more.
func (s situation) again(r Route, a Alarm, told Told) (Kind, time.Time) {
	switch {
	case !told.stands():
	case r.Refresh > 0:
		return Repeated, told.At.Add(r.Refresh)
	case r.Repeat > 0 && a.Ack == nil && r.Hours.open(s.now) && s.silence(a) == nil:
		return Repeated, told.At.Add(r.Repeat)
	}
	return "", time.Time{}
}

// hidden reports whether a silence, or an alarm that the receiver is told of
// and that explains it, keeps an alarm from being told.
func (s situation) hidden(receiver string, r Route, a Alarm) bool {
	if s.silence(a) != nil {
		return true
	}
	key, explained := causeOf(a, s.active, s.parent)
	if !explained {
		return false
	}
	cause, _ := s.active.get(key)
	return r.takes(receiver, cause)
}

func (s situation) silence(a Alarm) *Silence { return silencedBy(s.silences, a, s.now) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// after returns what a receiver has been told once c is on its way.
func (c Change) after(now time.Time) Told {
	a := c.Alarm
	t := Told{Number: a.Number, Kind: c.Kind, Severity: a.Severity, Acked: a.Ack != nil, Flapping: a.Flapping, Cause: a.Cause, At: now}
	if a.Key == stormKey {
		t.Text = a.Text
	}
	return t
}
