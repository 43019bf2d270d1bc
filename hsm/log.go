package hsm

import (
	"regexp"
	"slices"
	"time"
)

// A LogLine is one line of a log of the appliance or of the host of a card.
// Fields that the line does not have are empty.
type LogLine struct {
	// Time is that of the line. The appliance's own file format and dmesg -T
	// state no time zone; their time is given as if it were UTC. It is unknown
	// for a line without a year (RFC 3164) or with only the time since boot: see
	// Stamp and UptimeSeconds.
	Time          Opt[time.Time] `json:"time"`
	Stamp         string         `json:"stamp,omitempty"` // "Feb  1 11:06:55" of RFC 3164
	UptimeSeconds Opt[float64]   `json:"uptime_seconds,omitzero"`
	Host          string         `json:"host,omitempty"`
	Facility      string         `json:"facility,omitempty"` // kern, daemon, local5, ...
	Severity      string         `json:"severity,omitempty"` // emerg, alert, crit, err, warning, notice, info, debug
	Process       string         `json:"process,omitempty"`
	PID           Opt[int64]     `json:"pid,omitzero"`
	Message       string         `json:"message"` // the whole line if its form is unknown
	Alarm         *LogAlarm      `json:"alarm,omitempty"`
	Audit         *AuditRecord   `json:"audit,omitempty"`
	HA            *HAEvent       `json:"ha,omitempty"` // of a line of an HA log, in place of all but Time and Message
	Test          bool           `json:"test"`         // made by "sysconf snmp trap test", and no alarm
}

// FromKernel reports whether l is certainly a message of the kernel. Where "kernel: "
// is missing, a card's driver or an ALM code stands in the place of the process.
func (l *LogLine) FromKernel() bool {
	switch p := l.Process; {
	case p == "kernel":
		return true
	case l.Facility != "" && l.Facility != "kern":
		return false
	case p == "":
		return l.Facility == "kern" || l.UptimeSeconds.Known
	default:
		return driverTag.MatchString(p) || l.Facility == "kern" && codeTag.MatchString(p)
	}
}

var (
	driverTag = regexp.MustCompile(`^(?i:k7pf|viper)[0-9]+$`)
	codeTag   = regexp.MustCompile(`^ALM_?[0-9]{4}$`)
)

// A LogAlarm is an HSM alarm (ALM code) in a log line.
type LogAlarm struct {
	Code      string      `json:"code"`                // four digits: "2007"
	Component string      `json:"component,omitempty"` // host-driver, bootloader, firmware; empty: unknown
	Card      string      `json:"card,omitempty"`      // driver instance: k7pf0
	Text      string      `json:"text"`
	Value     Opt[string] `json:"value"` // degrees Celsius, the number of the fan, or the ID of an unknown alarm
}

// An AuditRecord is one record of an HSM's audit log.
type AuditRecord struct {
	Sequence Opt[int64] `json:"sequence,omitzero"` // one more for each record of an HSM
	// Time is that of the HSM's clock, which states no zone; it is given as if it
	// were UTC. It is unknown where the date can be read in several orders; Stamp
	// has it as printed.
	Time      Opt[time.Time] `json:"time,omitzero"`
	Stamp     string         `json:"stamp,omitempty"`
	Serial    string         `json:"serial,omitempty"`        // of the HSM or of a partition
	Event     string         `json:"event"`                   // the vendor's name, such as LUNA_LOGIN; "": none was found
	Result    string         `json:"result,omitempty"`        // RC_OK, LUNA_RET_..., CKR_...; "": none was found
	Partition string         `json:"partition,omitempty"`     // serial number of the partition that it is about
	Previous  string         `json:"previous_hmac,omitempty"` // HMAC of the record before, in hexadecimal digits
	Text      string         `json:"text"`                    // the record without padding, HMAC and raw data
}

// Times returns when a record may have been made, oldest first: the documents
// do not say in which order year, month and day are printed.
func (r AuditRecord) Times() []time.Time {
	var all []time.Time
	for _, order := range []string{"06/01/02", "02/01/06", "01/02/06"} {
		if at, err := time.Parse(order+" 15:04:05", r.Stamp); err == nil && !slices.ContainsFunc(all, at.Equal) {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// An AuditLog is consecutive audit records, oldest first. It is not state: applied to a
// Device it changes nothing.
type AuditLog struct {
	Records []AuditRecord `json:"records"`
}

func (AuditLog) apply(*Device, Observation) {}

// A Log is consecutive log lines, oldest first. It is not state: applied to a Device it
// changes nothing.
type Log struct {
	Events []LogLine `json:"events"`
}

func (Log) apply(*Device, Observation) {}
