package hsm

// A Partition is one key container of an HSM.
type Partition struct {
	Serial      string      `json:"serial"`
	Name        string      `json:"name"`
	Label       Opt[string] `json:"label"`
	Activated   Opt[bool]   `json:"activated"` // not stated where roles need no activation
	ObjectCount Opt[int64]  `json:"object_count"`
	Storage     Storage     `json:"storage,omitzero"`
	Roles       []Role      `json:"roles"`
	Zeroized    Opt[bool]   `json:"zeroized,omitzero"`
	Policies    *Policies   `json:"policies,omitempty"` // nil: not read
}

// A Role is one role of a partition.
type Role struct {
	Name                 string     `json:"name"` // Partition SO, Crypto Officer, Crypto User; Partition Owner in 5.x
	Initialized          Opt[bool]  `json:"initialized,omitzero"`
	Activated            Opt[bool]  `json:"activated,omitzero"`
	LockedOut            Opt[bool]  `json:"locked_out"`
	LoginAttemptsLeft    Opt[int64] `json:"login_attempts_left"`
	PINToBeChanged       Opt[bool]  `json:"pin_to_be_changed,omitzero"`
	ChallengeToBeChanged Opt[bool]  `json:"challenge_to_be_changed,omitzero"`
}

// Partitions is every partition of an HSM.
type Partitions []Partition

func (v Partitions) apply(d *Device, o Observation) { d.Partitions = section(o, []Partition(v)) }

// A License is a capability or partition licence of an HSM.
type License struct {
	ID          string `json:"id"`
	Description string `json:"description"`
}

// Licenses is every licence of an HSM.
type Licenses []License

func (v Licenses) apply(d *Device, o Observation) { d.Licenses = section(o, []License(v)) }

// Policies are what an HSM or a partition can do and what it is set to.
type Policies struct {
	Capabilities []Policy `json:"capabilities"`
	Policies     []Policy `json:"policies"`
}

// A Policy is one capability or policy. Value is in the source's word:
// Allowed, Disallowed, True, False, On, Off, or a number.
type Policy struct {
	ID          Opt[int64] `json:"id"` // LunaSH prints no code for capabilities and fixed policies
	Description string     `json:"description"`
	Value       string     `json:"value"`
	Destructive Opt[bool]  `json:"destructive,omitzero"` // changing it erases the HSM or partition
}

func (v Policies) apply(d *Device, o Observation) { d.Policies = section(o, v) }
