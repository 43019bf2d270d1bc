package snmp

import (
	"slices"
	"strconv"

	"github.com/lunawatch/lunawatch/collectors/answer"
)

// An table is a conceptual table, or a group of scalars whose only row has
// the index 0, and where its columns go.
type table[R any] struct {
	entry   oid
	index   [][]indexForm // in this order of preference; nil: scalars
	columns []column[R]
}

// An column is one columnar object. set returns false if the value cannot
// be; nil stands for an index, which the instance tells, and for what has no
// place in a snapshot.
type column[R any] struct {
	id   uint32
	name string
	set  func(*R, varbind) bool
}

// An tableRow is one row and its index, numbers as decimal digits.
type tableRow[R any] struct {
	index []string
	value R
}

// rows reads a table of r's answer. What it does not understand is left to r.
func (t table[R]) rows(r *round) []tableRow[R] {
	var rows []tableRow[R]
	at := make(map[string]int) // instance -> row; -1: its index is no index
	for _, v := range r.answer.under(t.entry) {
		i := slices.IndexFunc(t.columns, func(c column[R]) bool { return c.id == v.oid[len(t.entry)] })
		if i < 0 {
			r.leave("%s: unknown object", v.oid)
			continue
		}
		instance := v.oid[len(t.entry)+1:]
		n, known := at[instance.String()]
		if !known {
			n = -1
			if index, ok := t.decode(instance); ok {
				n = len(rows)
				rows = append(rows, tableRow[R]{index: index})
			} else {
				r.leave("%s%s: no index of this table", t.columns[i].name, instance)
			}
			at[instance.String()] = n
		}
		if set := t.columns[i].set; n >= 0 && set != nil && !set(&rows[n].value, v) {
			r.leave("%s%s: implausible value %v", t.columns[i].name, instance, v)
		}
	}
	return rows
}

func (v varbind) String() string {
	if s, ok := v.text(); ok {
		return strconv.Quote(answer.Clip(s, 60))
	}
	if n, ok := v.number(); ok {
		return strconv.FormatUint(n, 10)
	}
	return "of another type"
}

// An indexForm is one component of an index.
type indexForm int

const (
	indexNumber indexForm = iota // one sub-identifier
	indexText                    // octets, behind their number
)

func (t table[R]) decode(instance oid) ([]string, bool) {
	if t.index == nil {
		return nil, slices.Equal(instance, oid{0})
	}
	for _, implied := range []bool{false, true} {
		for _, form := range t.index {
			if index, ok := decodeIndex(instance, form, implied); ok {
				return index, true
			}
		}
	}
	return nil, false
}

// decodeIndex reads an instance as an index of that form. With implied, its
// last component is text without a length before it (IMPLIED in RFC 2578 7.7).
// The two cannot be mistaken for each other: the characters of serial numbers
// and licences are 45 and above, which is longer than any of them.
func decodeIndex(instance oid, form []indexForm, implied bool) (index []string, ok bool) {
	for i, kind := range form {
		if len(instance) == 0 {
			return nil, false
		}
		n := 1
		switch {
		case kind == indexNumber:
			index = append(index, strconv.FormatUint(uint64(instance[0]), 10))
			instance = instance[1:]
			continue
		case implied && i == len(form)-1:
			n = len(instance)
		case uint64(instance[0]) > uint64(len(instance)-1):
			return nil, false
		default:
			n, instance = int(instance[0]), instance[1:]
		}
		s, ok := indexString(instance[:n])
		if !ok {
			return nil, false
		}
		index, instance = append(index, s), instance[n:]
	}
	return index, len(instance) == 0
}

// indexString is the text of sub-identifiers; control characters are in none.
func indexString(ids oid) (string, bool) {
	b := make([]byte, len(ids))
	for i, n := range ids {
		if n < ' ' || n > 255 || n == 127 {
			return "", false
		}
		b[i] = byte(n)
	}
	return string(b), len(b) > 0
}

// ofTheHSM returns the rows of the HSM. Rows whose index has no HSM are its own if
// the agent serves no other.
func ofTheHSM[R any](r *round, rows []tableRow[R]) []tableRow[R] {
	return slices.DeleteFunc(rows, func(row tableRow[R]) bool {
		if len(row.index) == 1 {
			return r.serial == "" || !r.alone()
		}
		return r.serial == "" || row.index[0] != r.serial
	})
}
