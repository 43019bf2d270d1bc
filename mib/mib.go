// Package mib presents a Snapshot and alarms as objects of MIB modules. A [Table] is
// declared as a value, in the package of its module; a [Builder] makes a [View] from tables
// and a [Source]. The package knows neither the modules nor how a View is served.
package mib

import (
	"iter"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Source is the data of a View.
type Source struct {
	Snapshot *hsm.Snapshot
	Now      time.Time
	// Events are the numbers of critical and other events that were alarms, by
	// device. They are served where the HSM itself reports 0. Nil: the HSM's own
	// numbers are served unchanged.
	Events func(device string) (critical, other uint64)
	Totals map[string]uint64 // of shared counters, by object; nil: they are plain sums
	Alarms *Alarms           // nil: there are no alarm tables
	// Conditions are how all devices are, by name, and those without one in Snapshot that
	// have alarms. Nil: there are no tables that say so.
	Conditions map[string]*Condition
	// Entities are the numbers of devices and parts; nil: there are no tables of ENTITY-MIB.
	Entities *Entities

	hsms    []Device // of Snapshot, in the order of their indexes
	devices []Device // all of Snapshot that have a Condition, in the order of their names as indexes
}

// A Table is a conceptual table, or a group of scalars, whose rows are of
// type R.
type Table[R any] struct {
	Name    string // as in the MIB module; "" of a group of scalars
	Entry   agentx.OID
	Parts   func(Source) iter.Seq[Part[R]]
	Columns []Column[R]
}

// A Column is one columnar object. A zero value means: no such instance. The type has no
// name of its own, so that other packages can list columns line by line without keys.
type Column[R any] = struct {
	ID    uint32
	Name  string // as in the MIB module
	Value func(R) agentx.Value
}

// Tables are tables of any rows, in the order of their OIDs.
type Tables []table

// A table is a [Table] of any rows.
type table interface {
	append(*View, *Builder, keep, Source) (keep, error)
	objects(func(name string, oid agentx.OID))
	named() (string, agentx.OID)
}

// Sorted returns the tables of all lists, in the order of their OIDs: two modules can have
// tables below the same object.
func Sorted(lists ...Tables) Tables {
	all := slices.Concat(lists...)
	first := func(t Tables) (oid agentx.OID) {
		for _, o := range t.Objects() {
			return o
		}
		return nil
	}
	slices.SortStableFunc(all, func(a, b table) int { return first(Tables{a}).Compare(first(Tables{b})) })
	return all
}

// Builder returns a [Builder] of Views that have these tables.
func (all Tables) Builder() *Builder { return &Builder{tables: all, kept: make([]keep, len(all))} }

// Build returns the View of src with a new [Builder].
func (all Tables) Build(src Source) (*View, error) { return all.Builder().Build(src) }

// Objects returns the name and OID of every object that a View can have.
func (all Tables) Objects() iter.Seq2[string, agentx.OID] {
	return func(yield func(string, agentx.OID) bool) {
		more := true
		for _, t := range all {
			t.objects(func(name string, oid agentx.OID) {
				more = more && yield(name, oid)
			})
		}
	}
}

// OIDs returns the OID of every conceptual table by its name.
func (all Tables) OIDs() map[string]agentx.OID {
	oids := make(map[string]agentx.OID)
	for _, t := range all {
		if name, oid := t.named(); name != "" {
			oids[name] = oid
		}
	}
	return oids
}

// Name returns the name of the object that oid is an instance of, and the instance:
// "hsmLabel.5.49.50.51.52.53". It returns "" if there is no such object.
func (all Tables) Name(oid agentx.OID) string {
	for name, object := range all.Objects() {
		if oid.HasPrefix(object) && len(oid) > len(object) {
			return name + "." + oid[len(object):].String()
		}
	}
	return ""
}

// named returns the name of t and its OID, which is above that of its entries.
func (t Table[R]) named() (string, agentx.OID) { return t.Name, t.Entry[:len(t.Entry)-1] }

// printable returns the text in sub-identifiers.
func printable(ids agentx.OID) string {
	b := make([]byte, len(ids))
	for i, id := range ids {
		b[i] = byte(id)
	}
	return string(b)
}

func (t Table[R]) objects(yield func(string, agentx.OID)) {
	for _, c := range t.Columns {
		yield(c.Name, t.Entry.Append(c.ID))
	}
}

// Scalar is the part of a group of scalars: one row, instance 0.
func Scalar[R any](row func(Source) R) func(Source) iter.Seq[Part[R]] {
	return All(func(src Source) iter.Seq2[agentx.OID, R] {
		return func(yield func(agentx.OID, R) bool) { yield(agentx.OID{0}, row(src)) }
	})
}

// Text appends s as a variable-length INDEX component: its length, then its
// bytes.
func Text(index agentx.OID, s string) agentx.OID {
	index = append(index, uint32(len(s)))
	for _, b := range []byte(s) {
		index = append(index, uint32(b))
	}
	return index
}

// none is the value of an instance that does not exist.
var none agentx.Value

// Optional returns the value of what is known, or none.
func Optional[T any](o hsm.Opt[T], value func(T) agentx.Value) agentx.Value {
	if !o.Known {
		return none
	}
	return value(o.Value)
}

// Known returns none for text that no source stated.
func Known(s string) agentx.Value {
	if s == "" {
		return none
	}
	return Display(s)
}

// Display cuts s to the 255 octets of a DisplayString.
func Display(s string) agentx.Value { return agentx.Text(s[:min(len(s), 255)]) }

// Unsigned32 returns none for what an Unsigned32 cannot hold: it is no gauge, and 4 GiB
// used of 4 GiB would be a full HSM.
func Unsigned32(n int64) agentx.Value {
	if n < 0 || n > math.MaxUint32 {
		return none
	}
	return agentx.Gauge32(uint32(n))
}

// Gauge32 saturates: RFC 2578, 7.1.7.
func Gauge32(n uint64) agentx.Value { return agentx.Gauge32(uint32(min(n, math.MaxUint32))) }

// Counter32 returns none for what a Counter32 cannot hold.
func Counter32(n int64) agentx.Value {
	if n < 0 || n > math.MaxUint32 {
		return none
	}
	return agentx.Counter32(uint32(n))
}

// Perceived is ItuPerceivedSeverity, or none.
func Perceived(s Severity) agentx.Value {
	if n := s.Perceived(); n != 0 {
		return agentx.Integer(n)
	}
	return none
}

// Truth is TruthValue of RFC 2579: true(1), false(2).
func Truth(b bool) agentx.Value {
	if b {
		return agentx.Integer(1)
	}
	return agentx.Integer(2)
}

// Enum returns the number of v in labels, or none.
func Enum[T comparable](v T, labels map[T]int32) agentx.Value {
	if n, ok := labels[v]; ok {
		return agentx.Integer(n)
	}
	return none
}

// DateAndTime returns DateAndTime of RFC 2579, with the time zone: 11 octets.
func DateAndTime(t time.Time) string {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return string([]byte{
		byte(t.Year() >> 8), byte(t.Year()), byte(t.Month()), byte(t.Day()),
		byte(t.Hour()), byte(t.Minute()), byte(t.Second()), byte(t.Nanosecond() / 1e8),
		sign, byte(offset / 3600), byte(offset / 60 % 60),
	})
}

// Moment returns a time as a DateAndTime; none for the zero time.
func Moment(t time.Time) agentx.Value {
	if t.IsZero() {
		return none
	}
	return agentx.Text(DateAndTime(t))
}

// Admin cuts s to the 255 octets of an SnmpAdminString, which is UTF-8, at the end of a
// character. It is one line: snmptrapd prints others as they are, and what is behind the
// end of a line would be a variable to the programs that it hands them to.
func Admin(s string) agentx.Value {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 255 {
		end := 255
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return agentx.Text(s)
}

// HSMIndex returns the index of an HSM in the tables that have a row for each, by its
// serial number.
func HSMIndex(serial string) agentx.OID { return Text(nil, serial) }

// SinceStart returns a time as sysUpTime, counted from the start of the agent; none if that is
// not known. A time before it is 0.
func SinceStart(src Source, t time.Time) agentx.Value {
	switch {
	case src.Alarms == nil:
		return none
	case t.Before(src.Alarms.Started):
		return agentx.TimeTicks(0)
	}
	return agentx.TimeTicks(uint32(t.Sub(src.Alarms.Started) / (10 * time.Millisecond)))
}
