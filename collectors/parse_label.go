package collectors

import "strings"

// labels are the "Label:  value" lines of an answer, by what key makes of the
// label. Each takes its value, trimmed, and reports whether it was understood.
// An empty value is offered too: the line may go on below. nil: the line is
// known and holds nothing that is kept.
type labels[T any] map[string]func(to *T, value string) bool

// A sheet is an answer of such lines, in any order and anywhere.
type sheet[T any] struct {
	labels labels[T]
	// line reads what is not of that form: sentences, rows. It goes first.
	// nil: there is none.
	line func(to *T, line string) bool
	// other finds the setter of a label that is not in the table, such as
	// one that begins with the name of a role. nil: there is none.
	other func(name string) func(to *T, value string) bool
}

// brokenLabels is from how many labels without a value on an answer is taken
// to have the values on the next lines, as old HTML pages have; if they are
// also more than those with a value. Partitions of several slots can all be
// without a label.
const brokenLabels = 3

// read reads lines into to and returns how many it understood.
func (s sheet[T]) read(lines []string, to *T, unread func(string)) (understood int) {
	broken := s.broken(lines)
	var pending func(*T, string) bool
	for _, line := range lines {
		if isRule(line) {
			continue
		}
		if s.line != nil && s.line(to, line) {
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
				pending = ignore[T]
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

// ignore is the setter of a value that is not kept.
func ignore[T any](*T, string) bool { return true }

func (s sheet[T]) broken(lines []string) bool {
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
func (s sheet[T]) find(line string) (set func(*T, string) bool, value string, ok bool) {
	line = strings.TrimSpace(line)
	if head, tail, colon := cutLabel(line); colon {
		name := key(head)
		if set, known := s.labels[name]; known {
			return set, trimValue(tail), true
		}
		if s.other != nil {
			if set := s.other(name); set != nil {
				return set, trimValue(tail), true
			}
		}
		return nil, "", false
	}
	return s.findBare(line)
}

// cutLabel cuts at the first colon that a blank or the end of the line follows,
// or at the first arrow, "->", as LunaCM draws behind a label.
func cutLabel(line string) (head, tail string, ok bool) {
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
func (s sheet[T]) findBare(line string) (set func(*T, string) bool, value string, ok bool) {
	longest := 0
	for name, setter := range s.labels {
		rest, fits := cutPrefixFold(line, name)
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
