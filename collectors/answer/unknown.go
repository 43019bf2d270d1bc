package answer

import (
	"slices"
	"strings"
)

// notKnown are the words that stand where a value is not known, in lower case.
var notKnown = []string{"unknown", "n/a", "na", "not available", "not applicable", "not known", "unavailable", "undefined"}

// NotKnown reports whether v stands in the place of a value that the device does
// not know. Every parser asks it: such a word is never a value. Labels and names
// are not asked about, since people choose them, nor are words of a state, which
// somebody has to see.
func NotKnown(v string) bool {
	v = strings.ToLower(Collapse(strings.Trim(Clip(v, 40), " \t<>[]().!")))
	return v == "" || strings.Trim(v, "-?") == "" || slices.Contains(notKnown, v)
}
