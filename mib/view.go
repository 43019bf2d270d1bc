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
	ids     []uint32 // the sub-identifiers of all instances, in order
	encoded []byte   // their varbinds, in the same order
	ends    []end    // one per instance
}

// An end is where an instance ends in ids and encoded; the next begins there.
type end struct{ ids, encoded uint32 }

// NewView returns the View of rows, which may be in any order and are sorted in place.
// Two rows with the same OID are an error, and so is an OID that is empty or too long for SNMP.
func NewView(rows []Row) (*View, error) {
	byOID := func(a, b Row) int { return a.OID.Compare(b.OID) }
	if !slices.IsSortedFunc(rows, byOID) {
		slices.SortFunc(rows, byOID)
	}
	ids, octets := 0, 0
	for i, row := range rows {
		if len(row.OID) == 0 || len(row.OID) > agentx.MaxSubIDs {
			return nil, fmt.Errorf("instance %v has %d sub-identifiers, not 1 to %d", row.OID, len(row.OID), agentx.MaxSubIDs)
		}
		if i > 0 && row.OID.Compare(rows[i-1].OID) == 0 {
			return nil, fmt.Errorf("instance %v is there twice", row.OID)
		}
		if !row.Value.Valid() {
			return nil, fmt.Errorf("instance %v: %.200v cannot be its value", row.OID, row.Value)
		}
		ids += len(row.OID)
		octets += 24 + 4*(len(row.OID)+len(row.Value.OID)) + len(row.Value.Octets)
	}
	v := &View{
		ids:     make([]uint32, 0, ids),
		encoded: make([]byte, 0, octets),
		ends:    make([]end, 0, len(rows)),
	}
	for _, row := range rows {
		v.ids = append(v.ids, row.OID...)
		v.encoded = agentx.AppendVarbind(v.encoded, row.OID, row.Value)
		v.ends = append(v.ends, end{uint32(len(v.ids)), uint32(len(v.encoded))})
	}
	return v, nil
}

// Len returns the number of instances.
func (v *View) Len() int { return len(v.ends) }

// Get returns the encoded varbind of the instance oid.
func (v *View) Get(oid agentx.OID) (encoded []byte, ok bool) {
	i, found := v.search(oid)
	if !found {
		return nil, false
	}
	_, encoded = v.at(i)
	return encoded, true
}

// Next returns the first instance after oid, or oid itself if include is set and it exists.
func (v *View) Next(oid agentx.OID, include bool) (found agentx.OID, encoded []byte, ok bool) {
	i, exact := v.search(oid)
	if exact && !include {
		i++
	}
	if i == len(v.ends) {
		return nil, nil, false
	}
	found, encoded = v.at(i)
	return found, encoded, true
}

// All yields the instances in order, decoded.
func (v *View) All() iter.Seq2[agentx.OID, agentx.Value] {
	return func(yield func(agentx.OID, agentx.Value) bool) {
		for i := range v.ends {
			oid, encoded := v.at(i)
			vb, _, err := agentx.DecodeVarbind(encoded)
			if err != nil {
				panic(err) // encoded by NewView
			}
			if !yield(slices.Clone(oid), vb.Value) {
				return
			}
		}
	}
}

// at returns instance i; its slices cannot be appended to in place.
func (v *View) at(i int) (agentx.OID, []byte) {
	var from end
	if i > 0 {
		from = v.ends[i-1]
	}
	to := v.ends[i]
	return v.ids[from.ids:to.ids:to.ids], v.encoded[from.encoded:to.encoded:to.encoded]
}

// search returns the index of the first instance that is not before oid, and whether it is oid.
func (v *View) search(oid agentx.OID) (int, bool) {
	low, high := 0, len(v.ends)
	for low < high {
		middle := int(uint(low+high) / 2)
		at, _ := v.at(middle)
		switch at.Compare(oid) {
		case 0:
			return middle, true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}
