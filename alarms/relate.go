package alarms

import (
	"time"
)

// CauseOf returns the active alarm that explains a, if there is one. An alarm
// that is worse than its cause, or older, is explained by nothing. parent
// returns what a device depends on; nil: no device depends on another.
func CauseOf(a Alarm, active *Overlay[Alarm], parent func(device string) string) (cause Key, explained bool) {
	group := GroupNamed(a.Group)
	explains := func(k Key) bool {
		c, ok := active.Get(k)
		return ok && k != a.Key && c.Severity >= a.Severity && !a.Raised.Before(c.Raised.Add(-earlier))
	}
	for _, object := range []string{a.Object, ""} {
		for _, g := range group.Causes {
			if k := (Key{Device: a.Device, Group: g, Object: object, Test: a.Test}); explains(k) {
				return k, true
			}
		}
	}
	if parent == nil {
		return Key{}, false
	}
	if parent := parent(a.Device); parent != "" {
		for _, g := range group.ParentCauses {
			if k := (Key{Device: parent, Group: g, Test: a.Test}); explains(k) {
				return k, true
			}
		}
	}
	return Key{}, false
}

// earlier is how long before its cause a consequence can be seen.
const earlier = 10 * time.Minute
