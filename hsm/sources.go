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
	What   string    `json:"what"`   // serial, firmware, model, label, authentication, fips, zeroized, secure_transport_mode, tamper, partitions
	Since  time.Time `json:"since"`  // when it was first seen
	Stated [2]Stated `json:"stated"` // ordered by source
}

// Fresh reports whether both sources may still be believed.
func (d Disagreement) Fresh(now time.Time) bool {
	return !now.After(d.Stated[0].Expires) && !now.After(d.Stated[1].Expires)
}

// Stated is what one source says.
type Stated struct {
	Source  string    `json:"source"`
	Value   string    `json:"value"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// An identity is what a source last said of the things that do not move.
type identity struct {
	asked, at, expires time.Time
	says               map[string]string // only what it stated
}

// A difference is one thing that two sources, in their order, say differently.
type difference struct{ what, a, b string }

// compare remembers what a source says of the things that do not move, also
// while another one fills the section, and renews the Disagreements.
func (d *Device) compare(says map[string]string, o Observation) {
	if d.compared.IsZero() {
		d.compared = o.At.Add(o.MaxAge)
	}
	all := maps.Clone(d.identities)
	if all == nil {
		all = make(map[string]identity)
	}
	all[o.Source] = identity{o.At.Add(-o.Took), o.At, o.At.Add(o.MaxAge), says}
	since := make(map[difference]time.Time)
	d.Disagreements, d.differing = nil, false
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
				switch {
				case o.At.After(x.expires) || o.At.After(y.expires): // one of them was not asked for long
				case x.asked.Before(at) || y.asked.Before(at): // one of them has not been asked again
					d.differing = true
				default:
					d.Disagreements = append(d.Disagreements, Disagreement{what, at, [2]Stated{{a, x.says[what], x.at, x.expires}, {b, theirs, y.at, y.expires}}})
				}
			}
		}
	}
	d.identities, d.differs = all, since
}

// Compared reports whether Disagreements are all there are: every source had
// the time to speak, and none that differs waits to be asked again.
func (d Device) Compared(now time.Time) bool {
	return !d.compared.IsZero() && now.After(d.compared) && !d.differing
}

// same compares two values as people do: sources differ in case and blanks.
func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// says returns what facts state of the things that do not move by themselves,
// or so rarely that the next poll tells which source was late.
func says(facts []Fact) map[string]string {
	all := make(map[string]string)
	for _, f := range facts {
		switch v := f.(type) {
		case Show:
			v.says(all)
		case Partitions:
			if list, ok := v.serials(); ok {
				all["partitions"] = list
			}
		}
	}
	return all
}

func (v Show) says(all map[string]string) {
	for what, value := range map[string]string{
		"serial": v.Serial, "firmware": v.Firmware, "model": v.Model, "label": v.Label.Value,
		"tamper": string(v.Tamper), "authentication": string(v.Authentication),
		"fips": word(v.FIPS), "zeroized": word(v.Zeroized), "secure_transport_mode": word(v.SecureTransportMode),
	} {
		if value != "" && value != string(AuthUnknown) {
			all[what] = value
		}
	}
}

func word(o Opt[bool]) string {
	switch {
	case !o.Known:
		return ""
	case o.Value:
		return "yes"
	}
	return "no"
}

// serials lists the partitions by serial number, unless one has none.
func (v Partitions) serials() (string, bool) {
	list := []string{}
	for _, p := range v {
		if p.Serial == "" {
			return "", false
		}
		list = append(list, p.Serial)
	}
	if len(list) == 0 {
		return "none", true
	}
	slices.Sort(list)
	return strings.Join(list, " "), true
}
