package hsm

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// take applies f unless a preferred source holds the section that it would replace.
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

// holds reports whether o must not replace r: r is of a preferred source and fresh, and
// its source either works or will be polled again before r expires. So a source that
// fails is replaced without a gap, one that works never is, and each section has one
// source at a time.
func (d *Device) holds(r reading, o Observation) bool {
	if r.at.IsZero() || r.rank >= o.Rank || o.At.After(r.expires) {
		return false
	}
	// A maximum age is two and a half intervals or more, so half of it is after
	// the next poll of o's source.
	next := o.At.Add(o.MaxAge / 2)
	return d.Sources[r.source].Failure == None || next.Before(r.expires)
}

// A Disagreement is a property of a device that two sources state differently. It is one
// that rarely changes, and both were asked again since they differ: one of them is
// wrong, or they ask different HSMs.
type Disagreement struct {
	What   string    `json:"what"`   // serial, firmware, model, label, authentication, fips, zeroized, secure_transport_mode, tamper, partitions
	Since  time.Time `json:"since"`  // when it was first observed
	Stated [2]Stated `json:"stated"` // sorted by source
}

// Fresh reports whether what both sources state is not stale.
func (d Disagreement) Fresh(now time.Time) bool {
	return !now.After(d.Stated[0].Expires) && !now.After(d.Stated[1].Expires)
}

// Stated is the value that one source states.
type Stated struct {
	Source  string    `json:"source"`
	Value   string    `json:"value"`
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// An identity is the last claims of a source.
type identity struct {
	asked, at, expires time.Time
	claims             map[string]string // by property; only those that it stated
}

// A difference is a property that two sources, in sorted order, state differently.
type difference struct{ what, a, b string }

// compare stores the claims of the source of o, which may not hold the section, and
// updates the Disagreements.
func (d *Device) compare(claims map[string]string, o Observation) {
	if d.compared.IsZero() {
		d.compared = o.At.Add(o.MaxAge)
	}
	all := maps.Clone(d.identities)
	if all == nil {
		all = make(map[string]identity)
	}
	all[o.Source] = identity{o.At.Add(-o.Took), o.At, o.At.Add(o.MaxAge), claims}
	since := make(map[difference]time.Time)
	d.Disagreements, d.differing = nil, false
	sources := slices.Sorted(maps.Keys(all))
	for i, a := range sources {
		for _, b := range sources[i+1:] {
			x, y := all[a], all[b]
			for _, what := range slices.Sorted(maps.Keys(x.claims)) {
				other, stated := y.claims[what]
				if !stated || same(x.claims[what], other) {
					continue
				}
				key := difference{what, a, b}
				at, known := d.differs[key]
				if !known {
					at = o.At
				}
				since[key] = at
				switch {
				case o.At.After(x.expires) || o.At.After(y.expires): // one of them is stale
				case x.asked.Before(at) || y.asked.Before(at): // one of them was not asked again
					d.differing = true
				default:
					d.Disagreements = append(d.Disagreements, Disagreement{what, at, [2]Stated{{a, x.claims[what], x.at, x.expires}, {b, other, y.at, y.expires}}})
				}
			}
		}
	}
	d.identities, d.differs = all, since
}

// Compared reports whether Disagreements are complete: every source has been polled, and
// those that differ were asked again.
func (d *Device) Compared(now time.Time) bool {
	return !d.compared.IsZero() && now.After(d.compared) && !d.differing
}

// same reports whether two values are equal but for case and blanks, in which sources
// differ.
func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}

// claims returns what facts state about properties that rarely change, by property: so
// rarely that the next poll shows which source was late.
func claims(facts []Fact) map[string]string {
	all := make(map[string]string)
	for _, f := range facts {
		switch v := f.(type) {
		case Show:
			v.claims(all)
		case Partitions:
			if list, ok := v.serials(); ok {
				all["partitions"] = list
			}
		}
	}
	return all
}

// claims adds what v states to all.
func (v Show) claims(all map[string]string) {
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

// serials returns the serial numbers of the partitions, sorted; false if one has none.
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
