// Package entity has the devices and their parts as rows of ENTITY-MIB (RFC 6933), what
// their sensors measure as those of ENTITY-SENSOR-MIB (RFC 3433), and how they are as those
// of ENTITY-STATE-MIB (RFC 4268).
package entity

import (
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

var (
	entityMIB = agentx.OID{1, 3, 6, 1, 2, 1, 47}
	sensorMIB = agentx.OID{1, 3, 6, 1, 2, 1, 99}
	stateMIB  = agentx.OID{1, 3, 6, 1, 2, 1, 131}
)

// Subtrees returns the subtrees of the tables.
func Subtrees() []agentx.OID { return []agentx.OID{entityMIB, sensorMIB, stateMIB} }

// Tables returns the tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = mib.Tables{
	physicalTable,
	containsTable,
	generalScalars,
	sensorTable,
	stateTable,
}

// physicalTable has what is there, whether it can be read or not. Objects that are writable
// in the RFC are read-only here.
var physicalTable = mib.Table[row]{
	Name:  "entPhysicalTable",
	Entry: entityMIB.Append(1, 1, 1, 1),
	Parts: ofDevices(identity, eachRow),
	Columns: []mib.Column[row]{
		{2, "entPhysicalDescr", func(r row) agentx.Value { return mib.Admin(r.descr()) }},
		{3, "entPhysicalVendorType", func(row) agentx.Value { return agentx.ObjectIdentifier(agentx.OID{0, 0}) }},
		{4, "entPhysicalContainedIn", func(r row) agentx.Value { return agentx.Integer(int32(r.container())) }},
		{5, "entPhysicalClass", func(r row) agentx.Value { return agentx.Integer(r.Class) }},
		{6, "entPhysicalParentRelPos", func(r row) agentx.Value { return agentx.Integer(r.position()) }},
		{7, "entPhysicalName", func(r row) agentx.Value { return mib.Admin(r.fullName()) }},
		{8, "entPhysicalHardwareRev", none},
		{9, "entPhysicalFirmwareRev", only(hsmKey, func(s hsm.Show) string { return s.Firmware })},
		{10, "entPhysicalSoftwareRev", only(chassisKey, func(s hsm.Show) string { return s.SoftwareVersion })},
		{11, "entPhysicalSerialNum", only(hsmKey, func(s hsm.Show) string { return short(s.Serial) })},
		{12, "entPhysicalMfgName", only(hsmKey, func(s hsm.Show) string { return maker(s.Model) })},
		{13, "entPhysicalModelName", only(hsmKey, func(s hsm.Show) string { return s.Model })},
		{14, "entPhysicalAlias", only(hsmKey, func(s hsm.Show) string { return short(s.Label.Value) })},
		{15, "entPhysicalAssetID", none},
		{16, "entPhysicalIsFRU", func(r row) agentx.Value { return mib.Truth(replaceable[r.key] || r.Class == classSupply) }},
		{17, "entPhysicalMfgDate", func(row) agentx.Value { return agentx.Text(strings.Repeat("\x00", 8)) }},
		{18, "entPhysicalUris", none},
		{19, "entPhysicalUUID", none},
	},
}

// none is the value of a text that no source states: a zero-length string, as the RFC wants.
func none(row) agentx.Value { return agentx.Text("") }

// only is a text of one part of a device.
func only(key string, text func(hsm.Show) string) func(row) agentx.Value {
	return func(r row) agentx.Value {
		if r.key != key {
			return agentx.Text("")
		}
		return mib.Admin(text(r.device.Show.Value))
	}
}

// short cuts s to the 32 octets that the RFC allows some texts, at the end of a character.
func short(s string) string {
	for len(s) > 32 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}

// replaceable are the parts, besides power supplies, that the vendor sells to replace.
var replaceable = map[string]bool{chassisKey: true, hsmKey: true}

