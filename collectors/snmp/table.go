package snmp

import (
	"slices"
	"strconv"

	"github.com/lunawatch/lunawatch/collectors/answer"
)

// A table is a conceptual table, or a group of scalars, which is one row with index
// 0. Its columns set fields of an R.
type table[R any] struct {
	entry   oid
	index   [][]indexForm // forms to try, in this order; nil: scalars
	columns []column[R]
}

// A column is one columnar object. set returns false if the value is implausible. It
// is nil for an index, which is also in the instance, and for an object that is not
// stored.
type column[R any] struct {
	id   uint32
	name string
	set  func(*R, varbind) bool
}

// A tableRow is one row and its index, in which numbers are decimal digits.
type tableRow[R any] struct {
	index []string
	value R
}

// rows reads a table in r's answer. It adds what it does not understand to the unread
// objects of r.
func (t table[R]) rows(r *round) []tableRow[R] {
	var rows []tableRow[R]
	at := make(map[string]int) // index of the row of an instance; -1: not an instance of this table
	for _, v := range r.answer.under(t.entry) {
		i := slices.IndexFunc(t.columns, func(c column[R]) bool { return c.id == v.oid[len(t.entry)] })
		if i < 0 {
			r.addUnread("%s: unknown object", v.oid)
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
				r.addUnread("%s%s: no index of this table", t.columns[i].name, instance)
			}
			at[instance.String()] = n
		}
		if set := t.columns[i].set; n >= 0 && set != nil && !set(&rows[n].value, v) {
			r.addUnread("%s%s: implausible value %v", t.columns[i].name, instance, v)
		}
	}
	return rows
}

// An indexForm is one component of an index.
type indexForm int

const (
	indexNumber indexForm = iota // one sub-identifier
	indexText                    // octets, preceded by their number
)

// decode reads an instance in the first form that fits, without IMPLIED and then with
// it.
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

// decodeIndex reads an instance as an index of the given form. With implied, its last
// component is text that no length precedes (IMPLIED in RFC 2578, 7.7). The two cannot
// be confused: the characters of serial numbers and licences are 45 and above, which
// as a length is more than any of them has.
func decodeIndex(instance oid, form []indexForm, implied bool) (index []string, ok bool) {
	for i, kind := range form {
		if len(instance) == 0 {
			return nil, false
		}
		var n int
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

// indexString returns the text in sub-identifiers; false if there are control
// characters among them.
func indexString(ids oid) (string, bool) {
	b := make([]byte, len(ids))
	for i, n := range ids {
		if n < ' ' || n > 255 || n == 127 {
			return "", false
		}
		b[i] = byte(n)
	}
	return answer.CleanLine(string(b)), len(b) > 0
}

// ofTheHSM returns the rows of the HSM. Rows whose index has no HSM belong to it if
// the agent serves no other.
func ofTheHSM[R any](r *round, rows []tableRow[R]) []tableRow[R] {
	return slices.DeleteFunc(rows, func(row tableRow[R]) bool {
		if len(row.index) == 1 {
			return r.serial == "" || !r.alone()
		}
		return r.serial == "" || row.index[0] != r.serial
	})
}
