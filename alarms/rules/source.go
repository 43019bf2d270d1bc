package rules

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// unreachable warns that nothing can be read of a device. One command that
// loses the connection while others get through is not that.
var unreachable = Rule{"unreachable", func(p Poll, emit func(Result)) {
	s, ok := p.Sources[p.first()]
	switch {
	case !ok:
	case !s.Failure.OfSession():
		emit(good(s.At, "%s answers", p.first()))
	case s.Failure == hsm.HostKey:
		emit(bad(alarms.Critical, s.At, "%s", s.Error).at(s))
	case p.Elsewhere.About(s) && p.Elsewhere.Awaited(p.Now): // the text is to have what the others say
	case s.Failures >= p.UnreachableAfter && p.Show.Fresh(p.Now) && p.Show.Source != p.first() && p.Show.Asked().After(s.Success):
		emit(bad(alarms.Minor, s.At, "%s; %s is used instead%s", s.Error, p.Show.Source, p.Elsewhere.Words(s)).at(s))
	case s.Failures >= p.UnreachableAfter:
		emit(bad(alarms.Major, s.At, "%s%s", s.Error, p.Elsewhere.Words(s)).at(s))
	}
}}

// stale warns of data past their maximum age, by section, unless another alarm
// says why: a dead appliance is one page, not one for each section.
var stale = Rule{"data-stale", func(p Poll, emit func(Result)) {
	ages := p.Ages(p.Now)
	for _, name := range slices.Sorted(maps.Keys(ages)) {
		a := ages[name]
		at := p.Now.Add(-a.Since)
		switch {
		case !a.Stale:
			emit(good(at, "%s is fresh", name).on(name))
		case !p.explained(a.Source):
			emit(bad(alarms.Warning, at, "%s was last read at %s", name, at.UTC().Format(time.RFC3339)).on(name))
		}
	}
}}

// sourceFailing warns of transports with a source that fails while others work:
// for one that is only a fallback, or was never read, no data become stale.
var sourceFailing = Rule{"source-failing", func(p Poll, emit func(Result)) {
	if !p.anyWorks() && p.Sources[p.first()].Failure != hsm.None {
		return // unreachable or hsm-silent covers all
	}
	feeds := make(map[string]bool)
	for _, a := range p.Ages(p.Now) {
		feeds[a.Source] = true
	}
	type way struct {
		at      time.Time // newest attempt
		failing []string
		why     hsm.Source // the first of them
		open    bool       // not known
	}
	ways := make(map[string]*way)
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		s, t := p.Sources[name], p.transport(name)
		w := cmp.Or(ways[t], new(way))
		ways[t] = w
		if s.At.After(w.at) {
			w.at = s.At
		}
		explained := p.explained(name)
		switch {
		case s.Failure == hsm.None:
		case t == p.transport(p.first()) && explained: // by unreachable or hsm-silent
			w.open = true
		case feeds[name] && !explained: // data-stale covers it
		case s.Failures < p.SilentAfter:
			opener := p.Sources[p.opener(name)] // it may work again before the turn of the others
			w.open = w.open || !s.Failure.OfSession() || opener.Failure != hsm.None || !opener.At.After(s.At)
		default:
			if len(w.failing) == 0 {
				w.why = s
			}
			w.failing = append(w.failing, name)
		}
	}
	for _, name := range haListings { // ha-unasked covers them
		delete(ways, name)
	}
	for _, t := range slices.Sorted(maps.Keys(ways)) {
		switch w := ways[t]; {
		case len(w.failing) > 0:
			emit(bad(alarms.Warning, w.at, "%s (%s)", w.why.Error, strings.Join(w.failing, ", ")).at(w.why).on(t))
		case !w.open:
			emit(good(w.at, "%s works", t).on(t))
		}
	}
}}

// first returns the source that opens every round of polls: when it does not
// get through, nothing does. That of an HSM without LunaSH is its SNMP agent.
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

// explained reports whether unreachable, hsm-silent or source-failing says why
// a source gives nothing. A source notices a recovery only at its next turn, so
// its own last failure counts.
func (p Poll) explained(source string) bool {
	switch f := p.Sources[source].Failure; {
	case source == p.first():
		return f != hsm.None
	case f == hsm.Timeout:
		return p.Sources[p.opener(source)].Failure == hsm.Timeout
	default:
		return f.OfSession()
	}
}

// transport returns how a source is asked; the sources of one transport share
// its sessions.
func (p Poll) transport(source string) string {
	way, _, _ := strings.Cut(source, " ")
	switch {
	case way == "rest", way == "snmp":
		return way
	case p.Kind == hsm.CardHSM, source == "slot list":
		return "lunacm"
	case p.Kind == hsm.HostMachine:
		return source
	}
	return "lunash"
}

// opener returns the source that opens the rounds of a source's transport.
func (p Poll) opener(source string) string {
	switch t := p.transport(source); {
	case t == "rest":
		return "rest hsm"
	case t == "snmp":
		return "snmp hsmTable"
	case t == p.transport(p.first()):
		return p.first()
	}
	return source
}

// anyWorks reports whether the last attempt at any source of the device
// succeeded.
func (p Poll) anyWorks() bool {
	for _, s := range p.Sources {
		if s.Failure == hsm.None {
			return true
		}
	}
	return false
}
