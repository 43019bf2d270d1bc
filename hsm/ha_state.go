package hsm

import "time"

// An HA is what the HA groups of a client host are in, as its processes see it
// and as a new process would.
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
	Expected         int64           `json:"expected"`          // members that are configured
	Alive            int64           `json:"alive"`             // of them, without standby members
	Standby          int64           `json:"standby"`           // alive and only used when no other is
	StandbyInUse     Opt[bool]       `json:"standby_in_use"`    // no other member is left; unknown while the state of one that could be is
	Redundancy       Opt[int64]      `json:"redundancy"`        // members that can still be lost; unknown while some member's state is
	Offline          bool            `json:"offline"`           // no member is left
	RecoveryDisabled bool            `json:"recovery_disabled"` // though members are down
}

// Name returns the group's label, or else its number.
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
	Attempt     Opt[int64]   `json:"attempt"`             // of recovery, the last that was made
	MaxAttempts Opt[int64]   `json:"max_attempts"`        // -1: without end
	LostBy      []int64      `json:"lost_by"`             // processes that run and have lost it, by their last word
	Reachable   Opt[bool]    `json:"reachable"`           // by a new process, when last asked
	Code        string       `json:"code_name,omitempty"` // why, in the client's words
}

// An HAMembership is what a member is to its group.
type HAMembership string

// The memberships, from good to bad. All but HAStateAlive and HAStateUnknown
// are without use to the group.
const (
	HAStateUnknown     HAMembership = "unknown"
	HAStateAlive       HAMembership = "alive"
	HAStateDown        HAMembership = "down"
	HAStateRecovering  HAMembership = "recovering"  // attempts are made
	HAStateRevoked     HAMembership = "revoked"     // taken out by hand, and configured still
	HAStateExcluded    HAMembership = "excluded"    // not activated when the process began
	HAStateDeactivated HAMembership = "deactivated" //
	HAStateExhausted   HAMembership = "exhausted"   // no attempt will be made any more
)

// HAMemberships lists every HAMembership.
var HAMemberships = []HAMembership{
	HAStateUnknown, HAStateAlive, HAStateDown, HAStateRecovering, HAStateRevoked, HAStateExcluded, HAStateDeactivated, HAStateExhausted,
}

// Lost reports whether a member in this state is of no use to its group.
func (m HAMembership) Lost() bool { return m != HAStateAlive && m != HAStateUnknown }

// A ClientCertificate is one certificate that a Luna client's configuration
// names.
type ClientCertificate struct {
	Role     string    `json:"role"` // client; server: of an appliance that it is registered with
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"not_after"`
}
