// Package snmpexporter makes the input of the generator of Prometheus's snmp_exporter out of
// the MIB modules. What that generator makes of it ships, too.
package snmpexporter

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/contrib/object"
)

// generated is the first line of what is made here.
const generated = "# Made of the MIB modules by go test ./contrib/snmp_exporter -update: edits are lost.\n"

// A part is a module of snmp_exporter: the objects below some nodes.
type part struct {
	name  string
	below []string // OIDs
	names []lookup
}

// A lookup adds what a column says of a row as a label to every value of the row.
type lookup struct {
	Indexes []string `yaml:"source_indexes,flow"`
	Column  string   `yaml:"lookup"`
}

// parts are the modules. What is served below a node is in its module, also what is new there.
var parts = []part{
	{"lunawatch", []string{"1.3.6.1.4.1.8072.9999.9999.5862.1"}, []lookup{
		{[]string{"lunaHsmKey"}, "lunaHsmLabel"},
		{[]string{"lunaHsmKey", "lunaPartitionSerial"}, "lunaPartitionName"},
		{[]string{"lunaHsmKey", "lunaSensorPart", "lunaSensorName"}, "lunaSensorUnit"},
		{[]string{"lunaHaGroupHost", "lunaHaGroupName", "lunaHaMemberSerial"}, "lunaHaMemberLabel"},
		{[]string{"lunaAlarmNumber"}, "lunaAlarmDevice"},
		{[]string{"lunaAlarmNumber"}, "lunaAlarmKey"},
	}},
	{"luna", []string{"1.3.6.1.4.1.12383.3.1", "1.3.6.1.4.1.23629.1.5"}, []lookup{
		{[]string{"hsmSerialNumber"}, "hsmLabel"},
		{[]string{"hsmSerialNumber", "hsmPartitionSerialNumber"}, "hsmPartitionLabel"},
	}},
	{"entity_sensor", []string{"1.3.6.1.2.1.99.1.1", "1.3.6.1.2.1.131.1.1"}, []lookup{
		{[]string{"entPhysicalIndex"}, "entPhysicalName"},
		{[]string{"entPhysicalIndex"}, "entPhySensorType"},
		{[]string{"entPhysicalIndex"}, "entPhySensorScale"},
	}},
}

type (
	override struct {
		Type string `yaml:"type"`
	}
	module struct {
		Walk      []string            `yaml:"walk"`
		Version   int                 `yaml:"version,omitempty"`
		Auth      map[string]string   `yaml:"auth,omitempty"`
		Lookups   []lookup            `yaml:"lookups"`
		Overrides map[string]override `yaml:"overrides"`
	}
	input struct {
		Auths   map[string]auth   `yaml:"auths,omitempty"`
		Modules map[string]module `yaml:"modules"`
	}
	auth struct {
		Version   int    `yaml:"version"`
		Community string `yaml:"community"`
	}
)

// Input returns the input of the generator: with auths that of 0.23 and later, else that of
// the releases before, whose modules have a community. Values are in the units of the MIB
// modules: 0.21 cannot scale them, and a metric must not depend on the release.
func Input(objects []object.Object, auths bool) ([]byte, error) {
	in := input{Modules: make(map[string]module)}
	if auths {
		in.Auths = map[string]auth{"lunawatch": {2, "public"}}
	}
	for _, p := range parts {
		m := module{Walk: p.below, Lookups: p.names, Overrides: make(map[string]override)}
		if !auths {
			m.Version, m.Auth = 2, map[string]string{"community": "public"}
		}
		for _, o := range objects {
			if t := typeOf(o); t != "" && p.has(o) && !p.asLabel(objects, o.Name) {
				m.Overrides[o.Name] = override{t}
			}
		}
		in.Modules[p.name] = m
	}
	text, err := yaml.Marshal(in)
	return append([]byte(generated), text...), err
}

// typeOf returns the type that the generator would not choose by itself: of an enumeration
// each label is a series, 1 or 0, and what is a level is no counter.
func typeOf(o object.Object) string {
	switch {
	case o.Syntax == "CounterBasedGauge64":
		return "gauge"
	case o.Labels != nil && !o.Bits:
		return "EnumAsStateSet"
	}
	return ""
}

// asLabel reports whether a value is a label of others: there the exporter takes numbers only.
func (p part) asLabel(objects []object.Object, name string) bool {
	return slices.ContainsFunc(p.names, func(l lookup) bool { return l.Column == name }) ||
		slices.ContainsFunc(objects, func(o object.Object) bool { return slices.Contains(o.Index, name) })
}

// has reports whether o is below a node of p.
func (p part) has(o object.Object) bool {
	for _, oid := range p.below {
		if strings.HasPrefix(o.OID, oid+".") {
			return true
		}
	}
	return false
}
