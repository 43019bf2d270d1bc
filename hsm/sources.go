package hsm

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// take applies f unless a more preferred source holds the section that it
// would replace.
func (d *Device) take(f Fact, o Observation) {
	if show, ok := f.(Show); ok {
		d.compare(show, o)
	}
	next := *d
	f.apply(&next, o)
	before := d.sections()
	for name, s := range next.sections() {
		if s.read() != before[name].read() && d.holds(before[name].read(), o) {
			return
		}
	}
	*d = next
}

// holds reports whether r is of a more preferred source than o and not to be
// replaced by it: it is fresh, and its source either works or will have its
// next chance before r expires. So a source that fails is replaced without a
// gap, one that works never is, and each section has one source at a time.
func (d *Device) holds(r reading, o Observation) bool {
	if r.at.IsZero() || r.rank >= o.Rank || o.At.After(r.expires) {
		return false
	}
	// A maximum age is two and a half polls or more: half of it is not
	// before the next poll of o's source.
	next := o.At.Add(o.MaxAge / 2)
	return d.Sources[r.source].Failure == None || next.Before(r.expires)
}

// A Disagreement is a thing that two sources of one device state differently.
// It does not move by itself, and both were asked again since they differ: one
// of them is wrong, or they look at different HSMs.
type Disagreement struct {
	What   string    `json:"what"`   // serial, firmware, model, label
	Since  time.Time `json:"since"`  // when it was first seen
	Stated [2]Stated `json:"stated"` // ordered by source
}

// Stated is what one source says.
type Stated struct {
	Source string    `json:"source"`
	Value  string    `json:"value"`
	At     time.Time `json:"at"`
}

// An identity is what a source last said of the things that do not move.
type identity struct {
	at, expires time.Time
	says        map[string]string // only what it stated
}

// A difference is one thing that two sources, in their order, say differently.
type difference struct{ what, a, b string }

// compare remembers what a source says of the HSM's identity, also while
// another one fills the section, and renews the Disagreements.
func (d *Device) compare(v Show, o Observation) {
	all := maps.Clone(d.identities)
	if all == nil {
		all = make(map[string]identity)
	}
	all[o.Source] = identity{o.At, o.At.Add(o.MaxAge), v.identity()}
	since := make(map[difference]time.Time)
	d.Disagreements = nil
	sources := slices.Sorted(maps.Keys(all))
	for i, a := range sources {
		for _, b := range sources[i+1:] {
			x, y := all[a], all[b]
			for _, what := range slices.Sorted(maps.Keys(x.says)) {
				theirs, stated := y.says[what]
				if !stated || same(x.says[what], theirs) {
					continue
				}
				key := difference{what, a, b}
				at, known := d.differs[key]
				if !known {
					at = o.At
				}
				since[key] = at
				if x.at.Before(at) || y.at.Before(at) || o.At.After(x.expires) || o.At.After(y.expires) {
					continue // one of them has not been asked again, or not for long
				}
				d.Disagreements = append(d.Disagreements, Disagreement{what, at, [2]Stated{{a, x.says[what], x.at}, {b, theirs, y.at}}})
			}
		}
	}
	d.identities, d.differs = all, since
}

// same compares two values as people do: sources differ in case and blanks.
func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

func (v Show) identity() map[string]string {
	says := make(map[string]string)
	for what, value := range map[string]string{"serial": v.Serial, "firmware": v.Firmware, "model": v.Model, "label": v.Label.Value} {
		if value != "" {
			says[what] = value
		}
	}
	return says
}
