package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// slotsRead are slots while they are parsed.
type slotsRead struct {
	list    []hsm.Slot
	current *hsm.Slot // the block being read; nil: none yet
	id      bool      // current has its number
	foreign bool      // current is from "showinfo"
	none    bool      // the host states that it has no current slot
	table   bool      // within the table of "vtl verify"
}

var slotSheet = answer.Sheet[slotsRead]{
	Line: slotLine,
	Labels: answer.Labels[slotsRead]{
		"slot id":              slotID,
		"tunnel slot id":       func(s *slotsRead, v string) bool { return answer.Whole(&s.block(false).TunnelID, v) },
		"label":                slotLabel,
		"hsm label":            slotLabel,
		"serial number":        slotSerial,
		"hsm serial number":    slotSerial,
		"model":                slotWords(func(c *hsm.Slot) *string { return &c.Model }),
		"hsm model":            slotWords(func(c *hsm.Slot) *string { return &c.Model }),
		"firmware version":     slotWords(func(c *hsm.Slot) *string { return &c.Firmware }),
		"hsm firmware version": slotWords(func(c *hsm.Slot) *string { return &c.Firmware }),
		"configuration":        slotWords(func(c *hsm.Slot) *string { return &c.Configuration }),
		"hsm configuration":    slotWords(func(c *hsm.Slot) *string { return &c.HSMConfiguration }),
		"slot description":     slotWords(func(c *hsm.Slot) *string { return &c.Description }),
		"hsm status":           slotState,
		"current slot id":      currentSlot,
		"available hsms":       nil,
		"available hsm's":      nil,

		// Of "hsm showinfo" and "partition showinfo", whose blocks also have a
		// slot number.
		"session state":           notASlot,
		"token flags":             notASlot,
		"partition label":         notASlot,
		"partition serial number": notASlot,
		"partition status":        notASlot,
		"hsm manufacturer":        notASlot,
		"so status":               notASlot,
		"user status":             notASlot,
	},
}

// SlotList is the format of the slots that LunaCM sees.
var SlotList = answer.Latest("lunacm-slot-list", "slot list", parseSlots)

// parseSlots reads the slots as printed by LunaCM "slot list" and by LunaCM when it
// starts, a block of "label -> value" for each, and the table of "vtl verify".
// Labels of HSM slots, of HA slots and of all slots of 5.x begin with "HSM".
func parseSlots(lines []string, unread func(string)) hsm.Fact {
	var s slotsRead
	lines = unwrapped(unglued(slotSheet, lines))
	if n := len(lines) - 1; n >= 0 && isConfiguration(lines[n]) {
		unread(lines[n]) // its continuation may be cut off
		lines = lines[:n]
	}
	slotSheet.Read(lines, &s, unread)
	s.finish()
	if s.list == nil && !s.none {
		return nil
	}
	return hsm.Slots{Slots: unrepeated(s.list)}
}

// unrepeated returns all without repetitions; of a slot that is printed twice, the
// last. Slots with the same number but different serial numbers are not
// repetitions: one may have moved while the list was made.
func unrepeated(all []hsm.Slot) []hsm.Slot {
	type identity struct {
		id     int64
		serial string
	}
	at := make(map[identity]int, len(all))
	list := []hsm.Slot{}
	for _, s := range all {
		id := identity{s.ID, s.Serial}
		if i, repeated := at[id]; repeated {
			list[i] = s
			continue
		}
		at[id] = len(list)
		list = append(list, s)
	}
	return list
}

// block returns the slot that a line belongs to: the current one, or a new one if
// that has already what the line states.
func (s *slotsRead) block(has bool) *hsm.Slot {
	if s.current == nil || has {
		s.finish()
		s.current = new(hsm.Slot)
	}
	return s.current
}

// finish ends the current block, and drops one without a number.
func (s *slotsRead) finish() {
	if s.current != nil && s.id && !s.foreign {
		c := *s.current
		if c.Configuration == "" {
			c.Configuration, c.HSMConfiguration = c.HSMConfiguration, ""
		}
		s.list = append(s.list, c)
	}
	s.current, s.id, s.foreign = nil, false, false
}

func slotID(s *slotsRead, v string) bool {
	var id hsm.Opt[int64]
	if !answer.Whole(&id, v) {
		return false
	}
	s.block(s.id).ID = id.Value
	s.id, s.table = true, false
	return true
}

