package hsm

// Slots are the slots of a client host, from LunaCM "slot list" or its banner. They are
// state of the host, not of a Device: applied to a Device they change nothing.
type Slots struct {
	Slots []Slot `json:"slots"` // empty: the host sees none
}

func (Slots) apply(*Device, Observation) {}

// A Slot is one slot of a client host: a partition of a Network HSM, the admin or user
// partition of a card or USB device, or the virtual slot of an HA group. Its number
// changes when members or appliances are added or removed; its serial number does not.
type Slot struct {
	ID            int64       `json:"id"`
	TunnelID      Opt[int64]  `json:"tunnel_id,omitzero"` // admin slot through which a user slot is reached
	Label         Opt[string] `json:"label"`              // known and empty: not initialized
	Serial        string      `json:"serial,omitempty"`
	Model         string      `json:"model,omitempty"` // K6 Base, LunaSA 7.0.0, G5Backup, LunaVirtual, ...
	Firmware      string      `json:"firmware,omitempty"`
	Configuration string      `json:"configuration,omitempty"` // that of the HSM if the slot has no other
	Description   string      `json:"description,omitempty"`   // Net Token Slot, User Token Slot, Admin Token Slot, Net Admin Token Slot
	HSMStatus     string      `json:"hsm_status,omitempty"`    // in the vendor's words: OK, Zeroized, Transport Mode, N/A - HA Group, ...
	// HSMConfiguration is printed beside Configuration on admin slots.
	HSMConfiguration string `json:"hsm_configuration,omitempty"`
}

// A CardEnvironment is the values of a card's sensors, from LunaCM "hsm envshow".
// Applied to a Device it replaces the environment of its Show.
type CardEnvironment struct {
	Environment *Environment `json:"environment"`
}

func (v CardEnvironment) apply(d *Device, o Observation) {
	d.Show.Value.Environment, d.Show.Seq = v.Environment, o.seq
}

// A Transport is the secure transport mode of an HSM, from "stm show" (LunaCM)
// or "hsm stm show" (LunaSH). Applied to a Device it replaces that of its Show.
type Transport struct {
	SecureTransportMode Opt[bool] `json:"secure_transport_mode"`
}

func (v Transport) apply(d *Device, o Observation) {
	d.Show.Value.SecureTransportMode, d.Show.Seq = v.SecureTransportMode, o.seq
}

// Roles are the roles of the partition in LunaCM's current slot, from "role show", which
// does not state the partition: applied to a Device they change nothing.
type Roles struct {
	Roles []RoleState `json:"roles"`
}

func (Roles) apply(*Device, Observation) {}

// A RoleState is a Role and its authentication.
type RoleState struct {
	Role
	PrimaryAuthentication   string `json:"primary_authentication,omitempty"`   // PED, PIN, ...
	SecondaryAuthentication string `json:"secondary_authentication,omitempty"` // PIN, None, ...
}
