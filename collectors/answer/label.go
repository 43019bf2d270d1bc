package answer

import (
	"strings"
)

// LabelBefore returns where the longest label begins that ends text and that
// does not stand within a word; 0 if there is none.
func (s Sheet[T]) LabelBefore(text string) int {
	text = strings.TrimRight(text, " \t")
	longest := 0
	for name := range s.Labels {
		at := len(text) - len(name)
		if len(name) > longest && at >= 0 && (at == 0 || text[at-1] == ' ' || text[at-1] == '\t') && strings.EqualFold(text[at:], name) {
			longest = len(name)
		}
	}
	if longest == 0 {
		return 0
	}
	return len(text) - longest
}

// Labels are the "Label:  value" lines of an answer, by what key makes of the
// label. Each takes its value, trimmed, and reports whether it was understood.
// An empty value is offered too: the line may go on below. nil: the line is
// known and holds nothing that is kept.
type Labels[T any] map[string]func(to *T, value string) bool

// A Sheet is an answer of such lines, in any order and anywhere.
type Sheet[T any] struct {
	Labels Labels[T]
	// line reads what is not of that form: sentences, rows. It goes first.
	// nil: there is none.
	Line func(to *T, line string) bool
	// other finds the setter of a label that is not in the table, such as
	// one that begins with the name of a role. nil: there is none.
	Other func(name string) func(to *T, value string) bool
}

// brokenLabels is from how many labels without a value on an answer is taken
// to have the values on the next lines, as old HTML pages have; if they are
// also more than those with a value. Partitions of several slots can all be
// without a label.
const brokenLabels = 3

// Read reads lines into to and returns how many it understood.
func (s Sheet[T]) Read(lines []string, to *T, unread func(string)) (understood int) {
	broken := s.broken(lines)
	var pending func(*T, string) bool
	for _, line := range lines {
		if IsRule(line) {
			continue
		}
		if s.Line != nil && s.Line(to, line) {
			understood, pending = understood+1, nil
			continue
		}
		set, value, ok := s.find(line)
		switch {
		case !ok && pending != nil && pending(to, strings.TrimSpace(line)):
			understood++
			pending = nil
		case !ok:
			unread(line)
		case set == nil:
			pending = nil
			if value == "" && broken {
				pending = Ignore[T]
			}
		case set(to, value):
			understood++
			pending = nil
			if value == "" && broken {
				pending = set
			}
		case value == "" && broken:
			pending = set
		default:
			pending = nil
			unread(line)
		}
	}
	return understood
}

// Ignore is the setter of a value that is not kept.
func Ignore[T any](*T, string) bool { return true }

func (s Sheet[T]) broken(lines []string) bool {
	empty, full := 0, 0
	for _, line := range lines {
		switch set, value, ok := s.find(line); {
		case !ok || set == nil:
		case value == "":
			empty++
		default:
			full++
		}
	}
	return empty >= brokenLabels && empty > full
}

// maxLabel bounds how far into a line a label may end.
const maxLabel = 120

// find returns the setter of line's label, and its value.
func (s Sheet[T]) find(line string) (set func(*T, string) bool, value string, ok bool) {
	line = strings.TrimSpace(line)
	if head, tail, colon := CutLabel(line); colon {
		name := Key(head)
		if set, known := s.Labels[name]; known {
			return set, trimValue(tail), true
		}
		if s.Other != nil {
			if set := s.Other(name); set != nil {
				return set, trimValue(tail), true
			}
		}
		return nil, "", false
	}
	return s.findBare(line)
}

// CutLabel cuts at the first colon that a blank or the end of the line follows,
// or at the first arrow, "->", as LunaCM draws behind a label.
func CutLabel(line string) (head, tail string, ok bool) {
	head = line[:min(len(line), maxLabel)]
	for i := 0; i < len(head); i++ {
		switch {
		case head[i] == ':' && (i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t'):
			return head[:i], line[i+1:], true
		case head[i] == '-' && strings.HasPrefix(line[i:], "->"):
			return head[:i], line[i+2:], true
		}
	}
	return line, "", false
}

// findBare finds a label that lost its colon: "Firmware   6.2.1".
func (s Sheet[T]) findBare(line string) (set func(*T, string) bool, value string, ok bool) {
	longest := 0
	for name, setter := range s.Labels {
		rest, fits := CutPrefixFold(line, name)
		if !fits || len(name) <= longest || rest != "" && rest[0] != ' ' && rest[0] != '\t' || rest == "" && setter != nil {
			continue
		}
		longest, set, value, ok = len(name), setter, trimValue(rest), true
	}
	return set, value, ok
}

// trimValue trims a value and the arrow that vendor texts draw behind some.
func trimValue(value string) string {
	if i := strings.Index(value, "<<="); i >= 0 {
		value = value[:i]
	}
	return strings.TrimSpace(value)
}