// makers are the names under which models were sold, by how these begin.
var makers = []struct{ model, name string }{
	{"Luna K7", "Thales"}, {"Luna G7", "Thales"}, {"Luna K6", "SafeNet"}, {"K6", "SafeNet"}, {"K5", "SafeNet"}, {"G5", "SafeNet"}, {"K3", "SafeNet"},
}

// maker returns the manufacturer of a model, which LunaSH does not state; "": not known.
func maker(model string) string {
	for _, m := range makers {
		if strings.HasPrefix(model, m.model) {
			return m.name
		}
	}
	return ""
}

// kinds are what the chassis of a device is.
var kinds = map[hsm.Kind]string{hsm.NetworkHSM: "network HSM appliance", hsm.HostMachine: "host with HSM cards"}

// descr names the part, and says what it is where the name does not.
func (r row) descr() string {
	model := r.device.Show.Value.Model
	switch {
	case r.key == chassisKey:
		return r.fullName() + ", " + kinds[r.device.Kind]
	case r.key == hsmKey && model != "":
		return r.fullName() + ", " + model
	}
	return r.fullName()
}

// container returns the index of what the part is in; 0: nothing.
func (r row) container() uint32 {
	if r.In > 0 {
		return r.entity.Index(r.In)
	}
	if host := r.src.Entities.Devices[r.src.Entities.Host]; r.device.Kind == hsm.CardHSM && host != nil {
		return host.Index(fixed[chassisKey])
	}
	return 0
}

// position tells a part from the others in the same: it is the number, which stays when
// another one goes.
func (r row) position() int32 {
	switch {
	case r.In > 0:
		return int32(r.Number)
	case r.device.Kind == hsm.CardHSM:
		return int32(r.entity.Number)
	}
	return -1
}

// containsTable has what is in each part.
var containsTable = mib.Table[uint32]{
	Name:  "entPhysicalContainsTable",
	Entry: entityMIB.Append(1, 3, 3, 1),
	Parts: contents,
	Columns: []mib.Column[uint32]{
		{1, "entPhysicalChildIndex", func(child uint32) agentx.Value { return agentx.Integer(int32(child)) }},
	},
}

// contents makes a part of each device. The cards are with their host.
func contents(src mib.Source) iter.Seq[mib.Part[uint32]] {
	inside := ofDevices(identity, func(all []row) iter.Seq2[agentx.OID, uint32] {
		return func(yield func(agentx.OID, uint32) bool) {
			for _, r := range all {
				if r.In > 0 && !yield(agentx.OID{r.container(), r.index}, r.index) {
					return
				}
			}
		}
	})
	return func(yield func(mib.Part[uint32]) bool) {
		for p := range inside(src) {
			if src.Entities.Host != "" && p.Name == src.Entities.Host {
				p = mib.Part[uint32]{Name: p.Name, Rows: cards(src)}
			}
			if !yield(p) {
				return
			}
		}
	}
}

// cards yields the cards of the host.
func cards(src mib.Source) iter.Seq2[agentx.OID, uint32] {
	return func(yield func(agentx.OID, uint32) bool) {
		chassis := src.Entities.Devices[src.Entities.Host].Index(fixed[chassisKey])
		for _, d := range numbered(src) {
			card := d.Index(fixed[hsmKey])
			if d.Kind == hsm.CardHSM && !yield(agentx.OID{chassis, card}, card) {
				return
			}
		}
	}
}

// generalScalars is the group entityGeneral.
var generalScalars = mib.Table[mib.Source]{
	Entry: entityMIB.Append(1, 4),
	Parts: func(src mib.Source) iter.Seq[mib.Part[mib.Source]] {
		if src.Entities == nil {
			return func(func(mib.Part[mib.Source]) bool) {}
		}
		return mib.Scalar(func(src mib.Source) mib.Source { return src })(src)
	},
	Columns: []mib.Column[mib.Source]{
		{1, "entLastChangeTime", func(src mib.Source) agentx.Value { return mib.SinceStart(src, src.Entities.Changed) }},
	},
}
