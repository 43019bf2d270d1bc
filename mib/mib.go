// Package mib presents a Snapshot as the objects of the vendor's MIB modules
// CHRYSALIS-UTSP-MIB, SAFENET-HSM-MIB and SAFENET-APPLIANCE-MIB, and alarms as those of
// ALARM-MIB, ITU-ALARM-MIB and LUNAWATCH-MIB. Tables are declared as values; a
// [Builder] makes a [View] from them and a [Source]. The package does not know how alarms come
// about or how a View is served.
package mib

import (
	"iter"
	"math"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// The subtrees of the modules.
var (
	chrysalisUTSP    = agentx.OID{1, 3, 6, 1, 4, 1, 12383, 3, 1}
	safenetHSM       = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 1}
	safenetAppliance = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 2}
)

// Subtrees returns the subtrees that a subagent registers to serve every table.
func Subtrees() []agentx.OID {
	return append([]agentx.OID{alarmMIB, ituAlarmMIB, lunawatchMIB}, VendorSubtrees()...)
}

// VendorSubtrees returns those of one HSM's own agent.
func VendorSubtrees() []agentx.OID {
	return []agentx.OID{chrysalisUTSP, safenetHSM, safenetAppliance}
}

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

	hsms []device // of Snapshot, in the order of their indexes
}

// A table is a conceptual table, or a group of scalars, whose rows are of
// type R.
type table[R any] struct {
	name    string // as in the MIB module; "" of a group of scalars
	entry   agentx.OID
	parts   func(Source) iter.Seq[part[R]]
	columns []column[R]
}

// A column is one columnar object. A zero value means: no such instance.
type column[R any] struct {
	id    uint32
	name  string // as in the MIB module
	value func(R) agentx.Value
}

// tables are all tables, in the order of their OIDs.
var tables = []interface {
	append(*View, *Builder, keep, Source) (keep, error)
	objects(func(name string, oid agentx.OID))
	named() (string, agentx.OID)
}{
	alarmModelScalars,
	alarmModelTable,
	alarmActiveScalars,
	alarmActiveTable,
	alarmActiveVariableTable,
	alarmActiveStatsTable,
	alarmActiveOverflow,
	alarmClearScalars,
	alarmClearTable,
	ituAlarmTable,
	ituAlarmActiveTable,
	ituAlarmActiveStatsTable,
	lunaAgentScalars,
	lunaAlarmTable,
	lunaReceiverTable,
	chrysalisHSM,
	chrysalisNTLS,
	hsmTable,
	licenseTable,
	partitionTable,
	policyTable,
	partitionPolicyTable,
	clientTable,
	assignmentTable,
	appliance,
}

// Objects returns the name and OID of every object that a View can have.
func Objects() iter.Seq2[string, agentx.OID] {
	return func(yield func(string, agentx.OID) bool) {
		more := true
		for _, t := range tables {
			t.objects(func(name string, oid agentx.OID) {
				more = more && yield(name, oid)
			})
		}
	}
}

// Tables returns the OID of every conceptual table by its name.
func Tables() map[string]agentx.OID {
	all := make(map[string]agentx.OID)
	for _, t := range tables {
		if name, oid := t.named(); name != "" {
			all[name] = oid
		}
	}
	return all
}

// named returns the name of t and its OID, which is above that of its entries.
func (t table[R]) named() (string, agentx.OID) { return t.name, t.entry[:len(t.entry)-1] }

// printable returns the text in sub-identifiers.
func printable(ids agentx.OID) string {
	b := make([]byte, len(ids))
	for i, id := range ids {
		b[i] = byte(id)
	}
	return string(b)
}

func (t table[R]) objects(yield func(string, agentx.OID)) {
	for _, c := range t.columns {
		yield(c.name, t.entry.Append(c.id))
	}
}

// scalar is the part of a group of scalars: one row, instance 0.
func scalar[R any](row func(Source) R) func(Source) iter.Seq[part[R]] {
	return all(func(src Source) iter.Seq2[agentx.OID, R] {
		return func(yield func(agentx.OID, R) bool) { yield(agentx.OID{0}, row(src)) }
	})
}

// text appends s as a variable-length INDEX component: its length, then its
// bytes.
func text(index agentx.OID, s string) agentx.OID {
	index = append(index, uint32(len(s)))
	for _, b := range []byte(s) {
		index = append(index, uint32(b))
	}
	return index
}

// none is the value of an instance that does not exist.
var none agentx.Value

func opt[T any](o hsm.Opt[T], value func(T) agentx.Value) agentx.Value {
	if !o.Known {
		return none
	}
	return value(o.Value)
}

// known returns none for text that no source stated.
func known(s string) agentx.Value {
	if s == "" {
		return none
	}
	return display(s)
}

// display cuts s to the 255 octets of a DisplayString.
func display(s string) agentx.Value { return agentx.Text(s[:min(len(s), 255)]) }

// unsigned32 returns none for what an Unsigned32 cannot hold: it is no gauge, and 4 GiB
// used of 4 GiB would be a full HSM.
func unsigned32(n int64) agentx.Value {
	if n < 0 || n > math.MaxUint32 {
		return none
	}
	return agentx.Gauge32(uint32(n))
}

// gauge32 saturates: RFC 2578, 7.1.7.
func gauge32(n uint64) agentx.Value { return agentx.Gauge32(uint32(min(n, math.MaxUint32))) }

func counter32(n int64) agentx.Value {
	if n < 0 || n > math.MaxUint32 {
		return none
	}
	return agentx.Counter32(uint32(n))
}

// truth is TruthValue of RFC 2579: true(1), false(2).
func truth(b bool) agentx.Value {
	if b {
		return agentx.Integer(1)
	}
	return agentx.Integer(2)
}

// enum returns the number of v in labels, or none.
func enum[T comparable](v T, labels map[T]int32) agentx.Value {
	if n, ok := labels[v]; ok {
		return agentx.Integer(n)
	}
	return none
}

// Name returns the name of the object that oid is an instance of, and the instance:
// "hsmLabel.5.49.50.51.52.53". It returns "" if there is no such object.
func Name(oid agentx.OID) string {
	for name, object := range Objects() {
		if oid.HasPrefix(object) && len(oid) > len(object) {
			return name + "." + oid[len(object):].String()
		}
	}
	return ""
}
