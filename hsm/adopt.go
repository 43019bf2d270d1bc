package hsm

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Adopt puts devices that another agent reads in place of those of their names, with all
// their sections as of the new Snapshot. The devices belong to the Store from then on.
// It leaves out those that are not expected, or of another kind, those that this agent has read since
// [Store.Forget] and [Store.Expect], and those of which a third agent has told something
// newer. Nothing of ours is compared with what comes: where their sources disagree, they
// have said so.
func (s *Store) Adopt(from string, devices ...*Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	latest := s.Latest()
	next := &Snapshot{Seq: latest.Seq + 1, Devices: slices.Clone(latest.Devices), serials: latest.serials}
	adopted := false
	for _, d := range devices {
		i, expected := next.index(d.Name)
		if !expected || !next.Devices[i].yields(from, d) {
			continue
		}
		d.From = from
		d.adopt(next.Seq)
		if d.Serial() != next.Devices[i].Serial() {
			next.serials = nil
		}
		next.Devices[i] = d
		adopted = true
	}
	if adopted {
		if next.serials == nil {
			next.serials = next.bySerial()
		}
		s.replace(next)
	}
}

// ReadSince returns which sources d was read from after a time, and when: as observations
// without facts, oldest first.
func (d *Device) ReadSince(since time.Time) (list []Observation) {
	for _, s := range d.sections() {
		r := s.read()
		o := Observation{Device: d.Name, Kind: d.Kind, Source: r.source, At: r.at, MaxAge: r.expires.Sub(r.at)}
		same := func(other Observation) bool { return other.Source == o.Source && other.At.Equal(o.At) }
		if r.at.After(since) && !slices.ContainsFunc(list, same) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b Observation) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Source, b.Source)) })
	return list
}

// yields reports whether d, by what an agent says, becomes other.
func (d *Device) yields(from string, other *Device) bool {
	switch {
	case d.Kind != other.Kind:
		return false
	case d.From == "":
		return len(d.Sources) == 0
	case d.From == from:
		return true
	}
	return other.asked().After(d.asked())
}

// asked returns when a source was last tried.
func (d *Device) asked() (last time.Time) {
	for _, s := range d.Sources {
		if s.At.After(last) {
			last = s.At
		}
	}
	return last
}

// adopt makes d part of the Snapshot seq.
func (d *Device) adopt(seq uint64) {
	d.Seq, d.Proven.Seq = seq, seq
	for _, s := range d.sections() {
		s.adopt(seq)
	}
}

func (s *Section[T]) adopt(seq uint64) { s.Seq = seq }

// Shift adds by to the times in d that are of the clock of the agent that read it, so that
// they are of another clock. Those that an HSM states stay.
func (d *Device) Shift(by time.Duration) {
	for _, s := range d.sections() {
		s.shift(by)
	}
	d.Sources = maps.Clone(d.Sources)
	for name, s := range d.Sources {
		shift(by, &s.At, &s.Success)
		d.Sources[name] = s
	}
	d.Probes = slices.Clone(d.Probes)
	for i := range d.Probes {
		shift(by, &d.Probes[i].At)
	}
	d.Disagreements = slices.Clone(d.Disagreements)
	for i := range d.Disagreements {
		x := &d.Disagreements[i]
		shift(by, &x.Since, &x.Stated[0].At, &x.Stated[0].Expires, &x.Stated[1].At, &x.Stated[1].Expires)
	}
	shift(by, &d.Proven.At, &d.CountedSince, &d.Elsewhere.Asked, &d.Elsewhere.Answered)
}

func (s *Section[T]) shift(by time.Duration) { shift(by, &s.At) }

// shift adds by to times, but for the zero time, which is none.
func shift(by time.Duration, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}
