// Package memory is what earlier polls of a device showed.
package memory

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Memory is what earlier polls of a device showed, for rules that compare
// with it. It survives restarts.
type Memory struct {
	Serial string    `json:"serial,omitempty"` // of the HSM; "": not read yet
	Since  time.Time `json:"since,omitzero"`   // when that serial number was first read: older data are of another unit

	Activated   []string `json:"activated,omitempty"`   // partitions that were, by serial number
	Initialized []string `json:"initialized,omitempty"` // partitions that were, by serial number
	ListedBy    string   `json:"listed_by,omitempty"`   // source of the partitions; others may name them otherwise

	Uptime    uint64          `json:"uptime,omitzero"`     // s since the HSM's reset
	UptimeAt  time.Time       `json:"uptime_at,omitzero"`  // when that was asked for
	UptimeBy  string          `json:"uptime_by,omitempty"` // source; those of others are not compared with it
	Counters  hsm.Information `json:"counters,omitzero"`
	CountedAt time.Time       `json:"counted_at,omitzero"`
	CountedBy string          `json:"counted_by,omitempty"` // source; some have counters that are always 0

	Proven hsm.Proof `json:"proven,omitzero"`
	Stated Stated    `json:"stated,omitempty"`

	CheckTime string    `json:"check_time,omitempty"` // of the status monitor, as printed
	CheckedAt time.Time `json:"checked_at,omitzero"`  // when that was first read
}

// provenDelay is by how much a proof of an HSM may be newer than what is stored: a
// restart forgets no more.
const provenDelay = 10 * time.Minute

// Steady reports whether what rarely changes is the same in both: the rest is
// worth storing now and then only.
func (m Memory) Steady(other Memory) bool {
	return other.Proven.At.Sub(m.Proven.At) < provenDelay && m.Serial == other.Serial && m.Since.Equal(other.Since) && slices.Equal(m.Activated, other.Activated) &&
		slices.Equal(m.Initialized, other.Initialized) && m.Counters.CriticalEvents == other.Counters.CriticalEvents &&
		m.Uptime <= other.Uptime && maps.EqualFunc(m.Stated, other.Stated, maps.Equal[map[string]string, map[string]string])
}

// Listed returns the partitions of ids that are in a list: others were deleted.
func Listed(ids []string, list []hsm.Partition) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !slices.ContainsFunc(list, func(x hsm.Partition) bool { return PartitionID(x) == id })
	})
}

// mostRemembered bounds the partitions, and the policies, that are remembered; an HSM
// has 100.
const mostRemembered = 1000

// Remembered returns old with the partitions of a list that is holds for.
func Remembered(old []string, list []hsm.Partition, is func(hsm.Partition) bool) []string {
	ids := slices.Clone(old)
	for _, x := range list {
		if id := PartitionID(x); is(x) && !slices.Contains(ids, id) && len(ids) < mostRemembered {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// PartitionID is by what a partition is remembered.
func PartitionID(x hsm.Partition) string { return cmp.Or(x.Serial, x.Name) }
