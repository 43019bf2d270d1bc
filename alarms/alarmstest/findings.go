package alarmstest

import (
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
)

// Raising returns a finding at a second that raises a/stm.
func Raising(second int, s alarms.Severity) []alarms.Finding {
	text := fmt.Sprintf("%s at %d", s, second)
	return []alarms.Finding{{Key: alarms.Key{Device: "a", Group: "stm"}, Condition: alarms.Bad, Severity: s, Text: text, Evidence: alarms.Evidence{At: At(second), Text: text}}}
}

// Clearing returns a finding at a second that clears a/stm.
func Clearing(second int) []alarms.Finding {
	return []alarms.Finding{{Key: alarms.Key{Device: "a", Group: "stm"}, Evidence: alarms.Evidence{At: At(second), Text: "good"}}}
}

// Coded returns a finding at a second from an ALM code of four digits.
func Coded(second int, code string) []alarms.Finding {
	c, ok := alarms.CodeNamed(code)
	if !ok {
		panic(code)
	}
	f := alarms.Finding{Key: alarms.Key{Device: "a", Group: c.Group}, Condition: alarms.Bad, Severity: c.Severity, Code: code, Text: c.Text,
		Clears: c.Clears, Evidence: alarms.Evidence{At: At(second), Text: c.Text}}
	if c.Kind == alarms.Clear {
		f.Condition = alarms.Good
	}
	return []alarms.Finding{f}
}

// Join returns the findings of all lists.
func Join(lists ...[]alarms.Finding) (all []alarms.Finding) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
