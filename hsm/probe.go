package hsm

import (
	"slices"
	"time"
)

// A Probe is a test program of the site, which tries an HSM, and its last result.
type Probe struct {
	Name      string        `json:"name"`
	Partition string        `json:"partition,omitempty"` // that it tries; "": it does not say
	At        time.Time     `json:"at,omitzero"`         // when it ended; zero: it has not run yet
	Took      time.Duration `json:"took_ns,omitzero"`
	MaxAge    time.Duration `json:"max_age_ns,omitzero"` // after which the result is stale
	Worked    bool          `json:"worked"`              // it ended with status 0, in time
	Failures  int           `json:"failures"`            // in a row
	Text      string        `json:"text,omitempty"`      // why it failed, and the last line that it wrote
}

// Fresh reports whether it has run and the result is not stale.
func (p Probe) Fresh(now time.Time) bool { return !p.At.IsZero() && !now.After(p.At.Add(p.MaxAge)) }

// apply replaces the last result of a probe that there is.
func (p Probe) apply(d *Device, _ Observation) {
	i := slices.IndexFunc(d.Probes, func(x Probe) bool { return x.Name == p.Name })
	if i < 0 {
		return
	}
	d.Probes = slices.Clone(d.Probes)
	if !p.Worked {
		p.Failures = d.Probes[i].Failures + 1
	}
	d.Probes[i] = p
}

// Probes are those that a device has, sorted by name: results of others are forgotten.
type Probes []Probe

func (v Probes) apply(d *Device, _ Observation) {
	list := slices.Clone(v)
	for i, p := range list {
		for _, old := range d.Probes {
			if old.Name == p.Name && old.Partition == p.Partition {
				list[i] = old
			}
		}
	}
	d.Probes = list
}
