package mib

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Builder makes one View after another, and encodes only what has changed since the
// one before. The zero Builder is ready.
type Builder struct {
	seen    map[string]seenDevice // by name
	kept    []keep                // by table
	scratch block
}

// A seenDevice is what the last View was made from.
type seenDevice struct {
	*hsm.Device
	until time.Time // when something of it becomes stale; zero: never
	index agentx.OID
}

// A keep is the encoded parts of a table by their names.
type keep map[string]encoded

// An encoded part is a block that has its columns one after another.
type encoded struct {
	stamp   []any
	block   *block
	columns []uint32 // the end of each in block
	lacking error
}

// A part is rows of a table that are encoded together. No index of another part is
// between theirs.
type part[R any] struct {
	name      string
	unchanged bool         // as in the last View
	stamp     func() []any // of what the rows show: equal stamps, equal rows; nil: always encode
	rows      iter.Seq2[agentx.OID, R]
}

// Build returns the View of src with a new [Builder].
func Build(src Source) (*View, error) { return new(Builder).Build(src) }

// Build returns the View of src. The error names what the View lacks.
func (b *Builder) Build(src Source) (*View, error) {
	if b.kept == nil {
		b.kept = make([]keep, len(tables))
	}
	view := &View{}
	src.hsms, view.until = b.devices(src)
	view.segments = make([]segment, 0, len(tables)*(len(src.hsms)+1))
	var lacking []error
	for i, t := range tables {
		var err error
		b.kept[i], err = t.append(view, b, b.kept[i], src)
		lacking = append(lacking, err)
	}
	return view, errors.Join(lacking...)
}

// devices returns the HSMs whose serial number is known, in the order of their indexes,
// and when something of a device becomes stale; zero: never. Of several HSMs with the same
// serial number, which is an alarm, it returns the first: the tables would mix them.
func (b *Builder) devices(src Source) (hsms []device, until time.Time) {
	seen := make(map[string]seenDevice, len(b.seen))
	serials := map[string]bool{"": true}
	for _, d := range src.Snapshot.Devices {
		s := b.seen[d.Name]
		unchanged := s.Device == d && (s.until.IsZero() || !src.Now.After(s.until))
		if !unchanged {
			s = seenDevice{d, d.NextExpiry(src.Now), text(nil, d.Serial())}
		}
		seen[d.Name] = s
		if !s.until.IsZero() && (until.IsZero() || s.until.Before(until)) {
			until = s.until
		}
		if serial := d.Serial(); !serials[serial] && d.Kind != hsm.HostMachine {
			serials[serial] = true
			hsms = append(hsms, device{d, &src, s.index, unchanged})
		}
	}
	b.seen = seen
	slices.SortFunc(hsms, func(a, b device) int { return a.index.Compare(b.index) })
	return hsms, until
}

// append appends the parts of t to a View, and returns them encoded.
func (t table[R]) append(v *View, b *Builder, before keep, src Source) (keep, error) {
	now := make(keep, len(before))
	var parts []encoded
	var lacking error
	for p := range t.parts(src) {
		e, known := before[p.name]
		if !known || !p.unchanged {
			var stamp []any
			if p.stamp != nil {
				stamp = p.stamp()
			}
			if !known || p.stamp == nil || !slices.Equal(e.stamp, stamp) {
				e = t.encode(&b.scratch, p.rows)
				e.stamp = stamp
			}
		}
		now[p.name] = e
		if lacking == nil {
			lacking = e.lacking
		}
		if len(e.block.cells) > 0 {
			parts = append(parts, e)
		}
	}
	for c, column := range t.columns {
		oid := t.entry.Append(column.id)
		for _, e := range parts {
			from := uint32(0)
			if c > 0 {
				from = e.columns[c-1]
			}
			if to := e.columns[c]; from < to {
				v.segments = append(v.segments, segment{e.block, oid, from, to})
				v.len += int(to - from)
			}
		}
	}
	return now, lacking
}

