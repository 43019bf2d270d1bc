package mib

import (
	"fmt"
	"iter"
	"slices"

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
}

// A segment is some instances of a block, which several Views can share.
type segment struct {
	*block
	from, to uint32
}

// A block is encoded instances.
type block struct {
	ids    []uint32 // the sub-identifiers of all instances
	values []byte   // their values, as [agentx.AppendValue] has them
	ends   []end    // one per instance
}

// An end is where an instance ends in ids and values; the next begins there.
type end struct{ ids, values uint32 }

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
		if err := b.add(row.OID, row.Value); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return new(View), nil
	}
	return &View{segments: []segment{{b, 0, uint32(len(rows))}}, len: len(rows)}, nil
}

// add adds an instance behind the others.
func (b *block) add(oid agentx.OID, value agentx.Value) error {
	if len(oid) == 0 || len(oid) > agentx.MaxSubIDs {
		return fmt.Errorf("instance %v has %d sub-identifiers, not 1 to %d", oid, len(oid), agentx.MaxSubIDs)
	}
	if !value.Valid() {
		return fmt.Errorf("instance %v: %.200v cannot be its value", oid, value)
	}
	b.ids = append(b.ids, oid...)
	b.values = agentx.AppendValue(b.values, value)
	b.ends = append(b.ends, end{uint32(len(b.ids)), uint32(len(b.values))})
	return nil
}

// sized returns a block with room for rows.
func sized(rows []Row) *block {
	ids, octets := 0, 0
	for _, row := range rows {
		ids += len(row.OID)
		octets += 16 + 4*len(row.Value.OID) + len(row.Value.Octets)
	}
	return &block{make([]uint32, 0, ids), make([]byte, 0, octets), make([]end, 0, len(rows))}
}

// reset empties a block, whose memory the next instances take.
func (b *block) reset() { b.ids, b.values, b.ends = b.ids[:0], b.values[:0], b.ends[:0] }

// clone returns a block with no room for more.
func (b *block) clone() *block {
	return &block{slices.Clone(b.ids), slices.Clone(b.values), slices.Clone(b.ends)}
}

// Len returns the number of instances.
func (v *View) Len() int { return v.len }

// Get returns the encoded value of the instance oid.
func (v *View) Get(oid agentx.OID) (value []byte, ok bool) {
	s, i, found := v.search(oid)
	if !found {
		return nil, false
	}
	_, value = v.segments[s].at(i)
	return value, true
}

// Next returns the first instance after oid, or oid itself if include is set and it exists.
func (v *View) Next(oid agentx.OID, include bool) (found agentx.OID, value []byte, ok bool) {
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
	found, value = v.segments[s].at(i)
	return found, value, true
}

// All yields the instances in order, decoded.
func (v *View) All() iter.Seq2[agentx.OID, agentx.Value] {
	return func(yield func(agentx.OID, agentx.Value) bool) {
		for _, s := range v.segments {
			for i := s.from; i < s.to; i++ {
				oid, encoded := s.at(i)
				value, _ := agentx.DecodeValue(encoded) // block.add encoded it
				if !yield(slices.Clone(oid), value) {
					return
				}
			}
		}
	}
}

// at returns instance i; its slices cannot be appended to in place.
func (b *block) at(i uint32) (agentx.OID, []byte) {
	var from end
	if i > 0 {
		from = b.ends[i-1]
	}
	to := b.ends[i]
	return b.ids[from.ids:to.ids:to.ids], b.values[from.values:to.values:to.values]
}

// search returns the first instance that is not before oid, by its segment and its place
// there, and whether it is oid. The place is the end of the segment if the next one has it.
func (v *View) search(oid agentx.OID) (s int, i uint32, exact bool) {
	s, exact = slices.BinarySearchFunc(v.segments, oid, func(s segment, oid agentx.OID) int {
		first, _ := s.at(s.from)
		return first.Compare(oid)
	})
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
		at, _ := v.segments[s].at(middle)
		switch at.Compare(oid) {
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
