package glance

import "github.com/lunawatch/lunawatch/alarms"

// Word says in one word how a device is: critical, major, minor or warning as its worst
// alarm; well; stale where some or all of what was read is too old; unknown where
// nothing was ever read.
func (r Row) Word() string {
	switch {
	case r.State == OK:
		return "well"
	case r.State == Unknown && r.Newest.IsZero():
		return "unknown"
	case r.State == Unknown, r.Alarms == 0:
		return "stale"
	case r.Severity <= alarms.Indeterminate:
		return "warning"
	}
	return r.Severity.String()
}
