package alarmstest

import (
	"fmt"

	"github.com/lunawatch/lunawatch/alarms"
)

func Raising(second int, s alarms.Severity) []alarms.Finding {
	text := fmt.Sprintf("%s at %d", s, second)
	return []alarms.Finding{{Key: alarms.Key{Device: "a", Group: "stm"}, Condition: alarms.Bad, Severity: s, Text: text, Evidence: alarms.Evidence{At: At(second), Text: text}}}
}

func Clearing(second int) []alarms.Finding {
	return []alarms.Finding{{Key: alarms.Key{Device: "a", Group: "stm"}, Evidence: alarms.Evidence{At: At(second), Text: "good"}}}
}

// Coded is a judgement by an ALM code.
func Coded(second int, code string) []alarms.Finding {
	c, ok := alarms.CodeNamed(code)
	if !ok {
		panic(code)
	}
	j := alarms.Finding{Key: alarms.Key{Device: "a", Group: c.Group}, Condition: alarms.Bad, Severity: c.Severity, Code: code, Text: c.Text,
		Clears: c.Clears, Evidence: alarms.Evidence{At: At(second), Text: c.Text}}
	if c.Kind == alarms.Clear {
		j.Condition = alarms.Good
	}
	return []alarms.Finding{j}
}

func Join(lists ...[]alarms.Finding) (all []alarms.Finding) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
