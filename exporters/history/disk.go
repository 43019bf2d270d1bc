package history

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/journal"
)

// What is stored, by key:
//
//	d NAME        number of the device
//	h HOUR PART   for each device of the part: place, state, length of the reason, reason
//	v STEP PART   for each device of the part: place, measures, those of one value only, values
//	w STEP PART   the same, of the measures from the ninth on; absent: there are none
//
// A part is 256 devices of successive numbers, and the place of one is its number in that.
const (
	version  = "1"
	partSize = 256
)

// banks are the kinds of keys of measures: eight of each.
const banks, bankSize = "vw", 8

// An appended key is sorted by time.
func timeKey(kind byte, at int64, part uint32) []byte {
	key := binary.BigEndian.AppendUint64([]byte{kind}, uint64(at)+1<<63)
	return binary.BigEndian.AppendUint32(key, part)
}

// parseKey takes a key apart that timeKey made.
func parseKey(key []byte) (kind byte, at int64, part uint32, ok bool) {
	if len(key) != 13 {
		return 0, 0, 0, false
	}
	return key[0], int64(binary.BigEndian.Uint64(key[1:]) - 1<<63), binary.BigEndian.Uint32(key[9:]), true
}

// A batch is what is to be stored, in one transaction.
type batch struct {
	values map[string][]byte
	remove []journal.Range
	oldest int64             // step in it
	hours  map[*days][]int64 // that are in it
	named  []*device         // whose numbers are in it
}

// gather returns what has changed since the last time, and takes it as stored. With open,
// the step that is not over yet is in it. What has aged out is forgotten.
func (s *Store) gather(now time.Time, open bool) batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	step, hour := stepOf(now), hourOf(now)
	until := step - 1 // last step to be stored
	if open {
		until = step
	}
	b := batch{values: make(map[string][]byte), hours: make(map[*days][]int64), oldest: step}
	s.forget(now, &b)
	for part, list := range s.parts(&b) {
		from, hours := until+1, []int64(nil)
		for _, d := range list {
			for _, r := range d.rings {
				if r != nil {
					r.advance(max(step, r.newest))
					from = min(from, max(r.saved+1, step-points+1))
					r.saved = max(r.saved, min(until, step-1))
				}
			}
			if d.days != nil && len(d.days.unsaved) > 0 {
				hours = append(hours, d.days.unsaved...)
				b.hours[d.days], d.days.unsaved = d.days.unsaved, nil
			}
		}
		for at := from; at <= until; at++ {
			for bank := range banks {
				if stored := pointsOf(list, at, bank); bank == 0 || len(stored) > 0 {
					b.values[string(timeKey(banks[bank], at, part))] = stored
				}
			}
		}
		b.oldest = min(b.oldest, from)
		slices.Sort(hours)
		for _, h := range slices.Compact(hours) {
			b.values[string(timeKey('h', h, part))] = hoursOf(list, h)
		}
	}
	if len(b.values)+len(b.remove) == 0 {
		return b
	}
	for kind, kept := range map[byte][2]int64{'v': {step - points + 1, step + 1}, 'w': {step - points + 1, step + 1}, 'h': {hour - Hours + 1, hour + 1}} {
		b.remove = append(b.remove, journal.Range{From: []byte{kind}, To: timeKey(kind, kept[0], 0)}, journal.Range{From: timeKey(kind, kept[1]+1, 0), To: []byte{kind + 1}})
	}
	return b
}

// parts returns all devices by the part that they are in, and adds to b the numbers that
// are not stored yet.
func (s *Store) parts(b *batch) map[uint32][]*device {
	parts := make(map[uint32][]*device)
	for name, d := range s.devices {
		if !d.named {
			d.named, b.named = true, append(b.named, d)
			b.values["d"+name] = binary.BigEndian.AppendUint32(nil, d.number)
		}
		parts[d.number/partSize] = append(parts[d.number/partSize], d)
	}
	return parts
}

// forget removes what nothing was added to for as long as it is kept.
func (s *Store) forget(now time.Time, b *batch) {
	for name, d := range s.devices {
		for i, r := range d.rings {
			if r != nil && stepOf(now)-r.known >= 2*points {
				d.rings[i] = nil
			}
		}
		if d.days != nil && hourOf(now)-d.days.newest >= Hours {
			d.days = nil
		}
		if d.days == nil && d.rings == [len(measures)]*ring{} && now.Sub(d.counts.now.At) > Span {
			delete(s.devices, name)
			delete(s.numbered, d.number)
			s.free = min(s.free, d.number)
			b.remove = append(b.remove, journal.Range{From: []byte("d" + name), To: []byte("d" + name + "\x00")})
		}
	}
}

