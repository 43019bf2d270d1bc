package hsm

import "time"

// An HA is the state of the HA groups of a client host, combined from what its processes
// and a fresh process see.
type HA struct {
	Groups       []HAGroupState      `json:"groups"`
	Recovery     HARecovery          `json:"auto_recovery"`
	Logging      Opt[bool]           `json:"ha_logging"`
	LogFile      string              `json:"ha_log_file,omitempty"`
	UnknownLines int64               `json:"unknown_log_lines"` // of the HA log, since the agent started
	Certificates []ClientCertificate `json:"certificates"`
}

func (v HA) apply(d *Device, o Observation) { d.HA = section(o, v) }

// An HAGroupState is one HA group.
type HAGroupState struct {
	Label            string          `json:"label,omitempty"`
	Serial           string          `json:"serial,omitempty"` // the group's pseudo serial number
	Members          []HAMemberState `json:"members"`
	Expected         int64           `json:"expected"`          // configured members
	Alive            int64           `json:"alive"`             // members that are alive, without standby members
	Standby          int64           `json:"standby"`           // standby members that are alive
	StandbyInUse     Opt[bool]       `json:"standby_in_use"`    // only standby members are alive; unknown while the state of another is
	Redundancy       Opt[int64]      `json:"redundancy"`        // members that can still be lost; unknown while the state of a member is
	Offline          bool            `json:"offline"`           // no member is alive
	RecoveryDisabled bool            `json:"recovery_disabled"` // although members are lost
}

// Name returns the group's label, or its serial number if it has none.
func (g HAGroupState) Name() string {
	if g.Label != "" {
		return g.Label
	}
	return g.Serial
}

// An HAMemberState is one member of a group.
type HAMemberState struct {
	Serial      string       `json:"serial"`
	Label       Opt[string]  `json:"label"`
	State       HAMembership `json:"state"`
	Standby     bool         `json:"standby"`
	Since       time.Time    `json:"since,omitzero"`      // zero: unknown
	Attempt     Opt[int64]   `json:"attempt"`             // number of the last attempt at recovery
	MaxAttempts Opt[int64]   `json:"max_attempts"`        // -1: unlimited
	LostBy      []int64      `json:"lost_by"`             // running processes that last reported it lost
	Reachable   Opt[bool]    `json:"reachable"`           // by a fresh process, when last asked
	Code        string       `json:"code_name,omitempty"` // the client's return code for the cause
	Word        string       `json:"word,omitempty"`      // what a fresh process says of it, if it is no known word
}

// An HAMembership is the state of a member in its group.
type HAMembership string

// The memberships, from good to bad. A group can use a member only in HAStateAlive, and
// may in HAStateUnknown.
const (
	HAStateUnknown     HAMembership = "unknown"
	HAStateAlive       HAMembership = "alive"
	HAStateDown        HAMembership = "down"
	HAStateRecovering  HAMembership = "recovering" // attempts are being made
	HAStateRevoked     HAMembership = "revoked"    // removed by hand, but still configured
	HAStateExcluded    HAMembership = "excluded"   // not activated when the process started
	HAStateDeactivated HAMembership = "deactivated"
	HAStateExhausted   HAMembership = "exhausted" // there will be no more attempts
)

// HAMemberships returns all memberships, from good to bad.
func HAMemberships() []HAMembership {
	return []HAMembership{
		HAStateUnknown, HAStateAlive, HAStateDown, HAStateRecovering, HAStateRevoked, HAStateExcluded, HAStateDeactivated, HAStateExhausted,
	}
}

// Lost reports whether the group cannot use a member in this state.
func (m HAMembership) Lost() bool { return m != HAStateAlive && m != HAStateUnknown }

// A ClientCertificate is a certificate in a file that a Luna client's configuration
// names.
type ClientCertificate struct {
	Role     string    `json:"role"` // client; server: of an appliance that the client is registered with
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
}
