package hsm

import "time"

// A Host is the machine that the agent runs on, possibly with a Luna client. What it
// does not have, such as sensors in a virtual machine, is empty.
type Host struct {
	Name        string             `json:"name"`
	Boot        time.Time          `json:"boot"`
	CPUs        int64              `json:"cpus"`
	CPUSeconds  map[string]float64 `json:"cpu_seconds"` // by mode, over all CPUs, since boot
	Load        [3]float64         `json:"load"`        // over 1, 5 and 15 minutes
	Memory      Memory             `json:"memory"`
	Filesystems []Filesystem       `json:"filesystems"`
	Interfaces  []Interface        `json:"interfaces"`
	Sensors     []HostSensor       `json:"sensors"`
	Processes   []Process          `json:"processes"`  // those that used most CPU time since the last poll, most first
	Daemons     map[string]int64   `json:"daemons"`    // processes of each Luna daemon; 0: not running
	NTLSLinks   map[string]int64   `json:"ntls_links"` // established connections to port 1792, by the appliance's address
}

// Memory is bytes of memory and swap, and pages moved since boot.
type Memory struct {
	Total     int64 `json:"total_bytes"`
	Available int64 `json:"available_bytes"`
	SwapTotal int64 `json:"swap_total_bytes"`
	SwapUsed  int64 `json:"swap_used_bytes"`
	SwapIn    int64 `json:"swap_in_bytes"`  // since boot
	SwapOut   int64 `json:"swap_out_bytes"` // since boot
	PageIn    int64 `json:"page_in_bytes"`  // from disk, since boot
	PageOut   int64 `json:"page_out_bytes"` // to disk, since boot
	Faults    int64 `json:"major_faults"`   // since boot
}

// An Interface is a network interface. Its counters count from boot.
type Interface struct {
	Name           string `json:"name"`
	Up             bool   `json:"up"` // operational
	ReceivedBytes  uint64 `json:"received_bytes"`
	SentBytes      uint64 `json:"sent_bytes"`
	ReceiveErrors  uint64 `json:"receive_errors"`
	SendErrors     uint64 `json:"send_errors"`
	ReceiveDropped uint64 `json:"receive_dropped"`
	SendDropped    uint64 `json:"send_dropped"`
}

// A HostSensor is a temperature sensor or a fan that the kernel has.
type HostSensor struct {
	Name     string       `json:"name"`
	Unit     string       `json:"unit"` // degrees C or RPM
	Reading  float64      `json:"reading"`
	Critical Opt[float64] `json:"critical"`
}

// A Process is a running program.
type Process struct {
	PID      int32   `json:"pid"`
	Name     string  `json:"name"`
	CPU      float64 `json:"cpu_ratio"` // of one CPU, since the last poll; may exceed 1
	Resident int64   `json:"resident_bytes"`
}

func (v Host) apply(d *Device, o Observation) { d.Host = section(o, v) }
