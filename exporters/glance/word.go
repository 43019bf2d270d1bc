package glance

import "github.com/lunawatch/lunawatch/alarms"

// Word returns how r is in one word: unknown if nothing of it is fresh and no alarm is
// worse than that; critical, major, minor or warning, as its worst alarm is; stale if a
// part of it is; well.
func (r Row) Word() string {
	switch {
	case r.State == Unknown:
		return "unknown"
	case r.Severity > alarms.Warning:
		return r.Severity.String()
	case r.Severity > alarms.None:
		return alarms.Warning.String()
	case r.State == OK:
		return "well"
	}
	return "stale"
}
