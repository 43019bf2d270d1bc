package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// stateLabel is a label of a state, at which an unread line has a word that no
// parser knows.
var stateLabel = regexp.MustCompile(`(?i)(^|\s)(status|state|tamper|locked out|activated|zeroized|attempts left|transport mode)\s*(:|->)\s*\S`)

// unknownState warns of a state in a word that no parser knows: it may be good
// or bad. The label is known, so that other new lines of a version are not
// meant.
var unknownState = Rule{"unknown-state", func(p Poll, emit func(Result)) {
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		s := p.Sources[name]
		if s.Failure != hsm.None || s.At.IsZero() {
			continue
		}
		var lines []string
		for _, line := range s.Unread {
			if stateLabel.MatchString(line) {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
		}
		if len(lines) > 0 {
			emit(bad(alarms.Indeterminate, s.At, "%s says what Lunawatch does not know: %s", name, alarms.Clip(strings.Join(lines, "; "))).on(name))
			continue
		}
		emit(good(s.At, "%s says nothing unknown of a state", name).on(name))
	}
}}
