package history

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// states are the words for how an HSM is, the worst last: what is not watched may be
// anything up to a major fault, and a part that is stale is no fault yet.
var states = []string{"", "well", "stale", "warning", "minor", "unknown", "major", "critical"}

// Bounds of the reasons that are kept of one HSM.
const (
	maxReason  = 96 // bytes of one
	maxReasons = 16
)

// days are the worst states of an HSM by the hour, each in a byte: three bits are the
// state, five the place of its reason, from 1.
type days struct {
	newest  int64 // hour
	hours   []uint8
	reasons []string // "": the place is free
	unsaved []int64  // hours
}

func newDays(hour int64) *days { return &days{newest: hour, hours: make([]uint8, Hours)} }

const stateBits = 7

// note takes a state at an hour, if that is worse than what the hour had. Unknown words
// count as unknown.
func (d *days) note(hour int64, state, reason string) {
	d.advance(hour)
	h := &d.hours[slot(hour, Hours)]
	s := slices.Index(states, state)
	if s < 0 {
		s = slices.Index(states, "unknown")
	}
	if hour <= d.newest-Hours || uint8(s) <= *h&stateBits {
		return
	}
	*h = uint8(s)
	*h |= d.place(reason) << 3
	if !slices.Contains(d.unsaved, hour) {
		d.unsaved = append(d.unsaved, hour)
	}
}

// advance makes room for an hour. If the clock went back, the hours in the future are
// forgotten.
func (d *days) advance(hour int64) {
	for h := max(d.newest+1, hour-Hours+1); h <= hour; h++ {
		d.hours[slot(h, Hours)] = 0
	}
	if hour < d.newest-1 {
		for h := max(hour+1, d.newest-Hours+1); h <= d.newest; h++ {
			d.hours[slot(h, Hours)] = 0
		}
		d.newest = hour
		d.unsaved = slices.DeleteFunc(d.unsaved, func(h int64) bool { return h > hour })
	}
	d.newest = max(d.newest, hour)
	d.unsaved = slices.DeleteFunc(d.unsaved, func(h int64) bool { return h <= d.newest-Hours })
}

// place returns where a reason is kept, from 1; 0: there is none. When all places are
// taken, the reason that was not given for the longest time goes.
func (d *days) place(reason string) uint8 {
	if reason = shortened(reason); reason == "" {
		return 0
	}
	if i := slices.Index(d.reasons, reason); i >= 0 {
		return uint8(i + 1)
	}
	used := make([]int64, len(d.reasons)) // when last
	for h := d.newest - Hours + 1; h <= d.newest; h++ {
		if p := d.hours[slot(h, Hours)] >> 3; p > 0 {
			used[p-1] = h - (d.newest - Hours)
		}
	}
	free := slices.Index(used, 0)
	switch {
	case free < 0 && len(d.reasons) < maxReasons:
		d.reasons = append(d.reasons, reason)
		return uint8(len(d.reasons))
	case free < 0:
		free = slices.Index(used, slices.Min(used))
		for i, h := range d.hours {
			if h>>3 == uint8(free+1) {
				d.hours[i] = h & stateBits
			}
		}
	}
	d.reasons[free] = reason
	return uint8(free + 1)
}

// shortened returns at most maxReason bytes of valid text.
func shortened(s string) string {
	const ellipsis = "..."
	if s = strings.ToValidUTF8(s, "?"); len(s) <= maxReason {
		return s
	}
	end := maxReason - len(ellipsis)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}

// of returns the state of an hour, and its reason.
func (d *days) of(hour int64) (state, reason string) {
	if hour > d.newest || hour <= d.newest-Hours {
		return "", ""
	}
	h := d.hours[slot(hour, Hours)]
	if p := h >> 3; p > 0 {
		reason = d.reasons[p-1]
	}
	return states[h&stateBits], reason
}

// until returns the hours that end with that of now, oldest first.
func (d *days) until(now time.Time) []Hour {
	list := make([]Hour, 0, Hours)
	for h := hourOf(now) - Hours + 1; h <= hourOf(now); h++ {
		state, reason := d.of(h)
		list = append(list, Hour{time.Unix(h*3600, 0).UTC(), state, reason})
	}
	return list
}
