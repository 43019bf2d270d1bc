package alarms

import (
	"slices"
)

// A Group is one kind of problem, whichever source reports it. Its row is all
// there is to it; a rule or a code raises its alarms.
type Group struct {
	Name   string
	Number uint32 // alarmModelIndex: never changed, since managers know it; a new group gets the next
	Title  string
	Trap   Trap   // the vendor's notification for it
	Action string // what to do, for people
	Means  string // what it means, for people; "": what its codes say

	// Check has commands that only read, to look first: of LunaSH, or with "lunacm: "
	// of LunaCM, or with "host: " of the client's or the agent's host; lunawatch's own
	// begin with its name. Keys are those under alarms of the configuration by which it
	// is raised and clears.
	Check, Keys []string

	// X.733 event type and probable cause of alarms without a code. A row
	// leaves them out if they are those of the group's first code.
	Type, Cause string

	ClearedBy   ClearRule // polls that clear an alarm from a log; zero: only a code, a rule or time does
	Ages        bool      // some of its alarms are one-off events, which clear by themselves
	Self        bool      // about Lunawatch itself, checked with every poll
	OfPartition bool      // its objects are partitions
	Category    string    // level category shows this group, under this title, in place of all with its Trap; "": it shows another

	Tamper       tamper   // how it stops the card by itself; 0: it does not
	afterTampers tamper   // tampers that explain its alarms while they are active
	Causes       []string // other groups that explain its alarms, on the same device and card
	ParentCauses []string // groups that explain its alarms, on what the device depends on
	Unread       bool     // it says only that something is not read
}

// A tamper is one way in which a card is stopped, or a set of them.
type tamper int

const (
	softTamper tamper = 1 << iota
	hardTamper
	intrusion
	decommission
	anyTamper = softTamper | hardTamper | intrusion | decommission
)

// A Trap is a notification of SAFENET-APPLIANCE-MIB.
type Trap string

// The notifications.
const (
	FanAttention         Trap = "fanAttentionNotify"
	PowerSupplyAttention Trap = "powerSupplyAttentionNotify"
	MotherboardAttention Trap = "motherboardAttentionNotify"
	DiskDriveAttention   Trap = "diskDriveAttentionNotify"
	NTLSAttention        Trap = "ntlsAttentionNotify"
	CryptoAttention      Trap = "cryptoAttentionNotify"
)

// Advice that several groups share.
const (
	adviseCool       = "Check the room, the chassis and its fans. When the temperature is back in range, restart the HSM (hsm restart) and read hsm tamper show."
	advisePower      = "Check the power supplies of the host or appliance. When the voltage is back in range, restart the HSM (hsm restart)."
	adviseSoft       = "Check the temperature of the room and the chassis, and the power supplies. When both are back in range, restart the HSM (hsm restart) and read hsm tamper show."
	adviseTamper     = "Restart the HSM, then read hsm tamper show. The SO clears the tamper if policy 48 is on; activate the partitions again. If the cause is unknown, send hsm supportinfo to the vendor's support."
	adviseClear      = "Read hsm tamper show and remove the cause. The SO clears the tamper (hsm tamper clear) if policy 48 is on; then restart the HSM and activate the partitions again."
	advisePowerCycle = "Check the chassis, and power the host off and on, or reboot the appliance: only then hsm tamper show says why."
	adviseRestart    = "Restart the HSM (hsm restart); if that fails, power cycle it. If it comes back, send hsm supportinfo to the vendor's support."
	adviseRestore    = "Find out who or what did it. Initialize the HSM, create its partitions and restore the keys from a backup."
	adviseErased     = "Find out who or what did it. Clear the tamper if the HSM is locked. Initialize the HSM and its audit role, create its partitions and restore the keys from a backup."
	adviseSupport    = "Note the line and ask the vendor's support."
	adviseBattery    = "Ask the vendor's support to replace the unit soon, and check that backups are current: the battery of a K7 cannot be changed."
	adviseReach      = "Check network, power and the agent's account on the appliance. Of a card: kernel log (ALM0015), power, and the Luna client of its host. Until it is reachable, nothing is known of this HSM."
)

// What to look at that several groups share.
var (
	checkTamper = []string{"hsm tamper show", "hsm show", "status sensors", "lunacm: hsm tampershow"}
	checkCard   = []string{"hsm show", "syslog tail -logname hsm", "lunacm: hsm showinfo"}
	checkHA     = []string{"lunawatch ha show", "lunacm: hagroup listgroups", "host: vtl verify"}
)

