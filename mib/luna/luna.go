// Package luna has the HSMs, hosts and sources as tables of LUNAWATCH-MIB: what the vendor's
// modules have no object for, with a row also for an HSM that cannot be read.
package luna

import (
	"iter"
	"math"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

var lunaObjects = agentx.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 5862, 1}

// Tables returns the tables, in the order of their OIDs. Their subtree is that of the
// alarms of LUNAWATCH-MIB.
func Tables() mib.Tables { return tables }

var tables = mib.Tables{
	agentScalars,
	hsmTable,
	hsmAges,
	partitionTable,
	roleTable,
	sensorTable,
	haGroupTable,
	haMemberTable,
	sourceTable,
	sourceAges,
	operationTable,
}

// itself yields an HSM as the only row below its name.
func itself(d mib.Device) iter.Seq2[agentx.OID, mib.Device] {
	return func(yield func(agentx.OID, mib.Device) bool) {
		if d.Kind != hsm.HostMachine {
			yield(d.Index, d)
		}
	}
}

// of returns the part of a section's value that get returns; none unless it is fresh.
func of[T any](section func(*hsm.Device) hsm.Section[T], get func(T) agentx.Value) func(mib.Device) agentx.Value {
	return func(d mib.Device) agentx.Value {
		if v, fresh := section(d.Device).Get(d.Source.Now); fresh {
			return get(v)
		}
		return agentx.Value{}
	}
}

func text(s string) agentx.Value { return mib.Admin(s) }

// known returns none for text that no source stated.
func known(s string) agentx.Value {
	if s == "" {
		return agentx.Value{}
	}
	return mib.Admin(s)
}

func truth(o hsm.Opt[bool]) agentx.Value { return mib.Optional(o, mib.Truth) }

// count is a Gauge32, and none for what is negative.
func count(o hsm.Opt[int64]) agentx.Value {
	return mib.Optional(o, func(n int64) agentx.Value {
		if n < 0 {
			return agentx.Value{}
		}
		return mib.Gauge32(uint64(n))
	})
}

// size is a CounterBasedGauge64: the bytes of a storage need not fit a Gauge32, and in
// kilobytes they would not be those that the HSM prints.
func size(o hsm.Opt[int64]) agentx.Value {
	return mib.Optional(o, func(n int64) agentx.Value {
		if n < 0 {
			return agentx.Value{}
		}
		return agentx.Counter64(uint64(n))
	})
}

func counter(o hsm.Opt[uint64]) agentx.Value { return mib.Optional(o, agentx.Counter64) }

// milli is in thousandths, and none for what an Integer32 cannot hold.
func milli(o hsm.Opt[float64]) agentx.Value {
	return mib.Optional(o, func(v float64) agentx.Value {
		n := math.Round(1000 * v)
		if !(math.Abs(n) <= math.MaxInt32) {
			return agentx.Value{}
		}
		return agentx.Integer(int32(n))
	})
}

// hundredths is a ratio of 0 to 1 in hundredths of a percent.
func hundredths(ratio float64) agentx.Value {
	if !(ratio >= 0 && ratio <= 1) {
		return agentx.Value{}
	}
	return agentx.Gauge32(uint32(math.Round(10000 * ratio)))
}

func state(s mib.State) agentx.Value { return agentx.Integer(int32(s)) }

// ageStep is how exact ages are: a View has to be encoded anew for each step.
const ageStep = 10 * time.Second

// age is in seconds.
func age(d mib.Device, since time.Time) agentx.Value {
	if since.IsZero() {
		return agentx.Value{}
	}
	return agentx.Gauge32(uint32(max(0, d.Source.Now.Truncate(ageStep).Sub(since)/ageStep*10)))
}

// aging makes parts that are encoded anew for each step, whatever else changes.
func aging[R any](rows func(mib.Device) iter.Seq2[agentx.OID, R]) func(mib.Source) iter.Seq[mib.Part[R]] {
	parts := mib.ByDevice(func(d mib.Device) []any { return []any{d.Device, d.Source.Now.Truncate(ageStep)} }, rows)
	return func(src mib.Source) iter.Seq[mib.Part[R]] {
		return func(yield func(mib.Part[R]) bool) {
			for p := range parts(src) {
				p.Unchanged = false
				if !yield(p) {
					return
				}
			}
		}
	}
}

// The layers of a way that can be broken, as LunaReach, outermost first.
const (
	reached      = 1
	reachUnknown = 2
)

var layers = func() map[hsm.Layer]int32 {
	m := map[hsm.Layer]int32{}
	for i, l := range []hsm.Layer{
		hsm.LayerName, hsm.LayerRoute, hsm.LayerNoAnswer, hsm.LayerPortRefused, hsm.LayerHandshake, hsm.LayerIdentity,
		hsm.LayerAccount, hsm.LayerShell, hsm.LayerCard, hsm.LayerSessionLost,
	} {
		m[l] = int32(i) + 3
	}
	return m
}()
