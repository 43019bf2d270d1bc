package vendor

import (
	"maps"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// Totals are counters that several HSMs share, by object: the increases of all HSMs
// since each was first read, which count from zero then. So they never fall: not when
// an HSM is reset, and not while one is away. The zero Totals is empty.
type Totals struct {
	Sums map[string]uint64            `json:"sums"`
	Last map[string]map[string]uint64 `json:"last"` // by device: what it stated last
}

// Add adds what has increased. reset is whether a counter fell, so that Last alone does
// not tell what was added.
func (t *Totals) Add(src mib.Source) (changed, reset bool) {
	if t.Sums == nil || t.Last == nil {
		t.Sums, t.Last = make(map[string]uint64), make(map[string]map[string]uint64)
	}
	for _, c := range sharedCounters {
		for _, d := range c.devices(src) {
			n := c.part(src, d)
			if !n.Known {
				continue
			}
			last, seen := t.Last[d.Name][c.name]
			if seen && last == n.Value {
				continue
			}
			if t.Last[d.Name] == nil {
				t.Last[d.Name] = make(map[string]uint64)
			}
			changed, reset = true, reset || n.Value < last
			t.Last[d.Name][c.name] = n.Value
			t.Sums[c.name] += since(last, n.Value)
		}
	}
	return changed, reset
}

// since returns by how much a counter has increased: what is less than before counts
// from a reset.
func since(last, now uint64) uint64 {
	if now < last {
		return now
	}
	return now - last
}

// Clone returns the sums, for a [Source].
func (t *Totals) Clone() map[string]uint64 { return maps.Clone(t.Sums) }

// A sharedCounter is a counter without an index, for which every HSM counts.
type sharedCounter struct {
	id      uint32
	name    string
	devices func(mib.Source) []*hsm.Device
	part    func(mib.Source, *hsm.Device) hsm.Opt[uint64]
}
