package mib

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Row is one object instance.
type Row struct {
	OID   agentx.OID
	Value agentx.Value
}

// A View is a set of instances, sorted and encoded. It is immutable, implements [agentx.Handler],
// and may be used by any number of goroutines; it answers without allocating. The zero View is empty.
type View struct {
	segments []segment // none is empty, and all of one is before the next
	len      int
	until    time.Time
}

// Until returns when something of the View becomes stale; zero: never.
func (v *View) Until() time.Time { return v.until }

// A segment is instances of a block, all of one column.
type segment struct {
	*block
	column   agentx.OID // what their OIDs begin with; the index of their row follows
	from, to uint32
}

// A block is encoded rows. Several Views can share it.
type block struct {
	ids    []uint32 // the indexes of all rows
	rows   []uint32 // where the index of each row ends in ids
	values []byte   // of all instances, as [agentx.AppendValue] has them
	cells  []cell   // one per instance
}

// A cell is an instance: its row, and where it ends in values.
type cell struct{ row, values uint32 }

// NewView returns the View of rows, which may be in any order and are sorted in place.
// Two rows with the same OID are an error, and so is an OID that is empty or too long for SNMP.
func NewView(rows []Row) (*View, error) {
	byOID := func(a, b Row) int { return a.OID.Compare(b.OID) }
	if !slices.IsSortedFunc(rows, byOID) {
		slices.SortFunc(rows, byOID)
	}
	b := sized(rows)
	for i, row := range rows {
		if i > 0 && row.OID.Compare(rows[i-1].OID) == 0 {
			return nil, fmt.Errorf("instance %v is there twice", row.OID)
		}
		if err := b.add(nil, b.addRow(row.OID), row.Value); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return new(View), nil
	}
	return &View{segments: []segment{{block: b, to: uint32(len(rows))}}, len: len(rows)}, nil
}

// addRow adds a row behind the others, and returns which it is.
func (b *block) addRow(index agentx.OID) uint32 {
	b.ids = append(b.ids, index...)
	b.rows = append(b.rows, uint32(len(b.ids)))
	return uint32(len(b.rows) - 1)
}

// add adds the instance of a column and a row behind the others.
func (b *block) add(column agentx.OID, row uint32, value agentx.Value) error {
	if n := len(column) + len(b.index(row)); n == 0 || n > agentx.MaxSubIDs {
		return fmt.Errorf("instance %v has %d sub-identifiers, not 1 to %d", column.Append(b.index(row)...), n, agentx.MaxSubIDs)
	}
	if !value.Valid() {
		return fmt.Errorf("instance %v: %.200v cannot be its value", column.Append(b.index(row)...), value)
	}
	b.values = agentx.AppendValue(b.values, value)
	b.cells = append(b.cells, cell{row, uint32(len(b.values))})
	return nil
}

// sized returns a block with room for rows of one instance each.
func sized(rows []Row) *block {
	ids, octets := 0, 0
	for _, row := range rows {
		ids += len(row.OID)
		octets += 16 + 4*len(row.Value.OID) + len(row.Value.Octets)
	}
	return &block{make([]uint32, 0, ids), make([]uint32, 0, len(rows)), make([]byte, 0, octets), make([]cell, 0, len(rows))}
}

// reset empties a block, whose memory the next instances take.
func (b *block) reset() {
	b.ids, b.rows, b.values, b.cells = b.ids[:0], b.rows[:0], b.values[:0], b.cells[:0]
}

// clone returns a block with no room for more.
func (b *block) clone() *block {
	return &block{slices.Clone(b.ids), slices.Clone(b.rows), slices.Clone(b.values), slices.Clone(b.cells)}
}

// index returns that of a row.
func (b *block) index(row uint32) agentx.OID {
	from := uint32(0)
	if row > 0 {
		from = b.rows[row-1]
	}
	return b.ids[from:b.rows[row]]
}

// value returns that of instance i; it cannot be appended to in place.
func (b *block) value(i uint32) []byte {
	from, to := uint32(0), b.cells[i].values
	if i > 0 {
		from = b.cells[i-1].values
	}
	return b.values[from:to:to]
}

// Len returns the number of instances.
func (v *View) Len() int { return v.len }

// Get returns the encoded value of the instance oid.
func (v *View) Get(oid agentx.OID) (value []byte, ok bool) {
	s, i, found := v.search(oid)
	if !found {
		return nil, false
	}
	return v.segments[s].value(i), true
}

// Next returns the first instance after oid, or oid itself if include is set and it exists. Its OID
// takes the memory of into.
func (v *View) Next(oid agentx.OID, include bool, into agentx.OID) (found agentx.OID, value []byte, ok bool) {
	s, i, exact := v.search(oid)
	if exact && !include {
		i++
	}
	if s < len(v.segments) && i == v.segments[s].to {
		if s++; s < len(v.segments) {
			i = v.segments[s].from
		}
	}
	if s == len(v.segments) {
		return nil, nil, false
	}
	return v.segments[s].oid(i, into), v.segments[s].value(i), true
}

// All yields the instances in order, decoded.
func (v *View) All() iter.Seq2[agentx.OID, agentx.Value] {
	return func(yield func(agentx.OID, agentx.Value) bool) {
		for _, s := range v.segments {
			for i := s.from; i < s.to; i++ {
				value, _ := agentx.DecodeValue(s.value(i)) // block.add encoded it
				if !yield(s.oid(i, nil), value) {
					return
				}
			}
		}
	}
}

// oid returns that of instance i in the memory of into.
func (s segment) oid(i uint32, into agentx.OID) agentx.OID {
	return append(append(into[:0], s.column...), s.index(s.cells[i].row)...)
}

// compare compares the OID of instance i with another one.
func (s segment) compare(i uint32, oid agentx.OID) int {
	n := min(len(s.column), len(oid))
	if c := s.column[:n].Compare(oid[:n]); c != 0 {
		return c
	}
	if n < len(s.column) {
		return 1
	}
	return s.index(s.cells[i].row).Compare(oid[n:])
}

// search returns the first instance that is not before oid, by its segment and its place
// there, and whether it is oid. The place is the end of the segment if the next one has it.
func (v *View) search(oid agentx.OID) (s int, i uint32, exact bool) {
	s, exact = slices.BinarySearchFunc(v.segments, oid, func(s segment, oid agentx.OID) int { return s.compare(s.from, oid) })
	if exact || s == 0 {
		if len(v.segments) > 0 {
			i = v.segments[s].from
		}
		return s, i, exact
	}
	s-- // it begins before oid
	i, to := v.segments[s].from, v.segments[s].to
	for i < to {
		middle := i + (to-i)/2
		switch v.segments[s].compare(middle, oid) {
		case 0:
			return s, middle, true
		case -1:
			i = middle + 1
		default:
			to = middle
		}
	}
	return s, i, false
}
