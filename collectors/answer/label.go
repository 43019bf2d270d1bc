package answer

import "strings"

// Labels are the setters of an answer's "Label:  value" lines, by the [Key] of the
// label. A setter gets the value, trimmed, and reports whether it was understood;
// that a value is not known ([NotKnown]) is understood without it.
// It also gets an empty value: the value may be on the next line. A nil setter
// marks a label that is known and has no value to store.
type Labels[T any] map[string]func(to *T, value string) bool

// A Sheet reads an answer of such lines, in any order, between any others.
type Sheet[T any] struct {
	Labels Labels[T]
	// Line reads lines of any other form, such as sentences and rows. It does not
	// get those of Labels, whose value may look like one. nil: there are none.
	Line func(to *T, line string) bool
	// Other returns the setter of a label that is not in Labels, such as one
	// that begins with the name of a role. nil: there are none.
	Other func(name string) func(to *T, value string) bool
}

// brokenLabels is the least number of labels without a value at which the values
// of an answer are taken to be on the next lines, as on old HTML pages. The
// labels without a value must also outnumber the others. It is not 1: the
// partitions of several slots can all have an empty label.
const brokenLabels = 3

// Read reads lines into to and returns how many it understood. It passes each
// other line to unread, but those of labels whose setter is nil.
func (s Sheet[T]) Read(lines []string, to *T, unread func(string)) (understood int) {
	broken := s.broken(lines)
	var pending func(*T, string) bool
	for _, line := range lines {
		if IsRule(line) {
			continue
		}
		set, value, ok := s.label(line)
		if !ok && s.Line != nil && s.Line(to, line) {
			understood, pending = understood+1, nil
			continue
		}
		if !ok {
			set, value, ok = s.find(line)
		}
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
		case value != "" && NotKnown(value):
			understood++
			pending = nil
		default:
			pending = nil
			unread(line)
		}
	}
	return understood
}

// broken reports whether the values are on the lines below their labels.
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

// maxLabel bounds where in a line a label may end, in bytes.
const maxLabel = 120

// label returns the setter of line's label, if it is in Labels, and its value.
func (s Sheet[T]) label(line string) (set func(*T, string) bool, value string, ok bool) {
	head, tail, ok := CutLabel(strings.TrimSpace(line))
	if !ok {
		return nil, "", false
	}
	set, ok = s.Labels[Key(head)]
	return set, strings.TrimSpace(tail), ok
}

// find is label, and finds what Other has, and labels that lost their colon.
func (s Sheet[T]) find(line string) (set func(*T, string) bool, value string, ok bool) {
	line = strings.TrimSpace(line)
	head, tail, colon := CutLabel(line)
	if !colon {
		return s.findBare(line)
	}
	if set, ok = s.Labels[Key(head)]; !ok && s.Other != nil {
		set = s.Other(Key(head))
		ok = set != nil
	}
	return set, strings.TrimSpace(tail), ok
}

// CutLabel cuts a line at the first colon before a blank or the end of the line,
// or at the first arrow, "->", which LunaCM prints behind a label.
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
		longest, set, value, ok = len(name), setter, strings.TrimSpace(rest), true
	}
	return set, value, ok
}

// LabelBefore returns the index of the longest label that text ends with and
// that begins a word; 0 if there is none.
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
