package hsm

// A Show is the state of an HSM, from "hsm show" (LunaSH) or "hsm showinfo" (LunaCM).
type Show struct {
	SoftwareVersion  string         `json:"software_version,omitempty"` // of the appliance
	Label            Opt[string]    `json:"label"`                      // known and empty: the HSM has none
	Serial           string         `json:"serial,omitempty"`
	Firmware         string         `json:"firmware,omitempty"`
	RollbackFirmware string         `json:"rollback_firmware,omitempty"` // empty: not stated, or rollback is not possible
	Model            string         `json:"model,omitempty"`
	PartNumber       string         `json:"part_number,omitempty"`
	Authentication   Authentication `json:"authentication,omitempty"` // empty: not stated
	SOLoggedIn       Opt[bool]      `json:"so_logged_in,omitzero"`
	// SOLoginAttemptsLeft is how many failed SO logins remain before the HSM
	// erases itself; unknown if it has done so, which it states instead.
	SOLoginAttemptsLeft Opt[int64] `json:"so_login_attempts_left"`
	// SOFailedLogins is how many SO logins failed since the last successful one;
	// only LunaCM with old firmware states it.
	SOFailedLogins Opt[int64] `json:"so_failed_logins,omitzero"`
	// Zeroized is whether the HSM has no keys and is not initialized.
	Zeroized            Opt[bool]        `json:"zeroized"`
	RPV                 RPV              `json:"rpv,omitempty"`
	AuditRole           AuditRole        `json:"audit_role,omitempty"`
	RemoteLogin         Opt[bool]        `json:"remote_login,omitzero"`
	ManuallyZeroized    Opt[bool]        `json:"manually_zeroized"`
	SecureTransportMode Opt[bool]        `json:"secure_transport_mode"`
	Tamper              TamperState      `json:"tamper,omitempty"`
	Status              Status           `json:"hsm_status,omitempty"` // "": not printed
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

// An AuditRole is whether the audit role is initialized.
type AuditRole string

// The audit role states; "" is unknown.
const (
	AuditNotSupported AuditRole = "not_supported"
	AuditYes          AuditRole = "yes"
	AuditNo           AuditRole = "no"
)

// A TamperState is whether tampers are active.
type TamperState string

// The tamper states; "" is unknown (K5 and K6 do not state it).
const (
	TamperNone     TamperState = "none"
	TamperDetected TamperState = "detected"
)

// A NamedPartition is a partition in the list of "hsm show".
type NamedPartition struct {
	Serial string `json:"serial"`
	Name   string `json:"name"`
}

// Storage is how storage is used, in bytes. Used and Free need not add up to Total: K6
// firmware reserves an overhead for each partition.
type Storage struct {
	Total Opt[int64] `json:"total_bytes"`
	Used  Opt[int64] `json:"used_bytes"`
	Free  Opt[int64] `json:"free_bytes"`
}

// UsedRatio returns the used part of s, 0 to 1, if it is known.
func (s Storage) UsedRatio() (ratio float64, known bool) {
	if !s.Total.Known || !s.Used.Known || s.Total.Value <= 0 {
		return 0, false
	}
	return float64(s.Used.Value) / float64(s.Total.Value), true
}

// An Environment is the values of an HSM card's sensors.
type Environment struct {
	Fans               []Fan        `json:"fans"`
	BatteryVolts       Opt[float64] `json:"battery_volts"`
	BatteryWarning     Opt[float64] `json:"battery_warning_volts"`
	BatteryLow         bool         `json:"battery_low,omitempty"` // the HSM prints its own warning
	TemperatureCelsius Opt[float64] `json:"temperature_celsius"`
	TemperatureWarning Opt[float64] `json:"temperature_warning_celsius"`
	TemperatureHigh    bool         `json:"temperature_high,omitempty"` // the HSM prints its own warning
}

// A Fan is a fan or power supply. Status is as in the source: active, standby, failed,
// OK, ...
type Fan struct {
	Name   string       `json:"name"`
	Status string       `json:"status"`
	RPM    Opt[float64] `json:"rpm,omitzero"`
}

func (v Show) apply(d *Device, o Observation) { d.Show = section(o, v) }
