package alarms

import (
	"iter"
	"slices"
	"time"
)

// Causes returns the keys of the alarms that can explain a, likeliest first.
// parent returns what a device depends on; nil: no device depends on another.
func Causes(a Alarm, parent func(device string) string) iter.Seq[Key] {
	group := GroupNamed(a.Group)
	return func(yield func(Key) bool) {
		for _, object := range []string{a.Object, ""} {
			for _, g := range group.Causes {
				if k := (Key{Device: a.Device, Group: g, Object: object, Test: a.Test}); k != a.Key && !yield(k) {
					return
				}
			}
		}
		if parent == nil {
			return
		}
		if parent := parent(a.Device); parent != "" {
			for _, g := range group.ParentCauses {
				if !yield(Key{Device: parent, Group: g, Test: a.Test}) {
					return
				}
			}
		}
	}
}

// Explains reports whether b, which its group's row allows to follow from a, is
// a consequence of a: no worse than a, begun within minutes of a or of a line
// that reported a again, and before anybody acknowledged a. What only says that
// something is not read follows from whatever keeps it from being read, however
// long that lasts.
func (a Alarm) Explains(b Alarm) bool {
	switch {
	case a.Severity < b.Severity, a.untrusted():
		return false
	case GroupNamed(b.Group).Unread:
		return true
	case a.Ack != nil && !a.Ack.At.After(b.Raised):
		return false
	}
	near := func(at time.Time) bool {
		after := b.began().Sub(at)
		return -earlier <= after && after <= later
	}
	return near(a.began()) || slices.ContainsFunc(a.reports(), func(e Evidence) bool { return e.Log != nil && near(e.At) })
}

// reports returns the evidence for a, but for what cleared it.
func (a Alarm) reports() []Evidence {
	if n := len(a.Evidence); n > 0 && !a.Cleared.IsZero() {
		return a.Evidence[:n-1]
	}
	return a.Evidence
}

// untrusted reports whether anybody could have raised a.
func (a Alarm) untrusted() bool {
	reports := a.reports()
	return len(reports) > 0 && !slices.ContainsFunc(reports, func(e Evidence) bool { return e.Log == nil || !e.Log.Untrusted })
}

// asCause returns what [Alarm.Explains] reads of a; nil: its group is the cause of
// nothing.
func (a Alarm) asCause() *Alarm {
	if !isCause[a.Group] {
		return nil
	}
	was := &Alarm{Key: a.Key, Severity: a.Severity, Raised: a.Raised, Cleared: a.Cleared, Ack: a.Ack}
	for _, e := range a.Evidence {
		was.Evidence = append(was.Evidence, Evidence{At: e.At, Log: e.Log})
	}
	return was
}

// isCause has the groups that explain alarms of some other.
var isCause = func() map[string]bool {
	named := make(map[string]bool)
	for _, g := range groups {
		for _, cause := range slices.Concat(g.Causes, g.ParentCauses) {
			named[cause] = true
		}
	}
	return named
}()

// How long before its cause a consequence can be seen, and how long after it: an
// HSM is silent after three polls without an answer.
const (
	earlier = 10 * time.Minute
	later   = 20 * time.Minute
)

// began returns when a was first seen.
func (a Alarm) began() time.Time {
	if len(a.Evidence) > 0 {
		return Sooner(a.Evidence[0].At, a.Raised)
	}
	return a.Raised
}

// CauseOf returns the active alarm that explains a, if there is one.
func CauseOf(a Alarm, active *Overlay[Alarm], parent func(device string) string) (cause Key, explained bool) {
	for k := range Causes(a, parent) {
		if c, ok := active.Get(k); ok && c.Explains(a) {
			return k, true
		}
	}
	return Key{}, false
}
