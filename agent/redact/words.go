package redact

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lunawatch/lunawatch/collectors/answer"
)

// vocabularyText has the words of the vendor's commands, logs, alarms and documents,
// and of the operating system below them, a line for each, in lower case.
//
//go:embed vocabulary.txt
var vocabularyText string

var vocabulary = sync.OnceValue(func() map[string]bool {
	return maps.Collect(func(yield func(string, bool) bool) {
		for w := range strings.FieldsSeq(vocabularyText) {
			if !yield(w, true) {
				return
			}
		}
	})
})

var (
	word  = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+`)
	code  = regexp.MustCompile(`^0x[0-9a-f]{1,8}$`)
	units = []string{"s", "ms", "us", "ns", "m", "h", "d", "b", "k", "kb", "mb", "gb", "tb", "v", "w", "c", "g", "hz", "khz", "mhz", "ghz", "rpm"}
)

// longestNumber is how many digits of a number in prose stay: more may be a serial
// number.
const longestNumber = 4

// known reports whether a word is the product's and names nothing. numbers: whatever
// their length.
func known(w string, numbers bool) bool {
	w = strings.ToLower(w)
	parts := part.FindAllString(w, -1)
	switch {
	case answer.IsDigits(w):
		return numbers || len(w) <= longestNumber
	case len(w) < shortest, code.MatchString(w), vocabulary()[w]:
		return true
	case len(parts) == 2 && answer.IsDigits(parts[0]) && slices.Contains(units, parts[1]): // 35C
		return len(parts[0]) <= longestNumber
	}
	for _, p := range parts { // ALM2012, VirtualToken00Members
		if answer.IsDigits(p) && len(p) > longestNumber || !answer.IsDigits(p) && !vocabulary()[p] {
			return false
		}
	}
	return true
}

// part is a run of digits or of anything else in a word.
var part = regexp.MustCompile(`[0-9]+|[^0-9]+`)
