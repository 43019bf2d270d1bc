package rules

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// inventory compares an HSM with what is expected. What is unknown is neither
// good nor bad.
var inventory = Rule{"inventory", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if !ok {
		return
	}
	want, at := p.Expected[p.Name], p.Show.Asked()
	for _, x := range []struct{ what, want, got string }{
		{"serial", want.Serial, s.Serial}, {"model", want.Model, s.Model}, {"firmware", want.Firmware, s.Firmware},
	} {
		switch {
		case x.want == "":
		case x.got == "":
			emit(Result{Condition: alarms.Between, At: at}.on(x.what))
		case strings.EqualFold(x.want, x.got):
			emit(good(at, "%s is %s", x.what, x.got).on(x.what))
		default:
			emit(bad(alarms.Major, at, "%s is %s, expected %s", x.what, x.got, x.want).on(x.what))
		}
	}
	emit(allOf(p.Show))
}}

// inventoryPartitions looks for partitions that are expected, activated or not.
var inventoryPartitions = Rule{"inventory-partition", func(p Poll, emit func(Result)) {
	list, ok := p.Partitions.Get(p.Now)
	if !ok {
		return
	}
	want, at := p.Expected[p.Name], p.Partitions.Asked()
	for _, name := range slices.Concat(want.Activated, want.Partitions) {
		i := slices.IndexFunc(list, func(x hsm.Partition) bool { return name == x.Serial || name == x.Name || name == x.Label.Value })
		switch {
		case i < 0 && !p.whole(p.Partitions.Source):
			emit(Result{Condition: alarms.Between, At: at}.on(name))
		case i < 0:
			emit(bad(alarms.Major, at, "partition %s is not there", name).on(name))
		case !slices.Contains(want.Activated, name), hsm.Is(list[i].Activated, true):
			emit(good(at, "partition %s is there", name).on(name))
		case hsm.Is(list[i].Activated, false):
			emit(bad(alarms.Major, at, "partition %s is not activated", name).on(name))
		default:
			emit(Result{Condition: alarms.Between, At: at}.on(name))
		}
	}
	emit(allOf(p.Partitions))
}}

// inventoryMembers looks for members that are expected in the HA groups of a
// Luna client.
var inventoryMembers = Rule{"inventory-member", func(p Poll, emit func(Result)) {
	ha, ok := p.HA.Get(p.Now)
	if !ok {
		return
	}
	at := p.HA.Asked()
	for group, serials := range p.Expected[p.Name].Members {
		i := slices.IndexFunc(ha.Groups, func(g hsm.HAGroupState) bool { return g.Name() == group || g.Serial == group })
		for _, serial := range serials {
			r := good(at, "%s is a member of %s", serial, group)
			switch {
			case i < 0:
				r = bad(alarms.Major, at, "HA group %s is not configured on this client", group)
			case !slices.ContainsFunc(ha.Groups[i].Members, func(m hsm.HAMemberState) bool { return m.Serial == serial }):
				r = bad(alarms.Major, at, "%s is not a member of HA group %s on this client", serial, group)
			}
			emit(r.on(group + "/" + serial))
		}
	}
	emit(allOf(p.HA))
}}

// serialTwice warns of HSMs with one serial number: one of them is not what it
// is taken for, or is not watched.
var serialTwice = Rule{"serial-twice", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Serial == "" {
		return
	}
	at := p.Show.Asked()
	var names []string
	for _, d := range p.Twins {
		switch {
		case d.Name == p.Name:
			continue
		case !d.Show.Fresh(p.Now):
			return
		}
		if names = append(names, d.Name); d.Show.Asked().After(at) {
			at = d.Show.Asked()
		}
	}
	if len(names) > 0 {
		emit(bad(alarms.Major, at, "%s has serial number %s, too", strings.Join(names, ", "), s.Serial))
		return
	}
	emit(good(at, "no other HSM has serial number %s", s.Serial))
}}
