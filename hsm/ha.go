package hsm

import (
	"strings"
	"time"
)

// HAGroups are the HA groups of a client host as a fresh process sees them, from
// LunaCM "hagroup listgroups" or "vtl haAdmin show". They are state of the host, not of
// a Device: applied to a Device they change nothing.
type HAGroups struct {
	AutoRecovery HARecovery `json:"auto_recovery,omitzero"`
	Logging      Opt[bool]  `json:"ha_logging"`
	LogFile      string     `json:"ha_log_file,omitempty"`
	LogMaxBytes  Opt[int64] `json:"ha_log_max_bytes,omitzero"`
	HAOnly       Opt[bool]  `json:"ha_only"` // applications see HA slots only
	Groups       []HAGroup  `json:"groups"`  // nil: not stated; empty: none
}

func (HAGroups) apply(*Device, Observation) {}

// An HARecovery is the settings for the recovery of lost members. They are the same for
// all groups of a host.
type HARecovery struct {
	Enabled    Opt[bool]  `json:"enabled"`
	Mode       string     `json:"mode,omitempty"`   // activeBasic, activeEnhanced, passive
	MaxRetries Opt[int64] `json:"max_retries"`      // -1: unlimited
	Interval   Opt[int64] `json:"interval_seconds"` // between two attempts
}

// An HAGroup is one group of partitions that hold the same keys.
type HAGroup struct {
	Label           string     `json:"label,omitempty"`
	Serial          string     `json:"serial,omitempty"` // the group's pseudo serial number
	Slot            Opt[int64] `json:"slot"`             // unknown also if the group has none yet
	Synchronization Opt[bool]  `json:"synchronization"`
	NeedsSync       Opt[bool]  `json:"needs_sync"`
	Members         []HAMember `json:"members"` // with the configured ones first, in their order
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

// An HAMemberStatus is whether a fresh process can reach a member. It may be another
// word of the source than the constants.
type HAMemberStatus string

// The statuses of members. Old clients have standby for a standby member that is
// alive.
const (
	HAAlive   HAMemberStatus = "alive"
	HADown    HAMemberStatus = "down"
	HAStandby HAMemberStatus = "standby"
)

// A ClientConfig is a Luna client's Chrystoki.conf or crystoki.ini. It belongs to the
// host, not to a Device: applied to a Device it changes nothing.
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

// An HAConfig is the configuration of HA on a client host.
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
	Path     string     `json:"path,omitempty"` // directory of the log, or its path
	MaxBytes Opt[int64] `json:"max_bytes"`      // at which the file is renamed
}

// haLogName is the name of the log in its directory.
const haLogName = "haErrorLog.txt"

// File returns the path of the log, "" if no directory is configured.
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

// An HALog is consecutive lines of an HA log, oldest first. It is not state: applied to
// a Device it changes nothing.
type HALog struct {
	Events []HAEvent `json:"events"`
}

func (HALog) apply(*Device, Observation) {}

// An HAEvent is one line of an HA log, as one process saw it. Fields that the
// line does not have are empty.
type HAEvent struct {
	// Time is the client's local time, given as if it were UTC: the line states
	// no time zone.
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
	Text     string         `json:"text"` // the message; the whole line if its form is unknown
}

// An HAEventKind is the meaning of an HA log line.
type HAEventKind string

// The kinds, by the messages of Administration Guide 7.2 and of a 6.2 log.
const (
	HAUnknown              HAEventKind = "unknown"
	HAConfiguredPassword   HAEventKind = "configured_as_password"
	HAConfiguredPED        HAEventKind = "configured_as_ped"
	HADropMember           HAEventKind = "drop_member"        // connection lost, noticed in a call
	HADropUnrecoverable    HAEventKind = "drop_unrecoverable" // not reachable when the process started
	HALoginFailed          HAEventKind = "login_failed"       // and automatic recovery is off
	HAMemberDeactivated    HAEventKind = "member_deactivated"
	HAMemberNowActivated   HAEventKind = "member_now_activated"  // and will be recovered
	HAMemberRevoked        HAEventKind = "member_revoked"        // removed from the group by hand
	HAMembersOffline       HAEventKind = "members_offline"       // all of them
	HAThreadStart          HAEventKind = "mgmt_thread_start"     // the process started
	HAThreadTerminate      HAEventKind = "mgmt_thread_terminate" // the process ended
	HANewMember            HAEventKind = "new_member"
	HARecovered            HAEventKind = "recovered"
	HAReintroducing        HAEventKind = "reintroducing"          // objects are being copied
	HARecoveryFailed       HAEventKind = "recovery_failed"        // one attempt
	HARecoveryExhausted    HAEventKind = "recovery_exhausted"     // there will be no more attempts
	HAReenableMember       HAEventKind = "reenable_member"        // recovery was requested by hand
	HAUnrecoverable        HAEventKind = "unrecoverable"          // neither automatically nor by hand
	HAMemberExcluded       HAEventKind = "member_excluded"        // not activated when the process started
	HARecoveryNotActivated HAEventKind = "recovery_not_activated" // not activated, so not recovered
	HAServerDetected       HAEventKind = "server_detected"        // a new appliance in the configuration
	HAServerConnected      HAEventKind = "server_connected"
	HAServerRemoved        HAEventKind = "server_removed" // from the configuration
)