func slotLabel(s *slotsRead, v string) bool {
	c := s.block(s.current != nil && s.current.Label.Known)
	return answer.Known(&c.Label, v, true)
}

func slotSerial(s *slotsRead, v string) bool {
	var n string
	if !answer.Serial(&n, v) {
		return false
	}
	s.block(s.current != nil && s.current.Serial != "").Serial = n
	return true
}

// slotWords returns a setter of a field of the current slot.
func slotWords(field func(*hsm.Slot) *string) func(*slotsRead, string) bool {
	return func(s *slotsRead, v string) bool {
		if answer.NotKnown(v) {
			return false
		}
		*field(s.block(s.current != nil && *field(s.current) != "")) = answer.Collapse(v)
		return true
	}
}

func slotState(s *slotsRead, v string) bool {
	if v == "" {
		return false
	}
	s.block(s.current != nil && s.current.HSMStatus != "").HSMStatus = answer.Collapse(v)
	return true
}

func notASlot(s *slotsRead, _ string) bool {
	c := s.current
	s.block(c != nil && c.Configuration+c.HSMConfiguration+c.Description != "") // which only a slot has
	s.foreign = true
	return true
}

// currentSlot reads "Current Slot Id: 3" behind the last block, and "None".
func currentSlot(s *slotsRead, v string) bool {
	if v == "" {
		return false
	}
	s.finish()
	s.none = s.none || strings.EqualFold(answer.FirstField(v), "none")
	return true
}

func slotLine(s *slotsRead, line string) bool {
	low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
	switch {
	case low == "slot serial # label":
		s.table = true
	case strings.HasPrefix(low, "the following") && strings.Contains(low, "slots/partitions"):
	case strings.HasPrefix(low, "lunacm ") && strings.Contains(low, "copyright"): // the banner
	default:
		return s.table && s.row(line)
	}
	return true
}

// row reads " 1      65091001        MyPartition".
func (s *slotsRead) row(line string) bool {
	var id hsm.Opt[int64]
	number := answer.FirstField(line)
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), number))
	var c hsm.Slot
	if !answer.Whole(&id, number) || !answer.Serial(&c.Serial, rest) {
		return false
	}
	c.ID = id.Value
	answer.Known(&c.Label, strings.TrimSpace(strings.TrimPrefix(rest, c.Serial)), true)
	s.finish()
	s.list = append(s.list, c)
	return true
}

const (
	minColumn  = 8   // least indent of a value in a column, in bytes
	maxWrapped = 500 // bytes of a value on several lines
)

func isConfiguration(line string) bool {
	head, _, ok := answer.CutLabel(line)
	return ok && strings.HasSuffix(answer.Key(head), "configuration")
}

// unwrapped joins values that continue on the next lines, aligned with their
// beginning.
func unwrapped(lines []string) []string {
	out := make([]string, 0, len(lines))
	label, column := -1, 0 // of the current value
	for _, line := range lines {
		text := strings.TrimLeft(line, " \t")
		if _, value, ok := answer.CutLabel(line); ok {
			label, column = len(out), len(line)-len(strings.TrimLeft(value, " \t"))
		} else if label >= 0 && text != "" && column >= minColumn && len(line)-len(text) == column && len(out[label]) < maxWrapped {
			out[label] += " " + text
			continue
		}
		out = append(out, line)
	}
	for len(out) > 0 && answer.IsRule(out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	return out
}

// maxGlued bounds a line that is split, in bytes.
const maxGlued = 4096

// unglued splits lines with several labels and arrows, in texts that lost their line
// ends, so that each label begins a line. One line among others with a single label
// is a name that looks like that.
func unglued[T any](s answer.Sheet[T], lines []string) []string {
	labels, glued := 0, 0
	for _, line := range lines {
		labels += min(1, strings.Count(line, "->"))
		glued += min(1, strings.Count(line, "->")/2)
	}
	if 2*glued <= labels {
		return lines
	}
	var out []string
	for _, line := range lines {
		if len(line) > maxGlued || strings.Count(line, "->") < 2 {
			out = append(out, line)
			continue
		}
		start := 0 // of the current label
		for i := 2; i < len(line); i++ {
			if line[i] != '-' || !strings.HasPrefix(line[i:], "->") {
				continue
			}
			if at := s.LabelBefore(line[start:i]); at > 0 {
				out = append(out, line[start:start+at])
				start += at
			}
		}
		out = append(out, line[start:])
	}
	return out
}