// groups is every group, by the order in which the documentation lists them.
var groups = completed(append([]Group{
	{Name: "soft-v", Number: 1, Title: "Soft tamper: voltage", Trap: CryptoAttention,
		Tamper: softTamper, Causes: []string{"hard-ov"}, ClearedBy: whenAnswering,
		Check:  checkTamper,
		Action: advisePower},
	{Name: "soft-t", Number: 2, Title: "Soft tamper: temperature", Trap: CryptoAttention,
		Tamper: softTamper, Causes: []string{"hard-ht", "hard-lt"}, ClearedBy: whenAnswering,
		Check:  checkTamper,
		Action: adviseCool},
	{Name: "soft", Number: 3, Title: "Soft tamper", Trap: CryptoAttention,
		Tamper: softTamper, afterTampers: softTamper | hardTamper, ClearedBy: whenAnswering,
		Check:  checkTamper,
		Action: adviseSoft},
	{Name: "hard-ht", Number: 4, Title: "Hard tamper: high temperature", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "hard-lt", Number: 5, Title: "Hard tamper: low temperature", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "hard-ov", Number: 6, Title: "Hard tamper: over voltage", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "hard-osc", Number: 7, Title: "Hard tamper: oscillator failure", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "hard-cfg", Number: 8, Title: "Hard tamper: tamper configuration invalid", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper + " Check the battery."},
	{Name: "hard", Number: 9, Title: "Hard tamper", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "chassis", Number: 10, Title: "Chassis opened, or card gone from the bus", Trap: CryptoAttention,
		Tamper: intrusion, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: "Close the chassis and power the host off and on. " + adviseTamper},
	{Name: "removal", Number: 11, Title: "Card removed from its chassis", Trap: CryptoAttention,
		Tamper: intrusion, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseTamper},
	{Name: "decom", Number: 12, Title: "HSM decommissioned", Trap: CryptoAttention,
		Tamper: decommission, ClearedBy: whenInitialized,
		Check:  checkTamper,
		Action: "Restart the HSM. " + adviseErased},
	{Name: "zeroize", Number: 13, Title: "HSM zeroized", Trap: CryptoAttention,
		Check:  checkTamper,
		Action: adviseRestore},
	{Name: "lock", Number: 14, Title: "Tamper detected, HSM locked until it is cleared", Trap: CryptoAttention,
		afterTampers: anyTamper, ClearedBy: whenUntampered,
		Check:  checkTamper,
		Action: adviseClear},
	{Name: "restart", Number: 15, Title: "HSM waits for a restart", Trap: CryptoAttention,
		afterTampers: anyTamper, ClearedBy: whenAnswering,
		Check:  checkTamper,
		Action: "Restart the HSM (hsm restart): a tamper stopped it. Then read hsm tamper show. If it does not start, power cycle it and ask the vendor's support."},
	{Name: "halt", Number: 16, Title: "HSM halted", Trap: CryptoAttention,
		ClearedBy: whenAnswering,
		Check:     checkCard,
		Action:    adviseRestart},
	{Name: "hw", Number: 17, Title: "Hardware error", Trap: CryptoAttention,
		ClearedBy: whenRestarted,
		Check:     checkCard,
		Action:    "Check the fans of the card (hsm show), then send hsm supportinfo and the line to the vendor's support."},
	{Name: "integrity", Number: 18, Title: "Stored data damaged", Trap: CryptoAttention,
		Check:  checkCard,
		Action: "Restart the HSM. If it comes again, ask the vendor's support."},
	{Name: "comm", Number: 19, Title: "HSM answers late or not at all", Trap: CryptoAttention,
		afterTampers: anyTamper, Causes: []string{"halt", "hsm-crashed"}, ClearedBy: whenAnswering, Ages: true,
		Check:  checkCard,
		Action: "Check the load and hsm show. If it repeats, restart the HSM and ask the vendor's support."},
	{Name: "temp-warn", Number: 20, Title: "Card too warm", Trap: CryptoAttention,
		Causes: []string{"soft-t", "hard-ht"},
		Check:  []string{"hsm show", "status sensors", "lunacm: hsm envshow", "lunawatch plot HSM temperature"}, Keys: []string{"temperature_margin"},
		Action: "Improve the cooling, check the fans, reduce the load: at 80 C the card stops."},
	{Name: "battery", Number: 21, Title: "Battery low or depleted", Trap: CryptoAttention,
		Ages:  true,
		Check: []string{"hsm show", "lunacm: hsm envshow", "lunawatch plot HSM battery"}, Keys: []string{"battery_margin"},
		Action: adviseBattery},
	{Name: "activation", Number: 22, Title: "Partitions deactivated", Trap: CryptoAttention,
		afterTampers: anyTamper, Causes: []string{"lock"}, ClearedBy: whenActivated,
		Check:  []string{"partition show", "hsm tamper show", "lunacm: partition showinfo"},
		Action: "Find the tamper that caused it; the crypto officers activate their partitions again with the PED key."},
	{Name: "stm", Number: 23, Title: "Secure transport mode", Trap: CryptoAttention,
		Check:  []string{"hsm show"},
		Action: "If this is not a planned transport, find out why. The SO recovers the HSM with stm recover and compares the strings."},
	{Name: "fan", Number: 24, Title: "Fan on the card failed", Trap: CryptoAttention,
		Check:  []string{"hsm show", "lunacm: hsm envshow"},
		Action: "Watch the temperature and ask the vendor's support."},
	{Name: "fwupd", Number: 25, Title: "Firmware update canceled", Trap: CryptoAttention,
		Check:  checkCard,
		Action: "Check which firmware runs, free storage, restart the HSM, and ask the vendor's support."},
	{Name: "capacity", Number: 26, Title: "HSM storage exceeded", Trap: CryptoAttention,
		ClearedBy: whenSpaceLeft,
		Check:     []string{"hsm show", "partition show"},
		Action:    "Delete objects, or resize the partition."},
	{Name: "meta", Number: 27, Title: "Unknown alarm", Trap: CryptoAttention,
		Ages:   true,
		Check:  []string{"hsm show", "lunawatch alarms explain"},
		Action: adviseSupport},

	{Name: "hsm-status", Number: 28, Title: "HSM status", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable",
		afterTampers: anyTamper, Causes: []string{"lock", "halt", "restart", "stm", "hsm-crashed"}, Category: "HSM",
		Means:  "The status line of the HSM names something that is not good, such as a tamper, zeroization or secure transport mode.",
		Check:  checkCard,
		Action: adviseRestart},
	{Name: "hsm-silent", Number: 29, Title: "HSM does not answer", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "responseTimeExcessive",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"}, ParentCauses: []string{"unreachable"},
		Means: "The appliance or host answers, but several polls in a row brought no readable answer of the HSM itself.",
		Check: checkCard, Keys: []string{"silent_after"},
		Action: "A PED operation can block it for minutes. Otherwise check the load, then restart the HSM."},
	{Name: "hsm-crashed", Number: 30, Title: "HSM firmware crashed", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", ClearedBy: whenAnswering,
		Means:  "The log says that the firmware has crashed: the HSM does nothing for its clients until it runs again.",
		Check:  checkCard,
		Action: adviseRestart},
	{Name: "hsm-sessions", Number: 31, Title: "No session left in the HSM", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity", Ages: true,
		Means:  "An application asked for a session, and the HSM had none left: new work is refused.",
		Check:  []string{"hsm information show", "client list"},
		Action: "Find the application that opens sessions and does not close them, and restart it."},
	{Name: "audit-log", Number: 32, Title: "Audit log full or damaged", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem", Ages: true,
		Means: "The audit log is full, cannot be written, was changed, or its file system fills up. An HSM that cannot log may refuse to work.",
		Check: []string{"hsm show", "syslog tail -logname hsm"}, Keys: []string{"log_disk_ratio"},
		Action: "The auditor fetches the log and makes room, or finds out who changed it."},
	{Name: "so-login-attempts", Number: 33, Title: "Wrong SO logins", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure",
		Means: "Somebody has tried to log in as SO with a wrong password. Each attempt brings the HSM nearer to erasing itself.",
		Check: []string{"hsm show"}, Keys: []string{"so_login_attempts"},
		Action: "Find out who tries. At 0 the HSM erases itself; a successful SO login resets the counter."},
	{Name: "hsm-storage", Number: 34, Title: "HSM storage", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Means: "Nearly all of the storage of the HSM is given to partitions.",
		Check: []string{"hsm show", "partition show"}, Keys: []string{"storage_ratio"},
		Action: "Free a partition, or accept that no further one fits."},
	{Name: "utilization", Number: 69, Title: "HSM utilization", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Means: "The HSM is busy for nearly all of the time between two polls: requests of applications wait.",
		Check: []string{"hsm information monitor", "client list", "lunawatch plot HSM utilization"}, Keys: []string{"utilization_ratio", "utilization_margin"},
		Action: "Requests wait. Find which clients load it, and share the load over more HSMs."},
	{Name: "partition-storage", Number: 35, Title: "Partition storage", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed", OfPartition: true,
		Means: "A partition is nearly full: soon no further object fits.",
		Check: []string{"partition show", "lunacm: partition showinfo"}, Keys: []string{"storage_ratio"},
		Action: "Delete objects, or resize the partition."},
	{Name: "ntls", Number: 36, Title: "NTLS down", Trap: NTLSAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"}, Category: "NTLS",
		Means:  "The service through which clients reach the HSM is down, or the appliance does not know whether it is up.",
		Check:  []string{"ntls show", "ntls information show", "status sysstat show", "status disk"},
		Action: "No client can work. Check ntls show and the log disk, then restart NTLS."},
	{Name: "ntls-log", Number: 37, Title: "NTLS reports errors", Trap: NTLSAttention,
		Type: "communicationsAlarm", Cause: "communicationsProtocolError",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed"}, Ages: true,
		Means:  "NTLS has logged errors of connections. Some clients may not work.",
		Check:  []string{"ntls information show", "client list"},
		Action: "Read the lines and ntls information show; a client's certificate or address may be wrong."},
	{Name: "ntls-certificate", Number: 38, Title: "NTLS certificate", Trap: NTLSAttention,
		Type: "timeDomainViolation", Cause: "keyExpired",
		Means: "The server certificate of NTLS has expired or will soon. Clients then refuse the connection.",
		Check: []string{"ntls certificate show"}, Keys: []string{"certificate_days"},
		Action: "Make a new server certificate and have every client take it: sysconf regencert, then ntls restart."},
	{Name: "appliance-fan", Number: 39, Title: "Appliance fan", Trap: FanAttention,
		Type: "equipmentAlarm", Cause: "heatingOrVentilationOrCoolingSystemProblem", Category: "Fan",
		Means:  "A fan of the appliance reports a fault, or turns more slowly than its own limit allows.",
		Check:  []string{"status sensors", "lunawatch hsm show"},
		Action: "Replace the fan module."},
	{Name: "power-supply", Number: 40, Title: "Power supply", Trap: PowerSupplyAttention,
		Type: "equipmentAlarm", Cause: "powerProblem", Category: "Power supply",
		Means:  "A power supply of the appliance reports a fault, or is not there: there is no spare one.",
		Check:  []string{"status sensors", "lunawatch hsm show"},
		Action: "Check the cable and the feed; replace the power supply."},
	{Name: "motherboard", Number: 41, Title: "Motherboard sensor", Trap: MotherboardAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction", Category: "Motherboard",
		Means:  "A sensor of the appliance is outside its own limits.",
		Check:  []string{"status sensors", "lunawatch hsm show"},
		Action: "Check the room and the fans; if it stays, ask the vendor's support."},
	{Name: "disk", Number: 42, Title: "Appliance disk", Trap: DiskDriveAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction", Category: "Disk",
		Means:  "A disk of the appliance fails its own test (SMART), or the log reports errors of it.",
		Check:  []string{"status disk"},
		Action: "Read status disk; a failing disk means a new appliance."},
	{Name: "log-disk", Number: 43, Title: "Log disk fills up", Trap: DiskDriveAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem",
		Means: "The file system of the logs fills up. When it is full, the appliance stops NTLS.",
		Check: []string{"status disk"}, Keys: []string{"log_disk_ratio"},
		Action: "Fetch the logs (syslog tarlogs) and clean up: at 95 % the appliance stops NTLS."},
	{Name: "host-disk", Number: 44, Title: "File system of the host fills up", Trap: DiskDriveAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem",
		Means: "A file system of the host, on which the agent or its logs depend, fills up.",
		Check: []string{"host: df -h"}, Keys: []string{"storage_ratio"},
		Action: "Free space on the host that the agent runs on."},
	{Name: "ha-member", Number: 45, Title: "HA group has lost a member", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable", Causes: []string{"ha-offline", "ha-exhausted"},
		Means:  "A member of an HA group does not work for at least one application of this client.",
		Check:  checkHA,
		Action: "Check the appliance and its partition: is it reachable, is it activated? Applications that started without it must be restarted."},
	{Name: "ha-exhausted", Number: 46, Title: "HA recovery given up", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable",
		Means:  "No process tries any more to recover a member that its group has lost.",
		Check:  checkHA,
		Action: "Repair the member, then recover it by hand (hagroup recover) or restart the applications: nothing retries any more."},
	{Name: "ha-redundancy", Number: 47, Title: "HA group without redundancy", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "underlyingResourceUnavailable", Causes: []string{"ha-offline"},
		Means:  "An HA group works with its last member.",
		Check:  checkHA,
		Action: "The next loss is an outage: bring the lost members back."},
	{Name: "ha-standby-in-use", Number: 48, Title: "HA group works with its standby members", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "underlyingResourceUnavailable",
		Means:  "All active members of an HA group are lost, and its standby members do the work.",
		Check:  checkHA,
		Action: "No active member is left: check their appliances and partitions, and bring them back."},
	{Name: "ha-offline", Number: 49, Title: "HA group offline", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable",
		Means:  "An HA group has no member that works.",
		Check:  checkHA,
		Action: "No application of this host can use its keys. Bring a member back, then restart the applications."},
	{Name: "ha-recovery-disabled", Number: 50, Title: "HA recovery disabled", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "configurationOrCustomizationError",
		Means:  "Members of an HA group are lost, and the client is configured not to recover them by itself.",
		Check:  checkHA,
		Action: "Enable it (hagroup retry -count), or recover the members by hand."},
	{Name: "ha-unasked", Number: 51, Title: "LunaCM does not list the HA groups", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Means:  "LunaCM fails to list the HA groups: what a new process would see is not known.",
		Check:  checkHA,
		Action: "Run hagroup listgroups as the agent's user. Until it works, HA is known from the log of the applications only."},
	{Name: "ha-log", Number: 70, Title: "Surprise in the HA log", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "configurationOrCustomizationError", Ages: true,
		Means:  "The HA log names a group, a member or an event that the configuration of the client does not explain.",
		Check:  checkHA,
		Action: "Compare the line with hagroup listgroups and vtl listservers on the client: is a group, member or appliance missing?"},
	{Name: "syslog-refused", Number: 91, Title: "Log lines refused", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "unauthorizedAccessAttempt", Ages: true,
		Means:  "Lines were sent to the syslog listener in the name of an HSM by an address that may not do so.",
		Check:  []string{"lunawatch doctor"},
		Action: "Find out whose address it is. If it is an HSM's or a relay's, add it to syslog_senders or relays; if not, ask who sends logs in an HSM's name."},
	{Name: "log-dropped", Number: 92, Title: "Lines of this HSM's log dropped", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "congestion", Ages: true,
		Means:  "More lines arrived than the configured rate or the queue allows, and some were not read.",
		Check:  []string{"lunawatch doctor"},
		Action: "Find out what fills the log of this HSM, or raise rate: in the configuration. Alarms may be among what was dropped: read the log on the appliance."},
	{Name: "configuration", Number: 94, Title: "Configuration with warnings", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "configurationOrCustomizationError", Self: true,
		Means:  "The agent runs with a configuration that has warnings.",
		Check:  []string{"lunawatch check-config"},
		Action: "Do what each warning says (lunawatch check-config shows them), and restart the agent."},
	{Name: "silence", Number: 93, Title: "A silence hides much", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError", Self: true,
		Means:  "A silence that is active suppresses notifications of many alarms.",
		Check:  []string{"lunawatch alarms silences"},
		Action: "Ask its author whether it is still needed; lunawatch alarms unsilence ends it."},
	{Name: "client-certificate", Number: 52, Title: "Certificate of the Luna client", Trap: NTLSAttention,
		Type: "timeDomainViolation", Cause: "keyExpired",
		Means: "A certificate that the Luna client of this host uses has expired or will soon.",
		Check: []string{"host: vtl verify"}, Keys: []string{"certificate_days"},
		Action: "Make a new certificate and register it on the other side, before NTLS connections fail."},
	{Name: "system-status", Number: 53, Title: "Appliance services", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"},
		Means: "The appliance's own monitor reports services that do not work, or a state that is not in service.",
		Check: []string{"status sysstat show", "status sysstat code"}, Keys: []string{"ignored_status_codes"},
		Action: "Read status sysstat show and status sysstat code."},
	{Name: "service", Number: 54, Title: "Service of the appliance down", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Means:  "A service that starts with the appliance does not run.",
		Check:  []string{"service list"},
		Action: "Read service status on the appliance; restart the service, or take it from those that start with the appliance if it is not wanted."},
	{Name: "unreachable", Number: 55, Title: "HSM not reachable", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure", afterTampers: anyTamper, ParentCauses: []string{"unreachable"},
		Means: "Nothing can be read of the HSM: the way to it is dead at the layer that the alarm names.",
		Check: []string{"lunawatch doctor", "lunawatch status", "host: ping ADDRESS", "host: ip route get ADDRESS"}, Keys: []string{"unreachable_after"},
		Action: adviseReach},
	{Name: "audit-event", Number: 63, Title: "Critical event in the audit log", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "proceduralError", Ages: true,
		Means:  "The audit log of the HSM records a tamper, decommission, zeroization or initialization.",
		Check:  []string{"hsm show", "syslog tail -logname hsm"},
		Action: "Find out who did it, and whether it was planned."},
	{Name: "failed-login", Number: 64, Title: "Failed login in the audit log", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure", Ages: true,
		Means:  "The audit log of the HSM records a login that was refused.",
		Check:  []string{"hsm show", "syslog tail -logname hsm"},
		Action: "Find out who tries. Too many lock the role, of the SO erase the HSM."},
	{Name: "inventory", Number: 66, Title: "Not what is expected", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Means:  "Something about the HSM is not what expect: in the configuration says.",
		Check:  []string{"hsm show", "lunawatch hsm show"},
		Action: "Compare with what should be there; correct the one that is wrong, or expect: in the configuration."},
	{Name: "inventory-partition", Number: 68, Title: "Partition missing or not activated", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "outOfService", OfPartition: true,
		Means:  "A partition that expect: in the configuration names is not there, or not activated.",
		Check:  []string{"partition show", "hsm show", "lunacm: partition showinfo"},
		Action: "Find out who removed or deactivated it. Its crypto officer activates it; else restore it from a backup, or change expect: in the configuration."},
	{Name: "inventory-member", Number: 67, Title: "HA member not configured", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Means:  "An HA group or a member that expect: in the configuration names is not configured on this client.",
		Check:  checkHA,
		Action: "Add it on this client (hagroup addmember), or change expect: in the configuration."},
	{Name: "forecast", Number: 65, Title: "A trend leads to a limit", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity",
		Means: "If the trend goes on, a value reaches its limit within the configured time.",
		Check: []string{"lunawatch plot"}, Keys: []string{"forecast_days"},
		Action: "There is time: plan the replacement, or make room, before the day named."},
	{Name: "storm", Number: 56, Title: "Many new alarms", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "congestion", Self: true,
		Means:  "So many alarms are new that only a summary of them is notified. All of them are in the list.",
		Check:  []string{"lunawatch alarms list", "lunawatch status"},
		Action: "See lunawatch alarms list. Many at once have one cause: power, network, cooling."},
	{Name: "delivery", Number: 57, Title: "Notifications are not delivered", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure", Self: true,
		Means:  "Notifications wait for a receiver that does not take them, or were given up.",
		Check:  []string{"lunawatch status", "lunawatch doctor"},
		Action: "Check the receiver and the way to it; what is queued is delivered when it is back."},
	{Name: "journal", Number: 58, Title: "State not stored", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "fileError", Self: true,
		Means:  "What is new cannot be stored, the stored state was damaged, or its times were of a wrong clock.",
		Check:  []string{"host: df -h"},
		Action: "Free space below state_directory and make it writable. Alarms are kept in memory meanwhile. After a damaged state, clear the alarm once you have examined it."},
	{Name: "cluster", Number: 98, Title: "Agents cannot stand in for each other", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "underlyingResourceUnavailable", Self: true, Means: "This agent of a cluster has no etcd, or is the only agent: if it ends, nobody watches its HSMs.",
		Check: []string{"lunawatch cluster status"}, Action: "Start the agents and the etcd servers that do not answer. HSMs are watched, and receivers notified, meanwhile, unless the text says otherwise."},
	{Name: "test", Number: 59, Title: "Test of the alarm chain", Trap: CryptoAttention,
		Type: "other", Cause: "other", Ages: true,
		Means:  "Somebody tests the alarm chain: nothing is wrong.",
		Action: "Nothing: it clears by itself."},
	{Name: "sources-disagree", Number: 60, Title: "Sources disagree", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "informationModificationDetected",
		Means:  "Two sources of one HSM say different things about what does not change by itself.",
		Check:  []string{"hsm show", "lunawatch trace", "lunawatch hsm show"},
		Action: "One of them is wrong, or they read different HSMs: compare their addresses in the configuration and what hsm show says on the appliance."},
	{Name: "source-failing", Number: 61, Title: "Source fails", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure",
		Causes: []string{"unreachable", "hsm-silent"}, ParentCauses: []string{"unreachable"}, Unread: true,
		Means:  "One way of reading the HSM fails while others work. What only it reads is not known.",
		Check:  []string{"lunawatch doctor", "lunawatch status"},
		Action: "Others work, but there is no fallback for them any more: check the account, the address and the service on the appliance, or take the source out of the configuration."},
	{Name: "data-stale", Number: 62, Title: "Data are old", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "responseTimeExcessive",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "hsm-silent", "unreachable"}, ParentCauses: []string{"unreachable"}, Unread: true,
		Means:  "A section of what is known of the HSM is past its maximum age, and is shown as stale.",
		Check:  []string{"lunawatch doctor", "lunawatch status"},
		Action: "The source named fails or is slow; lunawatch check-config and luna_source_failure say why."},

	{Name: "tamper-reboot", Number: 71, Title: "HSM tampered, recovered by a reboot", Trap: CryptoAttention,
		Type: "physicalViolation", Cause: "intrusionDetection", ClearedBy: whenRecovered,
		Means:  "The HSM was tampered with. Its log names damage that a reboot recovers.",
		Check:  checkTamper,
		Action: "Reboot the appliance, or the host of the card: that restores the master tamper key. By itself it loses no stored key: do not zeroize or initialize the HSM for it. Find out what tampered with it."},
	{Name: "destroyed", Number: 72, Title: "HSM tampered for good", Trap: CryptoAttention,
		Type: "physicalViolation", Cause: "intrusionDetection", ClearedBy: whenInitialized,
		Means:  "The HSM says that it is tampered for good.",
		Check:  checkTamper,
		Action: "Replace the HSM: its memory is erased, and only its boot loader runs. Restore the keys from a backup on another HSM, and contact the vendor's support."},
	{Name: "hsm-log", Number: 73, Title: "HSM reports a severe error", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareError", ClearedBy: whenRestarted,
		Means:  "The log of the HSM has a line that it calls critical or severe, without a code.",
		Check:  checkCard,
		Action: "Restart the HSM. If it comes again, send hsm supportinfo and the line to the vendor's support."},
	{Name: "recover-login", Number: 74, Title: "Password of the appliance's admin reset", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "unauthorizedAccessAttempt", Ages: true,
		Means:  "Somebody has logged in to the appliance as recover, which resets the password of admin.",
		Check:  []string{"lunawatch alarms history"},
		Action: "Log in as admin and change the password at once: it is the default one now. Find out who was at the serial console of the appliance."},
	{Name: "audit-change", Number: 75, Title: "Partition deleted, or HSM reconfigured", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "proceduralError", Ages: true,
		Means:  "The audit log records that a partition was deleted or that the HSM was reconfigured.",
		Check:  []string{"hsm show", "syslog tail -logname hsm"},
		Action: "Find out who did it, and whether it was planned. Restore what is lost from a backup."},
	{Name: "audit-gap", Number: 76, Title: "Records of the audit log missing", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "informationMissing",
		Means:  "Records of the audit log are missing, or their numbers step back.",
		Check:  []string{"syslog tail -logname hsm"},
		Action: "Verify the log on the HSM (audit log verify), and find out who had access to it, or reset it. Then clear the alarm: lunawatch alarms clear."},
	{Name: "partition-deactivated", Number: 77, Title: "Partition deactivated", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "outOfService", OfPartition: true,
		afterTampers: anyTamper, Causes: []string{"activation", "lock", "hsm-status"},
		Means:  "A partition that was activated is not any more: applications cannot use its keys.",
		Check:  []string{"partition show", "hsm show", "lunacm: partition showinfo"},
		Action: "Its crypto officer activates it again with the PED key; find out what deactivated it: a restart without auto-activation, a tamper, or a person."},
	{Name: "role-locked", Number: 78, Title: "Role locked out", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure", OfPartition: true,
		Means:  "A role of a partition is locked out after wrong logins: nobody can log in to it.",
		Check:  []string{"partition show", "lunacm: partition showinfo"},
		Action: "Find out who tried to log in. The partition SO unlocks the crypto officer, and the crypto officer the crypto user; without HSM policy 15 a locked crypto officer is lost, and the partition is restored from a backup."},
	{Name: "partition-zeroized", Number: 79, Title: "Partition zeroized", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "outOfService", OfPartition: true,
		Means:  "A partition has lost its keys.",
		Check:  []string{"partition show", "hsm show", "lunacm: partition showinfo"},
		Action: "Find out who or what did it, then initialize the partition and restore its keys from a backup."},
	{Name: "temp-low", Number: 80, Title: "Card too cold", Trap: CryptoAttention,
		Type: "environmentalAlarm", Cause: "temperatureUnacceptable",
		Means:  "The card is near the lower end of its range of temperature.",
		Check:  []string{"hsm show", "status sensors", "lunacm: hsm envshow", "lunawatch plot HSM temperature"},
		Action: "Warm the room: below -2 C the card stops, and below -40 C it tampers."},
	{Name: "appliance-chassis", Number: 81, Title: "Fault of the appliance's chassis", Trap: MotherboardAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction",
		Means:  "The controller of the appliance reports a fault of its chassis: intrusion, power, drives or cooling.",
		Check:  []string{"status sensors", "lunawatch hsm show"},
		Action: "Go to the appliance, or send somebody: close the chassis and find out who opened it; check feed, drives and fans; read status sensors."},
	{Name: "critical-events", Number: 82, Title: "Critical events counted by the HSM", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", Causes: []string{"hsm-crashed", "halt"},
		Means:  "The HSM counts more critical events than when it was last asked: each is a crash of its firmware.",
		Check:  []string{"hsm information show", "syslog tail -logname hsm"},
		Action: "Read the appliance's hsm.log for a crash of the firmware, and send hsm supportinfo to the vendor's support. hsm information reset sets the counter to 0."},
	{Name: "error-ratio", Number: 83, Title: "Many requests end in an error", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Means: "Many of the requests between two polls ended in an error. Fewer than 100 requests are not judged.",
		Check: []string{"hsm information show", "client list"}, Keys: []string{"error_ratio"},
		Action: "Find the application that sends them, by its own log; check that its keys and partitions are there and activated."},
	{Name: "hsm-restarted", Number: 84, Title: "HSM restarted", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", Ages: true,
		Means:  "The uptime of the HSM has fallen, so it has restarted since it was last asked.",
		Check:  []string{"hsm information monitor", "partition show", "hsm tamper show"},
		Action: "Find out whether it was planned; check that partitions are activated and that applications have logged in again."},
	{Name: "unit-replaced", Number: 85, Title: "Another HSM under this name", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Means:  "Another serial number than before answers under the name of this HSM.",
		Check:  []string{"hsm show", "lunawatch hsm show"},
		Action: "Find out whether the unit was exchanged on purpose. If so, set expect: serial in the configuration or clear the alarm by hand; if not, check the address and who answers there."},
	{Name: "status-monitor", Number: 86, Title: "Status monitor of the appliance does not check", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Means:  "The service that checks the appliance does not run, or its check time does not move.",
		Check:  []string{"status sysstat show", "status sysstat code"},
		Action: "Restart sysstat on the appliance (service restart sysstat): until it checks, the system status is unknown."},
	{Name: "appliance-load", Number: 87, Title: "Appliance short of CPU, memory or swap", Trap: MotherboardAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity",
		Means: "The appliance has a high load average, or little memory or swap left.",
		Check: []string{"status cpu", "status mem", "status ps"}, Keys: []string{"load_average", "memory_ratio", "swap_ratio"},
		Action: "Read status cpu, status mem and status ps on the appliance; if it stays, reboot it in a maintenance window and ask the vendor's support."},
	{Name: "partition-status", Number: 89, Title: "Partition status", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", OfPartition: true,
		afterTampers: anyTamper, Causes: []string{"lock", "stm", "hsm-status"},
		Means:  "The status line of a partition names something that is not good.",
		Check:  []string{"partition show", "hsm show", "lunacm: partition showinfo"},
		Action: "Read partition showinfo and hsm showinfo: the state is mostly that of the whole HSM."},
	{Name: "unknown-state", Number: 88, Title: "State in an unknown word", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareError",
		Means:  "An answer has a state in a word that Lunawatch does not know: it may be good or bad.",
		Check:  checkCard,
		Action: "Read the answer on the appliance: the word may be a fault. Send it to Lunawatch's developers, so that a later version knows it."},
	{Name: "serial-twice", Number: 90, Title: "Two HSMs with one serial number", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "duplicateInformation",
		Means:  "HSMs that are configured under several names have one serial number.",
		Check:  []string{"hsm show", "lunawatch hsm show"},
		Action: "Compare the addresses of the HSMs named with hsm show on each appliance: they are one HSM under two names, and another may not be watched. SNMP tables show only the first."},
}, slices.Concat(functionGroups, changeGroups)...))

