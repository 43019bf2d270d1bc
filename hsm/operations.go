package hsm

import (
	"encoding/json"
	"strings"
)

// Operations counts what applications asked of each partition, from the
// utilization metrics of the REST API (7.3 and later, HSM policy 49). The
// counters count from ResetTime, and so may fall.
type Operations struct {
	ResetTime  string                `json:"reset_time,omitempty"` // in the source's own form
	Partitions []PartitionOperations `json:"partitions"`
}

// A PartitionOperations is the counters of one partition.
type PartitionOperations struct {
	Serial   string            `json:"serial"`
	Label    string            `json:"label,omitempty"`
	Requests map[string]uint64 `json:"requests"` // by kind, in the source's words in lower case: sign, verify, key_generation, ...
}

func (v Operations) apply(d *Device, o Observation) { d.Operations = section(o, v) }

// A Service is one service of an appliance, from the REST API.
type Service struct {
	Name   string    `json:"name"`    // ntls, ssh, sysstat, webserver, ...
	Status string    `json:"status"`  // in the source's word: running, ...
	OnBoot Opt[bool] `json:"on_boot"` // it starts with the appliance
}

// Running reports whether the service runs; unknown if its status is a word
// that does not say so.
func (s Service) Running() Opt[bool] {
	switch status := strings.ToLower(strings.TrimSpace(s.Status)); {
	case strings.HasSuffix(status, "not running"), status == "stopped":
		return Some(false)
	case strings.HasSuffix(status, "running"):
		return Some(true)
	}
	return Opt[bool]{}
}

// Missing reports whether the service is to start with the appliance and does
// not run.
func (s Service) Missing() bool { return Is(s.OnBoot, true) && Is(s.Running(), false) }

// Services is every service of an appliance.
type Services []Service

// MarshalJSON writes {"services": [...]}.
func (v Services) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Services []Service `json:"services"`
	}{v})
}

func (v Services) apply(d *Device, o Observation) { d.Services = section(o, []Service(v)) }
