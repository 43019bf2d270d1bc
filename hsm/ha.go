package hsm

import (
	"strings"
	"time"
)

// HAGroups are the HA groups of a client host as a new process sees them, from
// LunaCM "hagroup listgroups" or "vtl haAdmin show". They are state of the host
// and not of one Device: applied to a Device they change nothing.
type HAGroups struct {
	AutoRecovery HARecovery `json:"auto_recovery,omitzero"`
	Logging      Opt[bool]  `json:"ha_logging"`
	LogFile      string     `json:"ha_log_file,omitempty"`
	LogMaxBytes  Opt[int64] `json:"ha_log_max_bytes,omitzero"`
	HAOnly       Opt[bool]  `json:"ha_only"` // applications see HA slots only
	Groups       []HAGroup  `json:"groups"`  // nil: not stated; empty: none
}

func (HAGroups) apply(*Device, Observation) {}

// An HARecovery is how lost members come back. The settings are the host's,
// the same for all of its groups.
type HARecovery struct {
	Enabled    Opt[bool]  `json:"enabled"`
	Mode       string     `json:"mode,omitempty"`   // activeBasic, activeEnhanced, passive
	MaxRetries Opt[int64] `json:"max_retries"`      // -1: without end
	Interval   Opt[int64] `json:"interval_seconds"` // between two attempts
}

// An HAGroup is one group of partitions that hold the same keys.
type HAGroup struct {
	Label           string     `json:"label,omitempty"`
	Serial          string     `json:"serial,omitempty"` // the group's pseudo serial number
	Slot            Opt[int64] `json:"slot"`             // unknown also where the group has none yet
	Synchronization Opt[bool]  `json:"synchronization"`
	NeedsSync       Opt[bool]  `json:"needs_sync"`
	Members         []HAMember `json:"members"` // configured ones first, in their order
}

// An HAMember is one partition of a group.
type HAMember struct {
	Serial  string         `json:"serial"`
	Label   Opt[string]    `json:"label"`
	Slot    Opt[int64]     `json:"slot"`
	Status  HAMemberStatus `json:"status,omitempty"` // empty: not stated
	Code    string         `json:"code_name,omitempty"`
	Standby Opt[bool]      `json:"standby"`
}

// An HAMemberStatus tells whether a new process can reach a member. A word that
// is not among the constants is the source's own.
type HAMemberStatus string

// The member states. Old clients say standby of a member that is alive.
const (
	HAAlive   HAMemberStatus = "alive"
	HADown    HAMemberStatus = "down"
	HAStandby HAMemberStatus = "standby"
)

// A ClientConfig is a Luna client's Chrystoki.conf or crystoki.ini. It is of
// the host and not of one Device: applied to a Device it changes nothing.
type ClientConfig struct {
	Sections   map[string]map[string]string `json:"sections"`
	HA         HAConfig                     `json:"ha"`
	Servers    []ClientServer               `json:"servers"`                      // registered appliances; nil: none stated
	ClientCert string                       `json:"client_certificate,omitempty"` // path
	ServerCA   string                       `json:"server_certificates,omitempty"`
}

func (ClientConfig) apply(*Device, Observation) {}

// A ClientServer is an appliance that a client is registered with.
type ClientServer struct {
	Name string     `json:"name"` // host name or address
	Port Opt[int64] `json:"port"`
	HTL  Opt[bool]  `json:"htl,omitzero"` // needs a host trust link
}

// An HAConfig is the configured truth of HA on a client host.
type HAConfig struct {
	Groups                 []HAGroup   `json:"groups"` // nil: none stated
	Recovery               HARecovery  `json:"recovery"`
	Log                    HALogConfig `json:"log"`
	HAOnly                 Opt[bool]   `json:"ha_only"`
	FailoverOnDeactivation Opt[bool]   `json:"failover_on_deactivation"`
}