// restore has what was not stored stored the next time.
func (s *Store) restore(b batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		for _, r := range d.rings {
			if r != nil {
				r.saved = min(r.saved, b.oldest-1)
			}
		}
	}
	for _, d := range b.named {
		d.named = false
	}
	for d, hours := range b.hours {
		d.unsaved = append(d.unsaved, hours...)
	}
}

// pointsOf returns what is stored of a step of devices, of a bank of their measures.
func pointsOf(list []*device, step int64, bank int) (out []byte) {
	for _, d := range list {
		var known, flat byte
		var values []byte
		for i, r := range d.rings[bank*bankSize : min((bank+1)*bankSize, len(d.rings))] {
			if r == nil || r.point(step) == nothing {
				continue
			}
			p := r.point(step)
			known |= 1 << i
			values = binary.BigEndian.AppendUint16(values, p.median)
			if p.min == p.median && p.max == p.median {
				flat |= 1 << i
				continue
			}
			values = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(values, p.min), p.max)
		}
		if known != 0 {
			out = append(append(out, byte(d.number%partSize), known, flat), values...)
		}
	}
	return out
}

// takePoints takes what pointsOf made.
func (s *Store) takePoints(step int64, part uint32, bank int, stored []byte) bool {
	for len(stored) >= 3 {
		d, known, flat := s.numbered[part*partSize+uint32(stored[0])], stored[1], stored[2]
		stored = stored[3:]
		for i := range min(bankSize, len(measures)-bank*bankSize) {
			if known>>i&1 == 0 {
				continue
			}
			n := 6
			if flat>>i&1 == 1 {
				n = 2
			}
			if len(stored) < n {
				return false
			}
			median := binary.BigEndian.Uint16(stored)
			p := point{median, median, median}
			if n == 6 {
				p.min, p.max = binary.BigEndian.Uint16(stored[2:]), binary.BigEndian.Uint16(stored[4:])
			}
			stored = stored[n:]
			if d != nil {
				d.take(bank*bankSize+i, step, p)
			}
		}
	}
	return len(stored) == 0
}

// take takes a stored point.
func (d *device) take(measure int, step int64, p point) {
	if d.rings[measure] == nil {
		d.rings[measure] = newRing(step)
	}
	r := d.rings[measure]
	r.advance(step)
	*r.at(step), r.saved, r.known = p, step, step
}

// hoursOf returns what is stored of an hour of devices.
func hoursOf(list []*device, hour int64) (out []byte) {
	for _, d := range list {
		if d.days == nil {
			continue
		}
		if state, reason := d.days.of(hour); state != "" {
			out = append(out, byte(d.number%partSize), byte(slices.Index(states, state)), byte(len(reason)))
			out = append(out, reason...)
		}
	}
	return out
}

// takeHours takes what hoursOf made.
func (s *Store) takeHours(hour int64, part uint32, stored []byte) bool {
	for len(stored) >= 3 {
		d, state, n := s.numbered[part*partSize+uint32(stored[0])], int(stored[1]), 3+int(stored[2])
		if n > len(stored) || state >= len(states) {
			return false
		}
		if d != nil {
			if d.days == nil {
				d.days = newDays(hour)
			}
			d.days.note(hour, states[state], string(stored[3:n]))
			d.days.unsaved = nil
		}
		stored = stored[n:]
	}
	return len(stored) == 0
}

// load takes one stored value. What is in the future at now is not taken: the clock went
// back.
func (s *Store) load(key, value []byte, now time.Time) bool {
	if len(key) > 1 && key[0] == 'd' && len(value) == 4 {
		name, n := string(key[1:]), binary.BigEndian.Uint32(value)
		if s.numbered[n] != nil {
			return false
		}
		s.numbered[n] = &device{number: n, named: true}
		s.devices[name] = s.numbered[n]
		return true
	}
	kind, at, part, ok := parseKey(key)
	switch bank := strings.IndexByte(banks, kind); {
	case ok && bank >= 0:
		return at > stepOf(now) || s.takePoints(at, part, bank, value)
	case ok && kind == 'h':
		return at > hourOf(now) || s.takeHours(at, part, value)
	}
	return false
}
