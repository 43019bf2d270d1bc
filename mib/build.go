package mib

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Builder makes one View after another, and encodes only what has changed since the
// one before. [Tables.Builder] returns one.
type Builder struct {
	tables  Tables
	seen    map[string]seenDevice // by name
	kept    []keep                // by table
	scratch block
}

// A seenDevice is what the last View was made from.
type seenDevice struct {
	*hsm.Device
	condition *Condition
	until     time.Time // when something of it becomes stale; zero: never
	index     agentx.OID
	named     agentx.OID
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

// A Part is rows of a table that are encoded together. No index of another part is
// between theirs.
type Part[R any] struct {
	Name      string
	Unchanged bool         // as in the last View
	Stamp     func() []any // of what the rows show: equal stamps, equal rows; nil: always encode
	Rows      iter.Seq2[agentx.OID, R]
}

// Build returns the View of src. The error names what the View lacks.
func (b *Builder) Build(src Source) (*View, error) {
	view := &View{}
	view.until = b.devices(&src)
	view.segments = make([]segment, 0, len(b.tables)*(len(src.hsms)+1))
	var lacking []error
	for i, t := range b.tables {
		var err error
		b.kept[i], err = t.append(view, b, b.kept[i], src)
		lacking = append(lacking, err)
	}
	return view, errors.Join(lacking...)
}

// A Device is a device as it is in a table, below its index there.
type Device struct {
	*hsm.Device
	Condition *Condition // nil: not known
	Source    *Source
	Index     agentx.OID // its serial number, or its name
	Unchanged bool       // since the last View
}

// devices lists the HSMs whose serial number is known, and all devices by their names, in
// the order of their indexes. It returns when something of a device becomes stale; zero:
// never. Of several HSMs with the same serial number, which is an alarm, it lists the
// first: the tables would mix them.
func (b *Builder) devices(src *Source) (until time.Time) {
	seen := make(map[string]seenDevice, len(b.seen))
	serials := map[string]bool{"": true}
	for _, d := range src.Snapshot.Devices {
		s, condition := b.seen[d.Name], src.Conditions[d.Name]
		unchanged := s.Device == d && s.condition == condition && (s.until.IsZero() || !src.Now.After(s.until))
		if !unchanged {
			s = seenDevice{d, condition, d.NextExpiry(src.Now), Text(nil, d.Serial()), Text(nil, d.Name)}
		}
		seen[d.Name] = s
		if !s.until.IsZero() && (until.IsZero() || s.until.Before(until)) {
			until = s.until
		}
		if serial := d.Serial(); !serials[serial] && d.Kind != hsm.HostMachine {
			serials[serial] = true
			src.hsms = append(src.hsms, Device{d, condition, src, s.index, unchanged})
		}
		if condition != nil {
			src.devices = append(src.devices, Device{d, condition, src, s.named, unchanged})
		}
	}
	b.seen = seen
	byIndex := func(a, b Device) int { return a.Index.Compare(b.Index) }
	slices.SortFunc(src.hsms, byIndex)
	slices.SortFunc(src.devices, byIndex)
	return until
}

// append appends the parts of t to a View, and returns them encoded.
func (t Table[R]) append(v *View, b *Builder, before keep, src Source) (keep, error) {
	now := make(keep, len(before))
	var parts []encoded
	var lacking error
	for p := range t.Parts(src) {
		e, known := before[p.Name]
		if !known || !p.Unchanged {
			var stamp []any
			if p.Stamp != nil {
				stamp = p.Stamp()
			}
			if !known || p.Stamp == nil || !slices.Equal(e.stamp, stamp) {
				e = t.encode(&b.scratch, p.Rows)
				e.stamp = stamp
			}
		}
		now[p.Name] = e
		if lacking == nil {
			lacking = e.lacking
		}
		if len(e.block.cells) > 0 {
			parts = append(parts, e)
		}
	}
	for c, column := range t.Columns {
		oid := t.Entry.Append(column.ID)
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
func (t Table[R]) encode(scratch *block, rows iter.Seq2[agentx.OID, R]) (e encoded) {
	type indexed struct {
		index agentx.OID
		row   R
	}
	var list []indexed
	for index, row := range rows {
		switch {
		case len(t.Entry)+1+len(index) <= agentx.MaxSubIDs:
			list = append(list, indexed{index, row})
		case e.lacking == nil:
			e.lacking = fmt.Errorf("%s: no row for %q: its index is longer than the %d sub-identifiers of an OID",
				t.Columns[0].Name, printable(index[1:min(len(index), 41)]), agentx.MaxSubIDs)
		}
	}
	slices.SortStableFunc(list, func(a, b indexed) int { return a.index.Compare(b.index) })
	list = slices.CompactFunc(list, func(a, b indexed) bool { return a.index.Compare(b.index) == 0 })
	scratch.reset()
	for _, r := range list {
		scratch.addRow(r.index)
	}
	for _, c := range t.Columns {
		oid := t.Entry.Append(c.ID)
		for row, r := range list {
			v := c.Value(r.row)
			if v.Type == 0 {
				continue
			}
			if err := scratch.add(oid, uint32(row), v); err != nil && e.lacking == nil {
				e.lacking = fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		e.columns = append(e.columns, uint32(len(scratch.cells)))
	}
	e.block = scratch.clone()
	return e
}

// All is the only part of a table, encoded for each View.
func All[R any](rows func(Source) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[Part[R]] {
	return func(src Source) iter.Seq[Part[R]] {
		return func(yield func(Part[R]) bool) { yield(Part[R]{Rows: rows(src)}) }
	}
}

// ByHSM makes a part of each HSM. reads is the stamp of what its rows show.
func ByHSM[R any](reads func(Device) []any, rows func(Device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[Part[R]] {
	return byEach(func(src Source) []Device { return src.hsms }, reads, rows)
}

// ByDevice is ByHSM for tables whose index begins with the name of a device: of each that
// has a Condition, also one that was never read.
func ByDevice[R any](reads func(Device) []any, rows func(Device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[Part[R]] {
	return byEach(func(src Source) []Device { return src.devices }, reads, rows)
}

func byEach[R any](devices func(Source) []Device, reads func(Device) []any, rows func(Device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[Part[R]] {
	return func(src Source) iter.Seq[Part[R]] {
		return func(yield func(Part[R]) bool) {
			for _, d := range devices(src) {
				if !yield(Part[R]{d.Name, d.Unchanged, func() []any { return append(reads(d), d.Serial()) }, rows(d)}) {
					return
				}
			}
		}
	}
}

// OfHSMs makes one part of the rows of all HSMs, for a table whose index does not begin
// with the HSM. reads is the stamp of what the rows of one show.
func OfHSMs[R any](reads func(Device) []any, rows func(Device) iter.Seq2[agentx.OID, R]) func(Source) iter.Seq[Part[R]] {
	return func(src Source) iter.Seq[Part[R]] {
		return func(yield func(Part[R]) bool) {
			yield(Part[R]{Stamp: func() (stamp []any) {
				for _, d := range src.hsms {
					stamp = append(append(stamp, d.Serial()), reads(d)...)
				}
				return stamp
			}, Rows: func(yield func(agentx.OID, R) bool) {
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

// A reading is which value of a section a row shows.
type reading struct {
	seq   uint64
	fresh bool
}

// StampOf returns what the stamp of a part has of a section that its rows show.
func StampOf[T any](d Device, s hsm.Section[T]) any { return reading{s.Seq, s.Fresh(d.Source.Now)} }
