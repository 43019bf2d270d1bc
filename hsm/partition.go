package hsm

import (
	"encoding/json"
	"slices"
)

// A Partition is one key container of an HSM.
type Partition struct {
	Serial      string      `json:"serial,omitempty"`
	Name        string      `json:"name,omitempty"`
	Label       Opt[string] `json:"label"`
	Activated   Opt[bool]   `json:"activated"` // unknown if roles need no activation
	ObjectCount Opt[int64]  `json:"object_count"`
	Storage     Storage     `json:"storage,omitzero"`
	Roles       []Role      `json:"roles"`
	Zeroized    Opt[bool]   `json:"zeroized,omitzero"`
	Status      Status      `json:"status,omitempty"`   // LunaCM; "": not printed
	Policies    *Policies   `json:"policies,omitempty"` // nil: not read
}

// A Role is one role of a partition.
type Role struct {
	Name                 string     `json:"name"` // Partition SO, Crypto Officer, Crypto User; Partition Owner in 5.x
	Initialized          Opt[bool]  `json:"initialized,omitzero"`
	Activated            Opt[bool]  `json:"activated,omitzero"`
	LockedOut            Opt[bool]  `json:"locked_out"`
	LoginAttemptsLeft    Opt[int64] `json:"login_attempts_left"`
	FailedLogins         Opt[int64] `json:"failed_logins,omitzero"` // since the last successful one (LunaCM, old firmware)
	PINToBeChanged       Opt[bool]  `json:"pin_to_be_changed,omitzero"`
	ChallengeToBeChanged Opt[bool]  `json:"challenge_to_be_changed,omitzero"`
}

// Partitions are all partitions of an HSM.
type Partitions []Partition

// MarshalJSON writes {"partitions": [...]}.
func (v Partitions) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Partitions []Partition `json:"partitions"`
	}{v})
}

// apply retains the policies that were read before: no source of Partitions states them.
func (v Partitions) apply(d *Device, o Observation) {
	next := slices.Clone(v)
	for i := range next {
		if j := slices.IndexFunc(d.Partitions.Value, func(p Partition) bool { return p.Serial == next[i].Serial }); j >= 0 && next[i].Policies == nil {
			next[i].Policies = d.Partitions.Value[j].Policies
		}
	}
	d.Partitions = section(o, []Partition(next))
}

// A License is a capability or partition licence of an HSM.
type License struct {
	ID          string     `json:"id"`
	Description string     `json:"description"`
	Total       Opt[int64] `json:"total,omitzero"`     // partitions that it allows, if printed
	Available   Opt[int64] `json:"available,omitzero"` // of those, not yet created (5.x, 6.x)
}

// Licenses are all licences of an HSM.
type Licenses []License

// MarshalJSON writes {"licenses": [...]}.
func (v Licenses) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Licenses []License `json:"licenses"`
	}{v})
}

func (v Licenses) apply(d *Device, o Observation) { d.Licenses = section(o, []License(v)) }

// Policies are the capabilities of an HSM or a partition, and its policies, which can be
// set.
type Policies struct {
	Capabilities []Policy `json:"capabilities"`
	Policies     []Policy `json:"policies"`
}

// A Policy is one capability or policy. Value is as in the source: Allowed, Disallowed,
// True, False, On, Off, or a number.
type Policy struct {
	ID          Opt[int64] `json:"id"` // LunaSH prints no code for capabilities and fixed policies
	Description string     `json:"description"`
	Value       string     `json:"value"`
	Destructive Opt[bool]  `json:"destructive,omitzero"` // a change erases the HSM or partition
}

func (v Policies) apply(d *Device, o Observation) { d.Policies = section(o, v) }

// PartitionPolicies are the policies of one partition, from "partition
// showpolicies".
type PartitionPolicies struct {
	Partition string `json:"partition,omitempty"` // name; empty: that in the current slot of LunaCM
	Serial    string `json:"serial,omitempty"`
	Policies
}

func (v PartitionPolicies) apply(d *Device, o Observation) {
	known := slices.Clone(d.Partitions.Value)
	for i, p := range known {
		if p.Serial == v.Serial && v.Serial != "" || p.Name == v.Partition && v.Partition != "" {
			known[i].Policies = &v.Policies
		}
	}
	d.Partitions.Value, d.Partitions.Seq = known, o.seq
}