// completed adds to each row what other rows and codes imply.
func completed(rows []Group) []Group {
	all := slices.Clone(rows)
	for i := range all {
		g := &all[i]
		var tampers []string
		for _, other := range rows {
			if other.Tamper&g.afterTampers != 0 && other.Name != g.Name {
				tampers = append(tampers, other.Name)
			}
		}
		g.Causes = slices.Concat(tampers, g.Causes)
		first := slices.IndexFunc(catalogue, func(c Code) bool { return c.Group == g.Name })
		if g.Type == "" && first >= 0 {
			g.Type, g.Cause = catalogue[first].Type, catalogue[first].Cause
		}
	}
	return all
}

// Groups returns every group, by the order in which the documentation lists
// them.
func Groups() []Group { return slices.Clone(groups) }

var groupByName = indexed(groups, func(g Group) string { return g.Name })

// GroupNamed returns the group of that name. An unknown one has Number 0 and
// general advice.
func GroupNamed(name string) Group {
	if g, known := groupByName[name]; known {
		return g
	}
	return Group{Name: name, Title: name, Trap: CryptoAttention, Action: adviseSupport, Type: "other", Cause: "indeterminate"}
}

// CategoryOf returns the group that level category shows in place of all with
// a Trap.
func CategoryOf(trap Trap) Group { return categoryByTrap[trap] }

var categoryByTrap = indexed(slices.DeleteFunc(Groups(), func(g Group) bool { return g.Category == "" }), func(g Group) Trap { return g.Trap })

func indexed[K comparable, V any](list []V, key func(V) K) map[K]V {
	m := make(map[K]V, len(list))
	for _, v := range list {
		m[key(v)] = v
	}
	return m
}

// classify returns the X.733 event type and probable cause of a finding.
func classify(f Finding) (eventType, cause string) {
	if c, ok := CodeNamed(f.Code); ok {
		return c.Type, c.Cause
	}
	g := GroupNamed(f.Group)
	return g.Type, g.Cause
}