// An HALogConfig is where and how much the client's processes log.
type HALogConfig struct {
	Enabled  Opt[bool]  `json:"enabled"`
	Path     string     `json:"path,omitempty"` // folder of the log
	MaxBytes Opt[int64] `json:"max_bytes"`      // then the file is renamed
}

// haLogName is the name of the log in its folder.
const haLogName = "haErrorLog.txt"

// File returns the path of the log, "" if no folder is configured.
func (c HALogConfig) File() string {
	switch {
	case c.Path == "" || strings.HasSuffix(c.Path, haLogName):
		return c.Path
	case strings.HasSuffix(c.Path, "/") || strings.HasSuffix(c.Path, `\`):
		return c.Path + haLogName
	case strings.Contains(c.Path, `\`):
		return c.Path + `\` + haLogName
	}
	return c.Path + "/" + haLogName
}

// An HALog is a run of lines of an HA log, oldest first. It is not state:
// applied to a Device it changes nothing.
type HALog struct {
	Events []HAEvent `json:"events"`
}

func (HALog) apply(*Device, Observation) {}

// An HAEvent is one line of an HA log, as one process saw it. Fields that the
// line does not have are empty.
type HAEvent struct {
	// Time is the client's local time; the line names no zone, and it is
	// given as if it were UTC.
	Time     Opt[time.Time] `json:"time"`
	PID      Opt[int64]     `json:"pid"`
	Group    string         `json:"group,omitempty"` // pseudo serial number
	Kind     HAEventKind    `json:"kind"`
	Member   string         `json:"member,omitempty"` // serial number
	Attempt  Opt[int64]     `json:"attempt"`          // of recovery
	Objects  Opt[int64]     `json:"objects,omitzero"` // copied to the member
	Server   string         `json:"server,omitempty"` // name or address of an appliance
	Code     string         `json:"code,omitempty"`   // "0x00000030"
	CodeName string         `json:"code_name,omitempty"`
	Text     string         `json:"text"` // the message; the whole line where its form is unknown
}

// An HAEventKind is what an HA log line says.
type HAEventKind string

// The kinds, by the messages of Administration Guide 7.2 and of a 6.2 log.
const (
	HAUnknown              HAEventKind = "unknown"
	HAConfiguredPassword   HAEventKind = "configured_as_password"
	HAConfiguredPED        HAEventKind = "configured_as_ped"
	HADropMember           HAEventKind = "drop_member"            // connection lost, noticed in a call
	HADropUnrecoverable    HAEventKind = "drop_unrecoverable"     // not reachable when the process began
	HALoginFailed          HAEventKind = "login_failed"           // and auto recovery is off
	HAMemberDeactivated    HAEventKind = "member_deactivated"     //
	HAMemberNowActivated   HAEventKind = "member_now_activated"   // and comes back
	HAMemberRevoked        HAEventKind = "member_revoked"         // taken out of the group by hand
	HAMembersOffline       HAEventKind = "members_offline"        // all of them
	HAThreadStart          HAEventKind = "mgmt_thread_start"      // the process began
	HAThreadTerminate      HAEventKind = "mgmt_thread_terminate"  // the process ended
	HANewMember            HAEventKind = "new_member"             //
	HARecovered            HAEventKind = "recovered"              //
	HAReintroducing        HAEventKind = "reintroducing"          // objects are copied
	HARecoveryFailed       HAEventKind = "recovery_failed"        // one attempt
	HARecoveryExhausted    HAEventKind = "recovery_exhausted"     // no more attempts
	HAReenableMember       HAEventKind = "reenable_member"        // recovery asked for by hand
	HAUnrecoverable        HAEventKind = "unrecoverable"          // and no recovery will do
	HAMemberExcluded       HAEventKind = "member_excluded"        // not activated when the process began
	HARecoveryNotActivated HAEventKind = "recovery_not_activated" // not activated, so not recovered
	HAServerDetected       HAEventKind = "server_detected"        // new appliance in the configuration
	HAServerConnected      HAEventKind = "server_connected"       //
	HAServerRemoved        HAEventKind = "server_removed"         // from the configuration
)
