package hsm

import (
	"encoding/json"
	"strings"
)

// Operations are the numbers of requests to each partition, from the utilization metrics
// of the REST API (7.3 and later, HSM policy 49). They count from ResetTime, so they may
// decrease.
type Operations struct {
	ResetTime  string                `json:"reset_time,omitempty"` // in the form of the source
	Partitions []PartitionOperations `json:"partitions"`
}

// PartitionOperations are the counters of one partition.
type PartitionOperations struct {
	Serial   string            `json:"serial"`
	Label    string            `json:"label,omitempty"`
	Requests map[string]uint64 `json:"requests"` // by kind, as in the source but lower case: sign, verify, key_generation, ...
}

func (v Operations) apply(d *Device, o Observation) { d.Operations = section(o, v) }

// A Service is one service of an appliance, from the REST API.
type Service struct {
	Name   string    `json:"name"`    // ntls, ssh, sysstat, webserver, ...
	Status string    `json:"status"`  // as in the source: running, ...
	OnBoot Opt[bool] `json:"on_boot"` // whether it starts with the appliance
}

// Running returns whether the service runs; unknown if its status is any other word.
func (s Service) Running() Opt[bool] {
	switch status := strings.ToLower(strings.TrimSpace(s.Status)); {
	case strings.HasSuffix(status, "not running"), status == "stopped":
		return Some(false)
	case strings.HasSuffix(status, "running"):
		return Some(true)
	}
	return Opt[bool]{}
}

// Missing reports whether the service starts with the appliance but does not run.
func (s Service) Missing() bool { return Is(s.OnBoot, true) && Is(s.Running(), false) }

// Services are all services of an appliance.
type Services []Service

// MarshalJSON writes {"services": [...]}.
func (v Services) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Services []Service `json:"services"`
	}{v})
}

func (v Services) apply(d *Device, o Observation) { d.Services = section(o, []Service(v)) }
