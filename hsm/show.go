package hsm

// A Show is the state of an HSM as "hsm show" (LunaSH) or "hsm showinfo"
// (LunaCM) tell it.
type Show struct {
	SoftwareVersion  string         `json:"software_version,omitempty"` // of the appliance
	Label            Opt[string]    `json:"label"`                      // may be known and empty
	Serial           string         `json:"serial,omitempty"`
	Firmware         string         `json:"firmware,omitempty"`
	RollbackFirmware string         `json:"rollback_firmware,omitempty"` // empty: not stated, or no rollback possible
	Model            string         `json:"model,omitempty"`
	PartNumber       string         `json:"part_number,omitempty"`
	Authentication   Authentication `json:"authentication,omitempty"` // empty: not stated
	SOLoggedIn       Opt[bool]      `json:"so_logged_in,omitzero"`
	// SOLoginAttemptsLeft is how many wrong SO logins remain before the HSM
	// erases itself; unknown of one that has, which says so in its place.
	SOLoginAttemptsLeft Opt[int64] `json:"so_login_attempts_left"`
	// SOFailedLogins is how many SO logins failed since the last good one;
	// only LunaCM on old firmware counts this way.
	SOFailedLogins Opt[int64] `json:"so_failed_logins,omitzero"`
	// Zeroized tells that the HSM holds no keys and is not initialized.
	Zeroized            Opt[bool]        `json:"zeroized"`
	RPV                 RPV              `json:"rpv,omitempty"`
	AuditRole           AuditRole        `json:"audit_role,omitempty"`
	RemoteLogin         Opt[bool]        `json:"remote_login,omitzero"`
	ManuallyZeroized    Opt[bool]        `json:"manually_zeroized"`
	SecureTransportMode Opt[bool]        `json:"secure_transport_mode"`
	Tamper              TamperState      `json:"tamper,omitempty"`
	Status              string           `json:"hsm_status,omitempty"` // HSM Status in the vendor's words, where printed
	Partitions          []NamedPartition `json:"partitions"`           // nil: not stated; empty: none
	PartitionsAllowed   Opt[int64]       `json:"partitions_allowed"`
	PartitionsCreated   Opt[int64]       `json:"partitions_created"`
	FIPS                Opt[bool]        `json:"fips"`
	LicenseCount        Opt[int64]       `json:"license_count,omitzero"` // LunaCM
	Storage             Storage          `json:"storage,omitzero"`
	Environment         *Environment     `json:"environment,omitempty"` // nil: the model has no such sensors
}

// An Authentication is how roles log in.
type Authentication string

// The authentication methods.
const (
	AuthUnknown  Authentication = "unknown"
	AuthPassword Authentication = "password"
	AuthPED      Authentication = "ped" // PED keys, possibly with a challenge
)

// An RPV is the state of the remote PED vector.
type RPV string

// The remote PED vector states; "" is unknown.
const (
	RPVNotSupported  RPV = "not_supported"
	RPVUninitialized RPV = "uninitialized"
	RPVInitialized   RPV = "initialized"
)

// An AuditRole tells whether the audit role is initialized.
type AuditRole string

// The audit role states; "" is unknown.
const (
	AuditNotSupported AuditRole = "not_supported"
	AuditYes          AuditRole = "yes"
	AuditNo           AuditRole = "no"
)

// A TamperState tells whether tampers are active.
type TamperState string

// The tamper states; "" is unknown (K5 and K6 do not tell).
const (
	TamperNone     TamperState = "none"
	TamperDetected TamperState = "detected"
)

// A NamedPartition is a partition as "hsm show" lists it.
type NamedPartition struct {
	Serial string `json:"serial"`
	Name   string `json:"name"`
}

// Storage is a number of bytes and how they are used. Used and free need not
// sum up to total: K6 firmware keeps an overhead per partition.
type Storage struct {
	Total Opt[int64] `json:"total_bytes"`
	Used  Opt[int64] `json:"used_bytes"`
	Free  Opt[int64] `json:"free_bytes"`
}

// An Environment is what the sensors of an HSM card say.
type Environment struct {
	Fans               []Fan        `json:"fans"`
	BatteryVolts       Opt[float64] `json:"battery_volts"`
	BatteryWarning     Opt[float64] `json:"battery_warning_volts"`
	BatteryLow         bool         `json:"battery_low,omitempty"` // the HSM prints its own warning
	TemperatureCelsius Opt[float64] `json:"temperature_celsius"`
	TemperatureWarning Opt[float64] `json:"temperature_warning_celsius"`
	TemperatureHigh    bool         `json:"temperature_high,omitempty"` // the HSM prints its own warning
}

// A Fan is one fan and its status in the device's word: active, standby,
// failed, OK, ...
type Fan struct {
	Name   string       `json:"name"`
	Status string       `json:"status"`
	RPM    Opt[float64] `json:"rpm,omitzero"`
}

func (v Show) apply(d *Device, o Observation) { d.Show = section(o, v) }
