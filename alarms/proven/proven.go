// Package proven finds out when an HSM did work for somebody other than the agent,
// without a login of its own.
package proven

import (
	"maps"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// precise is how far apart two readings of a counter may be for its rise to prove
// work at the time of the later one. Of readings further apart it is only known that
// the work was done after the earlier one.
const precise = time.Minute + 15*time.Second

// What the requests of an HSM rise by without a client. Each command of LunaSH costs
// 42 to 47, or a few seconds of those of the appliance's own services: NTLS more than
// 600 in a minute, sysstatd 75 to 100, luna-snmp 49. What is far above ten times as
// many is work.
const (
	mostPerCommand = 100
	mostPerMinute  = 10_000
)

// By returns what an observation of a device proves: d is the device before it, which
// holds the earlier reading. False: nothing. A counter that fell proves nothing, and
// neither does one that another source read before.
func By(d *hsm.Device, o hsm.Observation) (hsm.Proof, bool) {
	if d == nil || o.Failure != hsm.None {
		return hsm.Proof{}, false
	}
	for _, f := range o.Facts {
		switch next := f.(type) {
		case hsm.Information:
			if worked(d.Information.Value, next, sentSince(d, d.Information.At), o.At.Sub(d.Information.Asked())) {
				return proof(d.Information.Asked(), d.Information.Source, o)
			}
		case hsm.Operations:
			if operated(d.Operations.Value, next) {
				return proof(d.Operations.Asked(), d.Operations.Source, o)
			}
		}
	}
	return hsm.Proof{}, false
}

// proof returns what a rise proves of a counter that its source has read before.
func proof(before time.Time, by string, o hsm.Observation) (hsm.Proof, bool) {
	asked := o.At.Add(-o.Took)
	if before.IsZero() || by != o.Source || !asked.After(before) {
		return hsm.Proof{}, false
	}
	if asked.Sub(before) > precise {
		return hsm.Proof{At: before, By: o.Source}, true
	}
	return hsm.Proof{At: asked, By: o.Source}, true
}

// worked reports whether counters rose by more than the agent, which has sent so many
// commands in that time, and the appliance itself explain. The requests of clients are
// only theirs. All requests count where those are not stated.
func worked(old, next hsm.Information, sent int, within time.Duration) bool {
	if next.CryptoRequests.Known || old.CryptoRequests.Known {
		return rose(old.CryptoRequests, next.CryptoRequests) > 0
	}
	own := float64(mostPerCommand*sent) + mostPerMinute*within.Minutes()
	return float64(rose(old.OperationRequests, next.OperationRequests)) > own
}

// rose returns by how much a counter is known to have risen.
func rose(old, next hsm.Opt[uint64]) uint64 {
	if !old.Known || !next.Known || next.Value < old.Value {
		return 0
	}
	return next.Value - old.Value
}

// sentSince bounds how many commands the agent has sent to an HSM since a time.
func sentSince(d *hsm.Device, at time.Time) int {
	n := 1 + len(d.Clients.Value) // each is asked for in one source
	for s := range maps.Values(d.Sources) {
		if !s.At.Before(at) {
			n++
		}
	}
	return n
}

// operated reports whether the requests to a partition rose. The agent makes none: it
// logs in to no partition.
func operated(old, next hsm.Operations) bool {
	if old.ResetTime != next.ResetTime {
		return false
	}
	before := make(map[string]map[string]uint64, len(old.Partitions))
	for _, p := range old.Partitions {
		before[p.Serial] = p.Requests
	}
	for _, p := range next.Partitions {
		for kind, n := range p.Requests {
			if was, stated := before[p.Serial][kind]; stated && n > was {
				return true
			}
		}
	}
	return false
}