// encode skips a row whose index is there already, because two sources can state the
// same, and one whose index is too long for SNMP, or whose value is.
func (t table[R]) encode(scratch *block, rows iter.Seq2[agentx.OID, R]) (e encoded) {
	type indexed struct {
		index agentx.OID
		row   R
	}
	var list []indexed
	for index, row := range rows {
		switch {
		case len(t.entry)+1+len(index) <= agentx.MaxSubIDs:
			list = append(list, indexed{index, row})
		case e.lacking == nil:
			e.lacking = fmt.Errorf("%s: no row for %q: its index is longer than the %d sub-identifiers of an OID",
				t.columns[0].name, printable(index[1:min(len(index), 41)]), agentx.MaxSubIDs)
		}
	}
	slices.SortStableFunc(list, func(a, b indexed) int { return a.index.Compare(b.index) })
	list = slices.CompactFunc(list, func(a, b indexed) bool { return a.index.Compare(b.index) == 0 })
	scratch.reset()
	for _, r := range list {
		scratch.addRow(r.index)
	}
	for _, c := range t.columns {
		oid := t.entry.Append(c.id)
		for row, r := range list {
			v := c.value(r.row)
			if v.Type == 0 {
				continue
			}
			if err := scratch.add(oid, uint32(row), v); err != nil && e.lacking == nil {
				e.lacking = fmt.Errorf("%s: %w", c.name, err)
			}
		}
		e.columns = append(e.columns, uint32(len(scratch.cells)))
	}
	e.block = scratch.clone()
	return e
}

// all is the only part of a table, encoded for each View.
func all[R any](rows func(Source) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[part[R]] {
	return func(src Source) iter.Seq[part[R]] {
		return func(yield func(part[R]) bool) { yield(part[R]{rows: rows(src)}) }
	}
}

// byHSM makes a part of each HSM. reads is the stamp of what its rows show.
func byHSM[R any](reads func(device) []any, rows func(device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[part[R]] {
	return func(src Source) iter.Seq[part[R]] {
		return func(yield func(part[R]) bool) {
			for _, d := range src.hsms {
				if !yield(part[R]{d.Name, d.unchanged, func() []any { return append(reads(d), d.Serial()) }, rows(d)}) {
					return
				}
			}
		}
	}
}

// ofHSMs makes one part of the rows of all HSMs, for a table whose index does not begin
// with the HSM. reads is the stamp of what the rows of one show.
func ofHSMs[R any](reads func(device) []any, rows func(device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[part[R]] {
	return func(src Source) iter.Seq[part[R]] {
		return func(yield func(part[R]) bool) {
			yield(part[R]{stamp: func() (stamp []any) {
				for _, d := range src.hsms {
					stamp = append(append(stamp, d.Serial()), reads(d)...)
				}
				return stamp
			}, rows: func(yield func(agentx.OID, R) bool) {
				for _, d := range src.hsms {
					for index, row := range rows(d) {
						if !yield(index, row) {
							return
						}
					}
				}
			}})
		}
	}
}

// byAlarm makes parts of some alarms each, which follow one another. Equal pointers are
// equal alarms. rows yields the rows of one.
func byAlarm[R any](list func(Alarms) []*Alarm, index func(Alarm) agentx.OID, rows func(Alarms, Alarm, func(agentx.OID, R) bool) bool) func(Source) iter.Seq[part[R]] {
	return func(src Source) iter.Seq[part[R]] {
		return func(yield func(part[R]) bool) {
			if src.Alarms == nil {
				return
			}
			for some := range runs(list(*src.Alarms), index) {
				p := part[R]{name: strconv.FormatUint(some[0].Number, 10), rows: func(yield func(agentx.OID, R) bool) {
					for _, a := range some {
						if !rows(*src.Alarms, *a, yield) {
							return
						}
					}
				}}
				p.stamp = func() []any {
					stamp := make([]any, len(some))
					for i, a := range some {
						stamp[i] = a
					}
					return stamp
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}

// together is how many numbers of alarms one part has.
const together = 64

// runs cuts alarms, in the order of their indexes, where their numbers say: one that
// comes or goes changes only the part that it is in.
func runs(list []*Alarm, index func(Alarm) agentx.OID) iter.Seq[[]*Alarm] {
	type indexed struct {
		index agentx.OID
		alarm *Alarm
	}
	sorted := make([]indexed, len(list))
	for i, a := range list {
		sorted[i] = indexed{index(*a), a}
	}
	slices.SortStableFunc(sorted, func(a, b indexed) int { return a.index.Compare(b.index) })
	ordered := make([]*Alarm, len(list))
	for i, x := range sorted {
		ordered[i] = x.alarm
	}
	return func(yield func([]*Alarm) bool) {
		for len(ordered) > 0 {
			n := 1
			for n < len(ordered) && ordered[n].Number/together == ordered[0].Number/together {
				n++
			}
			if !yield(ordered[:n:n]) {
				return
			}
			ordered = ordered[n:]
		}
	}
}

// A reading is which value of a section a row shows.
type reading struct {
	seq   uint64
	fresh bool
}

func stampOf[T any](d device, s hsm.Section[T]) any { return reading{s.Seq, s.Fresh(d.src.Now)} }
