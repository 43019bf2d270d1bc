package hsm

import (
	"encoding/json"
	"time"
)

// An Information is the counters of an HSM, from "hsm information show". All count from
// the last reset or restart, so they may decrease.
type Information struct {
	OperationRequests Opt[uint64] `json:"operation_requests"`
	OperationErrors   Opt[uint64] `json:"operation_errors"`
	CryptoRequests    Opt[uint64] `json:"crypto_requests"`
	CryptoErrors      Opt[uint64] `json:"crypto_errors"`
	CriticalEvents    Opt[uint64] `json:"critical_events"`
	NoncriticalEvents Opt[uint64] `json:"noncritical_events"`
}

func (v Information) apply(d *Device, o Observation) {
	next := section(o, v)
	if before := d.Information; d.CountedSince.IsZero() || before.Source != o.Source || !before.Fresh(next.Asked()) {
		d.CountedSince = next.Asked()
	}
	d.Information = next
}

// A Monitor is the utilization of an HSM, from "hsm information monitor"
// (LunaSH) or "hsm monitor" (LunaCM).
type Monitor struct {
	Samples         []Sample       `json:"samples"` // oldest first
	IntervalSeconds Opt[int64]     `json:"interval_seconds"`
	AverageRatio    Opt[float64]   `json:"average_ratio"` // over all samples
	LastReset       Opt[LocalTime] `json:"last_reset"`
	// BusySeconds is the time spent on commands since HSM reset, as a source
	// counts it: REST and SNMP do; LunaSH and LunaCM state rounded ratios only.
	BusySeconds Opt[float64] `json:"busy_seconds,omitzero"`
}

// A Sample is one row of the utilization table. Its values of the last interval mean
// nothing while IntervalSeconds is unknown.
type Sample struct {
	UptimeSeconds    uint64  `json:"uptime_seconds"`             // since HSM reset
	Commands         uint64  `json:"commands"`                   // since HSM reset
	CommandsInterval uint64  `json:"commands_interval"`          // in the last interval
	Utilization      float64 `json:"utilization_ratio"`          // since HSM reset
	UtilizationInt   float64 `json:"utilization_interval_ratio"` // in the last interval
}

func (v Monitor) apply(d *Device, o Observation) { d.Monitor = section(o, v) }

// A LocalTime is in the time zone of the appliance, which the source does not
// state. Time has it as if it were UTC; JSON has no zone.
type LocalTime struct{ time.Time }

const localTime = "2006-01-02T15:04:05"

// MarshalJSON writes "2026-02-01T03:04:05".
func (t LocalTime) MarshalJSON() ([]byte, error) { return json.Marshal(t.Format(localTime)) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *LocalTime) UnmarshalJSON(b []byte) (err error) {
	var s string
	if err = json.Unmarshal(b, &s); err == nil {
		t.Time, err = time.Parse(localTime, s)
	}
	return err
}
