package hsm

import "strings"

// Sensors is the measurements of an appliance's baseboard controller, from "status
// sensors".
type Sensors struct {
	Sensors       []Sensor          `json:"sensors"`
	PowerSupplies []Fan             `json:"power_supplies"`
	Fans          []Fan             `json:"fans"`
	Chassis       map[string]string `json:"chassis"` // as printed: "Main Power Fault": "false"
}

// A Sensor is one row of "status sensors". It has no threshold that is unknown.
type Sensor struct {
	Name                string       `json:"name"`
	Reading             Opt[float64] `json:"reading"` // unknown: not readable, or discrete
	Unit                string       `json:"unit"`    // RPM, degrees C, Volts, discrete
	Status              string       `json:"status"`  // as printed, lower case: ok, cr *, nr, 0x0200, na
	LowerNonrecoverable Opt[float64] `json:"lower_nonrecoverable"`
	LowerCritical       Opt[float64] `json:"lower_critical"`
	UpperCritical       Opt[float64] `json:"upper_critical"`
	UpperNonrecoverable Opt[float64] `json:"upper_nonrecoverable"`
}

func (v Sensors) apply(d *Device, o Observation) { d.Sensors = section(o, v) }

// A System is the state of an appliance's services, from "status sysstat show".
type System struct {
	State     string    `json:"state,omitempty"` // ISO, IST, OFL, OFT, OOS, or a newer word
	Codes     []int64   `json:"codes"`           // status codes; 0 if there is no fault
	Running   Opt[bool] `json:"running"`         // the status daemon itself; false: the codes are old
	Hostname  string    `json:"hostname,omitempty"`
	CheckTime string    `json:"check_time,omitempty"` // "2006-01-02T15:04", in the appliance's time zone, which is unknown
}

func (v System) apply(d *Device, o Observation) { d.System = section(o, v) }

// A Disk is the file systems of an appliance, from "status disk".
type Disk struct {
	Filesystems []Filesystem `json:"filesystems"`
	SMART       string       `json:"smart,omitempty"` // overall result: PASSED, or another word of the report
}

// A Filesystem is one mounted file system.
type Filesystem struct {
	Mount     string  `json:"mount"`
	Device    string  `json:"device"`
	Total     int64   `json:"total_bytes"`
	Used      int64   `json:"used_bytes"`
	Available int64   `json:"available_bytes"`
	UsedRatio float64 `json:"used_ratio"` // as in df: used / (used + available), rounded up to whole percents
}

func (v Disk) apply(d *Device, o Observation) { d.Disk = section(o, v) }

// A Tamper is the tamper state of an HSM, from "hsm tamper show".
type Tamper struct {
	State   TamperState `json:"tamper"`
	Tampers []string    `json:"tampers"` // in the device's words; only the last event is listed
}

func (v Tamper) apply(d *Device, o Observation) { d.Tamper = section(o, v) }

// A CPU is the load averages of an appliance, from "status cpu": how many
// processes ran or waited on average.
type CPU struct {
	Load1  float64 `json:"load_1m"`
	Load5  float64 `json:"load_5m"`
	Load15 float64 `json:"load_15m"`
}

func (v CPU) apply(d *Device, o Observation) { d.CPU = section(o, v) }

// A RAM is the memory of an appliance, from "status mem", in bytes.
type RAM struct {
	Total     Opt[int64] `json:"total_bytes"`
	Available Opt[int64] `json:"available_bytes"` // without swapping
	SwapTotal Opt[int64] `json:"swap_total_bytes"`
	SwapUsed  Opt[int64] `json:"swap_used_bytes"`
}

func (v RAM) apply(d *Device, o Observation) { d.RAM = section(o, v) }

// PartName returns the name of a sensor or a part in one spelling: sources differ in case,
// blanks, underscores and dots.
func PartName(name string) string { return unparted.Replace(strings.ToUpper(name)) }

var unparted = strings.NewReplacer(" ", "", "_", "", ".", "")
