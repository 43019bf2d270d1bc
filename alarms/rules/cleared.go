package rules

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// HowCleared says in words what clears an alarm of a group.
func HowCleared(group string) string {
	return howCleared(group, func(code string) bool { return ofGroup(code, group) })
}

// howCleared says what clears an alarm of a group by one of its codes.
func howCleared(group string, isCode func(string) bool) string {
	var ways []string
	for _, c := range alarms.Catalogue() {
		if c.Kind == alarms.Clear && slices.ContainsFunc(c.Clears, isCode) {
			ways = append(ways, "ALM"+c.Code+" in the log")
		}
	}
	if slices.ContainsFunc(firmwareStopped, isCode) {
		ways = append(ways, "a line of the running firmware (ALM2xxx) in the log")
	}
	g := alarms.GroupNamed(group)
	if g.ClearedBy.Since != nil {
		ways = append(ways, g.ClearedBy.Words)
	}
	if Polled(group) || g.Self {
		ways = append(ways, "a poll that finds it good again")
	}
	if words := endsBesides[group]; words != "" {
		ways = append(ways, words)
	}
	if g.Ages {
		ways = append(ways, "time, for a one-off event (event_age)")
	}
	if len(ways) == 0 {
		return "nothing that is read: use lunawatch alarms clear once it is repaired."
	}
	return strings.Join(ways, "; or ") + "."
}

// endsBesides has what else clears alarms of a group: lines without a code, and
// trends.
var endsBesides = map[string]string{
	"appliance-fan":    "a sensor's line in the log that is good",
	"motherboard":      "a sensor's line in the log that is good",
	"power-supply":     "its line in the log that the failure is gone",
	"ntls-log":         "NTLS online again in the log",
	"ntls-certificate": "a new certificate in the log",
	"forecast":         "a trend that no longer leads to the limit in time, or a value past the limit, which has an alarm of its own",
}

func ofGroup(code, group string) bool {
	c, known := alarms.CodeNamed(code)
	return known && c.Group == group
}

// HowCodeCleared says in words what clears the alarm of a code.
func HowCodeCleared(c alarms.Code) string {
	if c.Kind == alarms.Event {
		return "time: it is a one-off event (event_age)."
	}
	return howCleared(c.Group, func(code string) bool { return code == c.Code })
}

// Polled reports whether polls raise alarms of a group.
func Polled(group string) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Group == group })
}
