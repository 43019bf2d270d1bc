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

// groups is every group, by the order in which the documentation lists them.
var groups = completed([]Group{
	{Name: "soft-v", Number: 1, Title: "Soft tamper: voltage", Trap: CryptoAttention,
		Tamper: softTamper, Causes: []string{"hard-ov"}, ClearedBy: whenAnswering,
		Action: advisePower},
	{Name: "soft-t", Number: 2, Title: "Soft tamper: temperature", Trap: CryptoAttention,
		Tamper: softTamper, Causes: []string{"hard-ht", "hard-lt"}, ClearedBy: whenAnswering,
		Action: adviseCool},
	{Name: "soft", Number: 3, Title: "Soft tamper", Trap: CryptoAttention,
		Tamper: softTamper, afterTampers: softTamper | hardTamper, ClearedBy: whenAnswering,
		Action: adviseSoft},
	{Name: "hard-ht", Number: 4, Title: "Hard tamper: high temperature", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "hard-lt", Number: 5, Title: "Hard tamper: low temperature", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "hard-ov", Number: 6, Title: "Hard tamper: over voltage", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "hard-osc", Number: 7, Title: "Hard tamper: oscillator failure", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "hard-cfg", Number: 8, Title: "Hard tamper: tamper configuration invalid", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper + " Check the battery."},
	{Name: "hard", Number: 9, Title: "Hard tamper", Trap: CryptoAttention,
		Tamper: hardTamper, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "chassis", Number: 10, Title: "Chassis opened, or card gone from the bus", Trap: CryptoAttention,
		Tamper: intrusion, ClearedBy: whenUntampered,
		Action: "Close the chassis and power the host off and on. " + adviseTamper},
	{Name: "removal", Number: 11, Title: "Card removed from its chassis", Trap: CryptoAttention,
		Tamper: intrusion, ClearedBy: whenUntampered,
		Action: adviseTamper},
	{Name: "decom", Number: 12, Title: "HSM decommissioned", Trap: CryptoAttention,
		Tamper: decommission, ClearedBy: whenInitialized,
		Action: "Restart the HSM. " + adviseErased},
	{Name: "zeroize", Number: 13, Title: "HSM zeroized", Trap: CryptoAttention,
		Action: adviseRestore},
	{Name: "lock", Number: 14, Title: "Tamper detected, HSM locked until it is cleared", Trap: CryptoAttention,
		afterTampers: anyTamper, ClearedBy: whenUntampered,
		Action: adviseClear},
	{Name: "restart", Number: 15, Title: "HSM waits for a restart", Trap: CryptoAttention,
		afterTampers: anyTamper, ClearedBy: whenAnswering,
		Action: "Restart the HSM (hsm restart): a tamper stopped it. Then read hsm tamper show. If it does not start, power cycle it and ask the vendor's support."},
	{Name: "halt", Number: 16, Title: "HSM halted", Trap: CryptoAttention,
		ClearedBy: whenAnswering,
		Action:    adviseRestart},
	{Name: "hw", Number: 17, Title: "Hardware error", Trap: CryptoAttention,
		ClearedBy: whenRestarted,
		Action:    "Check the fans of the card (hsm show), then send hsm supportinfo and the line to the vendor's support."},
	{Name: "integrity", Number: 18, Title: "Stored data damaged", Trap: CryptoAttention,
		Action: "Restart the HSM. If it comes again, ask the vendor's support."},
	{Name: "comm", Number: 19, Title: "HSM answers late or not at all", Trap: CryptoAttention,
		afterTampers: anyTamper, Causes: []string{"halt", "hsm-crashed"}, ClearedBy: whenAnswering, Ages: true,
		Action: "Check the load and hsm show. If it repeats, restart the HSM and ask the vendor's support."},
	{Name: "temp-warn", Number: 20, Title: "Card too warm", Trap: CryptoAttention,
		Causes: []string{"soft-t", "hard-ht"},
		Action: "Improve the cooling, check the fans, reduce the load: at 80 C the card stops."},
	{Name: "battery", Number: 21, Title: "Battery low or depleted", Trap: CryptoAttention,
		Ages:   true,
		Action: adviseBattery},
	{Name: "activation", Number: 22, Title: "Partitions deactivated", Trap: CryptoAttention,
		afterTampers: anyTamper, Causes: []string{"lock"}, ClearedBy: whenActivated,
		Action: "Find the tamper that caused it; the crypto officers activate their partitions again with the PED key."},
	{Name: "stm", Number: 23, Title: "Secure transport mode", Trap: CryptoAttention,
		Action: "If this is not a planned transport, find out why. The SO recovers the HSM with stm recover and compares the strings."},
	{Name: "fan", Number: 24, Title: "Fan on the card failed", Trap: CryptoAttention,
		Action: "Watch the temperature and ask the vendor's support."},
	{Name: "fwupd", Number: 25, Title: "Firmware update canceled", Trap: CryptoAttention,
		Action: "Check which firmware runs, free storage, restart the HSM, and ask the vendor's support."},
	{Name: "capacity", Number: 26, Title: "HSM storage exceeded", Trap: CryptoAttention,
		ClearedBy: whenSpaceLeft,
		Action:    "Delete objects, or resize the partition."},
	{Name: "meta", Number: 27, Title: "Unknown alarm", Trap: CryptoAttention,
		Ages:   true,
		Action: adviseSupport},

	{Name: "hsm-status", Number: 28, Title: "HSM status", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable",
		afterTampers: anyTamper, Causes: []string{"lock", "halt", "restart", "stm", "hsm-crashed"}, Category: "HSM",
		Action: adviseRestart},
	{Name: "hsm-silent", Number: 29, Title: "HSM does not answer", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "responseTimeExcessive",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"}, ParentCauses: []string{"unreachable"},
		Action: "A PED operation can block it for minutes. Otherwise check the load, then restart the HSM."},
	{Name: "hsm-crashed", Number: 30, Title: "HSM firmware crashed", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", ClearedBy: whenAnswering,
		Action: adviseRestart},
	{Name: "hsm-sessions", Number: 31, Title: "No session left in the HSM", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity", Ages: true,
		Action: "Find the application that opens sessions and does not close them, and restart it."},
	{Name: "audit-log", Number: 32, Title: "Audit log full or damaged", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem", Ages: true,
		Action: "The auditor fetches the log and makes room, or finds out who changed it."},
	{Name: "so-login-attempts", Number: 33, Title: "Wrong SO logins", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure",
		Action: "Find out who tries. At 0 the HSM erases itself; a successful SO login resets the counter."},
	{Name: "hsm-storage", Number: 34, Title: "HSM storage", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Action: "Free a partition, or accept that no further one fits."},
	{Name: "utilization", Number: 69, Title: "HSM utilization", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Action: "Requests wait. Find which clients load it, and share the load over more HSMs."},
	{Name: "partition-storage", Number: 35, Title: "Partition storage", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed", OfPartition: true,
		Action: "Delete objects, or resize the partition."},
	{Name: "ntls", Number: 36, Title: "NTLS down", Trap: NTLSAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"}, Category: "NTLS",
		Action: "No client can work. Check ntls show and the log disk, then restart NTLS."},
	{Name: "ntls-log", Number: 37, Title: "NTLS reports errors", Trap: NTLSAttention,
		Type: "communicationsAlarm", Cause: "communicationsProtocolError",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed"}, Ages: true,
		Action: "Read the lines and ntls information show; a client's certificate or address may be wrong."},
	{Name: "ntls-certificate", Number: 38, Title: "NTLS certificate", Trap: NTLSAttention,
		Type: "timeDomainViolation", Cause: "keyExpired",
		Action: "Make a new server certificate and have every client take it: sysconf regencert, then ntls restart."},
	{Name: "appliance-fan", Number: 39, Title: "Appliance fan", Trap: FanAttention,
		Type: "equipmentAlarm", Cause: "heatingOrVentilationOrCoolingSystemProblem", Category: "Fan",
		Action: "Replace the fan module."},
	{Name: "power-supply", Number: 40, Title: "Power supply", Trap: PowerSupplyAttention,
		Type: "equipmentAlarm", Cause: "powerProblem", Category: "Power supply",
		Action: "Check the cable and the feed; replace the power supply."},
	{Name: "motherboard", Number: 41, Title: "Motherboard sensor", Trap: MotherboardAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction", Category: "Motherboard",
		Action: "Check the room and the fans; if it stays, ask the vendor's support."},
	{Name: "disk", Number: 42, Title: "Appliance disk", Trap: DiskDriveAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction", Category: "Disk",
		Action: "Read status disk; a failing disk means a new appliance."},
	{Name: "log-disk", Number: 43, Title: "Log disk fills up", Trap: DiskDriveAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem",
		Action: "Fetch the logs (syslog tarlogs) and clean up: at 95 % the appliance stops NTLS."},
	{Name: "host-disk", Number: 44, Title: "File system of the host fills up", Trap: DiskDriveAttention,
		Type: "processingErrorAlarm", Cause: "storageCapacityProblem",
		Action: "Free space on the host that the agent runs on."},
	{Name: "ha-member", Number: 45, Title: "HA group has lost a member", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable", Causes: []string{"ha-offline", "ha-exhausted"},
		Action: "Check the appliance and its partition: is it reachable, is it activated? Applications that started without it must be restarted."},
	{Name: "ha-exhausted", Number: 46, Title: "HA recovery given up", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable",
		Action: "Repair the member, then recover it by hand (hagroup recover) or restart the applications: nothing retries any more."},
	{Name: "ha-redundancy", Number: 47, Title: "HA group without redundancy", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "underlyingResourceUnavailable", Causes: []string{"ha-offline"},
		Action: "The next loss is an outage: bring the lost members back."},
	{Name: "ha-standby-in-use", Number: 48, Title: "HA group works with its standby members", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "underlyingResourceUnavailable",
		Action: "No active member is left: check their appliances and partitions, and bring them back."},
	{Name: "ha-offline", Number: 49, Title: "HA group offline", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "underlyingResourceUnavailable",
		Action: "No application of this host can use its keys. Bring a member back, then restart the applications."},
	{Name: "ha-recovery-disabled", Number: 50, Title: "HA recovery disabled", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "configurationOrCustomizationError",
		Action: "Enable it (hagroup retry -count), or recover the members by hand."},
	{Name: "ha-unasked", Number: 51, Title: "LunaCM does not list the HA groups", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Action: "Run hagroup listgroups as the agent's user. Until it works, HA is known from the log of the applications only."},
	{Name: "ha-log", Number: 70, Title: "Surprise in the HA log", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "configurationOrCustomizationError", Ages: true,
		Action: "Compare the line with hagroup listgroups and vtl listservers on the client: is a group, member or appliance missing?"},
	{Name: "syslog-refused", Number: 91, Title: "Log lines refused", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "unauthorizedAccessAttempt", Ages: true,
		Action: "Find out whose address it is. If it is an HSM's or a relay's, add it to syslog_senders or relays; if not, ask who sends logs in an HSM's name."},
	{Name: "log-dropped", Number: 92, Title: "Lines of this HSM's log dropped", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "congestion", Ages: true,
		Action: "Find out what fills the log of this HSM, or raise rate: in the configuration. Alarms may be among what was dropped: read the log on the appliance."},
	{Name: "configuration", Number: 94, Title: "Configuration with warnings", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "configurationOrCustomizationError", Self: true,
		Action: "Do what each warning says (lunawatch check-config shows them), and restart the agent."},
	{Name: "silence", Number: 93, Title: "A silence hides much", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError", Self: true,
		Action: "Ask its author whether it is still needed; lunawatch alarms unsilence ends it."},
	{Name: "client-certificate", Number: 52, Title: "Certificate of the Luna client", Trap: NTLSAttention,
		Type: "timeDomainViolation", Cause: "keyExpired",
		Action: "Make a new certificate and register it on the other side, before NTLS connections fail."},
	{Name: "system-status", Number: 53, Title: "Appliance services", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "unreachable"},
		Action: "Read status sysstat show and status sysstat code."},
	{Name: "service", Number: 54, Title: "Service of the appliance down", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Action: "Read service status on the appliance; restart the service, or take it from those that start with the appliance if it is not wanted."},
	{Name: "unreachable", Number: 55, Title: "HSM not reachable", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure", afterTampers: anyTamper, ParentCauses: []string{"unreachable"},
		Action: adviseReach},
	{Name: "audit-event", Number: 63, Title: "Critical event in the audit log", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "proceduralError", Ages: true,
		Action: "Find out who did it, and whether it was planned."},
	{Name: "failed-login", Number: 64, Title: "Failed login in the audit log", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure", Ages: true,
		Action: "Find out who tries. Too many lock the role, of the SO erase the HSM."},
	{Name: "inventory", Number: 66, Title: "Not what is expected", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Action: "Compare with what should be there; correct the one that is wrong, or expect: in the configuration."},
	{Name: "inventory-partition", Number: 68, Title: "Partition missing or not activated", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "outOfService", OfPartition: true,
		Action: "Find out who removed or deactivated it. Its crypto officer activates it; else restore it from a backup, or change expect: in the configuration."},
	{Name: "inventory-member", Number: 67, Title: "HA member not configured", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Action: "Add it on this client (hagroup addmember), or change expect: in the configuration."},
	{Name: "forecast", Number: 65, Title: "A trend leads to a limit", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity",
		Action: "There is time: plan the replacement, or make room, before the day named."},
	{Name: "storm", Number: 56, Title: "Many new alarms", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "congestion", Self: true,
		Action: "See lunawatch alarms list. Many at once have one cause: power, network, cooling."},
	{Name: "delivery", Number: 57, Title: "Notifications are not delivered", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure", Self: true,
		Action: "Check the receiver and the way to it; what is queued is delivered when it is back."},
	{Name: "journal", Number: 58, Title: "State not stored", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "fileError", Self: true,
		Action: "Free space below state_directory and make it writable. Alarms are kept in memory meanwhile. After a damaged state, clear the alarm once you have examined it."},
	{Name: "test", Number: 59, Title: "Test of the alarm chain", Trap: CryptoAttention,
		Type: "other", Cause: "other", Ages: true,
		Action: "Nothing: it clears by itself."},
	{Name: "sources-disagree", Number: 60, Title: "Sources disagree", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "informationModificationDetected",
		Action: "One of them is wrong, or they read different HSMs: compare their addresses in the configuration and what hsm show says on the appliance."},
	{Name: "source-failing", Number: 61, Title: "Source fails", Trap: CryptoAttention,
		Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure",
		Causes: []string{"unreachable", "hsm-silent"}, ParentCauses: []string{"unreachable"}, Unread: true,
		Action: "Others work, but there is no fallback for them any more: check the account, the address and the service on the appliance, or take the source out of the configuration."},
	{Name: "data-stale", Number: 62, Title: "Data are old", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "responseTimeExcessive",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "hsm-silent", "unreachable"}, ParentCauses: []string{"unreachable"}, Unread: true,
		Action: "The source named fails or is slow; lunawatch check-config and luna_source_failure say why."},

	{Name: "tamper-reboot", Number: 71, Title: "HSM tampered, recovered by a reboot", Trap: CryptoAttention,
		Type: "physicalViolation", Cause: "intrusionDetection", ClearedBy: whenRecovered,
		Action: "Reboot the appliance, or the host of the card: that restores the master tamper key. By itself it loses no stored key: do not zeroize or initialize the HSM for it. Find out what tampered with it."},
	{Name: "destroyed", Number: 72, Title: "HSM tampered for good", Trap: CryptoAttention,
		Type: "physicalViolation", Cause: "intrusionDetection", ClearedBy: whenInitialized,
		Action: "Replace the HSM: its memory is erased, and only its boot loader runs. Restore the keys from a backup on another HSM, and contact the vendor's support."},
	{Name: "hsm-log", Number: 73, Title: "HSM reports a severe error", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareError", ClearedBy: whenRestarted,
		Action: "Restart the HSM. If it comes again, send hsm supportinfo and the line to the vendor's support."},
	{Name: "recover-login", Number: 74, Title: "Password of the appliance's admin reset", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "unauthorizedAccessAttempt", Ages: true,
		Action: "Log in as admin and change the password at once: it is the default one now. Find out who was at the serial console of the appliance."},
	{Name: "audit-change", Number: 75, Title: "Partition deleted, or HSM reconfigured", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "proceduralError", Ages: true,
		Action: "Find out who did it, and whether it was planned. Restore what is lost from a backup."},
	{Name: "audit-gap", Number: 76, Title: "Records of the audit log missing", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "informationMissing",
		Action: "Verify the log on the HSM (audit log verify), and find out who had access to it, or reset it. Then clear the alarm: lunawatch alarms clear."},
	{Name: "partition-deactivated", Number: 77, Title: "Partition deactivated", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "outOfService", OfPartition: true,
		afterTampers: anyTamper, Causes: []string{"activation", "lock", "hsm-status"},
		Action: "Its crypto officer activates it again with the PED key; find out what deactivated it: a restart without auto-activation, a tamper, or a person."},
	{Name: "role-locked", Number: 78, Title: "Role locked out", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "authenticationFailure", OfPartition: true,
		Action: "Find out who tried to log in. The partition SO unlocks the crypto officer, and the crypto officer the crypto user; without HSM policy 15 a locked crypto officer is lost, and the partition is restored from a backup."},
	{Name: "partition-zeroized", Number: 79, Title: "Partition zeroized", Trap: CryptoAttention,
		Type: "securityServiceOrMechanismViolation", Cause: "outOfService", OfPartition: true,
		Action: "Find out who or what did it, then initialize the partition and restore its keys from a backup."},
	{Name: "temp-low", Number: 80, Title: "Card too cold", Trap: CryptoAttention,
		Type: "environmentalAlarm", Cause: "temperatureUnacceptable",
		Action: "Warm the room: below -2 C the card stops, and below -40 C it tampers."},
	{Name: "appliance-chassis", Number: 81, Title: "Fault of the appliance's chassis", Trap: MotherboardAttention,
		Type: "equipmentAlarm", Cause: "equipmentMalfunction",
		Action: "Go to the appliance, or send somebody: close the chassis and find out who opened it; check feed, drives and fans; read status sensors."},
	{Name: "critical-events", Number: 82, Title: "Critical events counted by the HSM", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", Causes: []string{"hsm-crashed", "halt"},
		Action: "Read the appliance's hsm.log for a crash of the firmware, and send hsm supportinfo to the vendor's support. hsm information reset sets the counter to 0."},
	{Name: "error-ratio", Number: 83, Title: "Many requests end in an error", Trap: CryptoAttention,
		Type: "qualityOfServiceAlarm", Cause: "thresholdCrossed",
		Action: "Find the application that sends them, by its own log; check that its keys and partitions are there and activated."},
	{Name: "hsm-restarted", Number: 84, Title: "HSM restarted", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", Ages: true,
		Action: "Find out whether it was planned; check that partitions are activated and that applications have logged in again."},
	{Name: "unit-replaced", Number: 85, Title: "Another HSM under this name", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError",
		Action: "Find out whether the unit was exchanged on purpose. If so, set expect: serial in the configuration or clear the alarm by hand; if not, check the address and who answers there."},
	{Name: "status-monitor", Number: 86, Title: "Status monitor of the appliance does not check", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		Action: "Restart sysstat on the appliance (service restart sysstat): until it checks, the system status is unknown."},
	{Name: "appliance-load", Number: 87, Title: "Appliance short of CPU, memory or swap", Trap: MotherboardAttention,
		Type: "qualityOfServiceAlarm", Cause: "resourceAtOrNearingCapacity",
		Action: "Read status cpu, status mem and status ps on the appliance; if it stays, reboot it in a maintenance window and ask the vendor's support."},
	{Name: "partition-status", Number: 89, Title: "Partition status", Trap: CryptoAttention,
		Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", OfPartition: true,
		afterTampers: anyTamper, Causes: []string{"lock", "stm", "hsm-status"},
		Action: "Read partition showinfo and hsm showinfo: the state is mostly that of the whole HSM."},
	{Name: "unknown-state", Number: 88, Title: "State in an unknown word", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "softwareError",
		Action: "Read the answer on the appliance: the word may be a fault. Send it to Lunawatch's developers, so that a later version knows it."},
	{Name: "serial-twice", Number: 90, Title: "Two HSMs with one serial number", Trap: CryptoAttention,
		Type: "integrityViolation", Cause: "duplicateInformation",
		Action: "Compare the addresses of the HSMs named with hsm show on each appliance: they are one HSM under two names, and another may not be watched. SNMP tables show only the first."},
})

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
