package alarms

import (
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
		m.Uptime <= other.Uptime
}
