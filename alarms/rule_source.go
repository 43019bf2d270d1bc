package alarms

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// first returns the source that opens every round of polls: when it does not
// get through, nothing does. An HSM without LunaSH has its SNMP agent.
func (p Poll) first() string {
	_, lunash := p.Sources["hsm show"]
	_, snmp := p.Sources["snmp hsmTable"]
	switch {
	case p.Kind == hsm.CardHSM:
		return "hsm showinfo"
	case p.Kind == hsm.HostMachine:
		return "slot list"
	case snmp && !lunash:
		return "snmp hsmTable"
	}
	return "hsm show"
}

// unreachable tells that nothing can be read of a device. One command that
// loses the connection while others get through is not that.
var unreachable = Rule{"unreachable", func(p Poll, say func(Opinion)) {
	s, ok := p.Sources[p.first()]
	switch {
	case !ok:
	case !s.Failure.OfSession():
		say(good(s.At, "%s answers", p.first()))
	case s.Failure == hsm.HostKey:
		say(bad(Critical, s.At, "%s", s.Error))
	case s.Failures >= p.UnreachableAfter && p.Show.Fresh(p.Now) && p.Show.Source != p.first() && p.Show.Asked().After(s.Success):
		say(bad(Minor, s.At, "%s; %s stands in", s.Error, p.Show.Source))
	case s.Failures >= p.UnreachableAfter:
		say(bad(Major, s.At, "%s", s.Error))
	}
}}

// stale tells of data past their maximum age, by section, unless another alarm
// tells why: a dead appliance is one page, not one for each section.
var stale = Rule{"data-stale", func(p Poll, say func(Opinion)) {
	ages := p.Ages(p.Now)
	for _, name := range slices.Sorted(maps.Keys(ages)) {
		a := ages[name]
		at := p.Now.Add(-a.Since)
		switch {
		case !a.Stale:
			say(good(at, "%s is fresh", name).on(name))
		case !p.explained(a.Source):
			say(bad(Warning, at, "%s was last read at %s", name, at.UTC().Format(time.RFC3339)).on(name))
		}
	}
}}

// explained reports whether unreachable or hsm-silent tells why a source gives
// nothing. A source knows of a recovery only when it is its turn again, so it
// is its own last failure that counts.
func (p Poll) explained(source string) bool {
	switch f := p.Sources[source].Failure; {
	case source == p.first():
		return f != hsm.None
	case f == hsm.Timeout:
		return p.Sources[p.first()].Failure == hsm.Timeout
	default:
		return f.OfSession()
	}
}
