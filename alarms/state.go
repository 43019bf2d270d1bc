package alarms

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms/memory"
)

// A Memory is what rules compare the next polls of a device with. It survives restarts.
type Memory = memory.Memory

// A State is every active alarm, and what was counted. Only [State.Apply] and
// [State.Settle] change it.
type State struct {
	Active  map[Key]Alarm
	Pending map[Key]Alarm     // to be raised, unless their cause ends before
	Events  map[string]Events // by device
	Memory  map[string]Memory // by device; nil: of none
	Number  uint64            // of the alarm that was raised last
	// Past is what is remembered of cleared alarms. It need not survive a
	// restart, after which everything is read anew.
	Past   map[Key]Past
	Raises map[Key][]time.Time // of about the last minute, by flood
	Held   map[Key]int         // active alarms that are in a storm, by flood

	Due time.Time // before then, time alone changes no alarm; zero: never
	// Numbered returns the number of an alarm, which no other agent gives; nil: the next one.
	Numbered func(device string, last uint64) uint64
}

// A Past is what is remembered of a cleared alarm.
type Past struct {
	By      time.Time   // time of what cleared it: older findings do not raise it again
	Cleared time.Time   // zero: it was never raised
	Begun   []time.Time // when it recently began
	Was     *Alarm      // without texts; nil: its group is the cause of nothing
}

// pastFor bounds how long a Past is kept: longer than any answer stays fresh.
const pastFor = 7 * 24 * time.Hour

// NewState returns a State without alarms.
func NewState() State {
	return State{Active: make(map[Key]Alarm), Pending: make(map[Key]Alarm), Events: make(map[string]Events), Past: make(map[Key]Past),
		Raises: make(map[Key][]time.Time), Held: make(map[Key]int)}
}

// Put makes a stored alarm part of s.
func (s *State) Put(a Alarm) {
	s.Number = max(s.Number, a.Number)
	switch {
	case a.Number == 0:
		s.Pending[a.Key] = a
		return
	case a.InStorm:
		s.Held[a.flood()]++
	}
	s.Active[a.Key] = a
}

// Apply makes changes part of s.
func (s *State) Apply(changes []Change) {
	d := s.Draft()
	var cleared time.Time
	for _, c := range changes {
		d.Apply(c)
		s.Due = Sooner(s.Due, c.Alarm.due())
		if c.Kind == Cleared {
			cleared = Later(cleared, c.Alarm.Cleared)
		}
	}
	d.Active.flush()
	d.pending.flush()
	d.Past.flush()
	d.raises.flush()
	d.held.flush()
	s.Number = d.number
	if !cleared.IsZero() {
		maps.DeleteFunc(s.Past, func(_ Key, p Past) bool { return cleared.Sub(p.By) > pastFor })
	}
}

// Settle updates Due once that time has come.
func (s *State) Settle(now time.Time) {
	if s.Due.IsZero() || now.Before(s.Due) {
		return
	}
	s.Due = time.Time{}
	maps.DeleteFunc(s.Raises, func(_ Key, at []time.Time) bool { return now.Sub(at[len(at)-1]) > stormWindow })
	for _, alarms := range []map[Key]Alarm{s.Active, s.Pending} {
		for _, a := range alarms {
			s.Due = Sooner(s.Due, a.due())
		}
	}
}

// Next returns when time alone changes s; zero: it does not.
func (s State) Next(damping Damping) time.Time {
	next := s.Due
	for flood := range s.Held {
		next = Sooner(next, damping.calmAt(s.Raises[flood]))
	}
	return next
}

// due returns when time alone changes a; zero: it does not.
func (a Alarm) due() time.Time {
	if !a.Cleared.IsZero() {
		return time.Time{}
	}
	at := Sooner(Sooner(a.Expires, a.EndsAt), a.RaisesAt)
	if a.Flapping && a.EndsAt.IsZero() {
		at = Sooner(at, a.SteadyAt)
	}
	return at
}

// A Draft is a State with changes over it, which leave the State as it is.
type Draft struct {
	Active, pending Overlay[Alarm]
	Past            Overlay[Past]
	number          uint64
	raises          Overlay[[]time.Time]
	held            Overlay[int]
}

// Draft returns s without changes.
func (s State) Draft() Draft {
	return Draft{
		Active: Overlay[Alarm]{Base: s.Active}, pending: Overlay[Alarm]{Base: s.Pending}, Past: Overlay[Past]{Base: s.Past},
		number: s.Number, raises: Overlay[[]time.Time]{Base: s.Raises}, held: Overlay[int]{Base: s.Held},
	}
}

// Apply makes c part of d.
func (d *Draft) Apply(c Change) {
	a := c.Alarm
	d.hold(c)
	switch c.Kind {
	case Pending:
		d.pending.Set(a.Key, a)
	case Dropped:
		d.pending.del(a.Key)
		d.Past.Set(a.Key, Past{By: a.LastEvidence().At, Begun: a.Begun})
	case Cleared:
		d.Active.del(a.Key)
		d.Past.Set(a.Key, Past{a.LastEvidence().At, a.Cleared, a.Begun, a.asCause()})
	case Raised:
		d.pending.del(a.Key)
		d.Active.Set(a.Key, a)
		d.number = max(d.number, a.Number)
		d.countRaise(a)
	default:
		d.Active.Set(a.Key, a)
	}
}

// since returns the times after at of a list in order.
func since(times []time.Time, at time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, at, time.Time.Compare)
	for i < len(times) && !times[i].After(at) {
		i++
	}
	return slices.Clip(times[i:])
}

// Sooner returns the earlier of two times, of which zero is never.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
