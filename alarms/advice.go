package alarms

import "cmp"

// Advice returns what to do about a, for people: that of the worst code seen,
// the newest of several; that of a's group where no code has its own. What a
// poll finds as bad as one code only is what that code says.
func Advice(a Alarm) string {
	var worst Code
	for _, name := range a.Codes {
		if c, known := CodeNamed(name); known && c.Group == a.Group && c.Severity >= worst.Severity {
			worst = c
		}
	}
	if worst.Severity < a.Severity {
		worst = onlyCode(a.Group, a.Severity)
	}
	return cmp.Or(worst.Action, GroupNamed(a.Group).Action)
}

// onlyCode returns the code of a group that alone has a severity.
func onlyCode(group string, s Severity) (only Code) {
	for _, c := range catalogue {
		if c.Group != group || c.Severity != s {
			continue
		}
		if only.Code != "" {
			return Code{}
		}
		only = c
	}
	return only
}
