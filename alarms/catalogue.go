package alarms

import (
	"slices"
)

// A Code is one alarm code of the HSM, as it appears in "ALM2001: ..." lines.
// Code, component, text, kind and what clears it are the vendor's; severity,
// type and cause are our reading in the terms of X.733 and X.736.
type Code struct {
	Code      string // four digits
	Component string // host-driver (0xxx), bootloader (1xxx) or firmware (2xxx)
	Text      string // after the code; nn and x vary
	Kind      CodeKind
	Group     string   // of [Groups]: alarms of one group are one problem
	Again     Severity // when it is seen again while active; None: the same
	Severity  Severity // Cleared of a Clear; None of an Event that is only information
	Type      string   // X.733 event type
	Cause     string   // X.733 probable cause
	Halts     string   // how service stops; "" if it goes on
	Since     string   // first firmware that knows it; "" for all
	Clears    []string // codes that a Clear clears
	Why       string   // what it means
	Action    string   // what to do, for people; "": as for all of Group
}

// A CodeKind is what a code does.
type CodeKind string

// The kinds of code.
const (
	Assert CodeKind = "assert" // raises a state
	Clear  CodeKind = "clear"  // clears the states in Clears
	Event  CodeKind = "event"  // happens once and leaves no state; clears by itself
)

// Catalogue returns every alarm code that the vendor documents for K7 cards.
func Catalogue() []Code { return slices.Clone(catalogue) }

var catalogue = []Code{
	{Code: "0001", Component: "host-driver", Text: "Soft tamper - over voltage", Kind: Assert, Group: "soft-v",
		Severity: Critical, Type: "environmentalAlarm", Cause: "powerProblem", Halts: "in-reset",
		Why: "The supply voltage left its range; the card is held in reset and does nothing until it is back."},
	{Code: "0002", Component: "host-driver", Text: "Soft tamper - temperature (nnC)", Kind: Assert, Group: "soft-t",
		Severity: Critical, Type: "environmentalAlarm", Cause: "temperatureUnacceptable", Halts: "in-reset",
		Why: "The card is outside -2 to 80 C and is held in reset until it is back in range."},
	{Code: "0003", Component: "host-driver", Text: "Soft tamper - indeterminate cause", Kind: Assert, Group: "soft",
		Severity: Critical, Type: "environmentalAlarm", Cause: "indeterminate", Halts: "in-reset",
		Why: "A soft tamper holds the card in reset; the driver does not know which."},
	{Code: "0004", Component: "host-driver", Text: "Hard tamper - high temperature", Kind: Assert, Group: "hard-ht",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "in-reset",
		Why: "The card passed 88 C: working memory is erased, partitions are deactivated."},
	{Code: "0005", Component: "host-driver", Text: "Hard tamper - low temperature", Kind: Assert, Group: "hard-lt",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "in-reset",
		Why: "The card fell below -40 C: working memory is erased, partitions are deactivated."},
	{Code: "0006", Component: "host-driver", Text: "Hard tamper - over voltage", Kind: Assert, Group: "hard-ov",
		Severity: Critical, Type: "physicalViolation", Cause: "powerProblem", Halts: "in-reset",
		Why: "The voltage passed its maximum: working memory is erased, partitions are deactivated."},
	{Code: "0009", Component: "host-driver", Text: "Hard tamper - oscillator failure", Kind: Assert, Group: "hard-osc",
		Severity: Critical, Type: "physicalViolation", Cause: "timingProblem", Halts: "in-reset",
		Why: "The tamper circuit's clock failed; this can be permanent."},
	{Code: "0010", Component: "host-driver", Text: "Decommission signal triggered", Kind: Assert, Group: "decom",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "in-reset",
		Why: "Somebody pressed the decommission button, or a tamper triggered it: the keys are lost."},
	{Code: "0011", Component: "host-driver", Text: "Hard tamper - indeterminate cause", Kind: Assert, Group: "hard",
		Severity: Critical, Type: "physicalViolation", Cause: "indeterminate", Halts: "in-reset",
		Why: "A hard tamper without a known cause: working memory is erased, partitions are deactivated."},
	{Code: "0012", Component: "host-driver", Text: "Hardware Error", Kind: Assert, Group: "hw",
		Severity: Major, Type: "equipmentAlarm", Cause: "equipmentMalfunction",
		Why: "The card reports a hardware error. Service may go on."},
	{Code: "0013", Component: "host-driver", Text: "High Temperature - nnC", Kind: Assert, Group: "temp-warn",
		Severity: Minor, Type: "environmentalAlarm", Cause: "temperatureUnacceptable",
		Why: "75 C or more for five minutes. At 80 C the card stops."},
	{Code: "0014", Component: "host-driver", Text: "Low Battery", Kind: Assert, Group: "battery",
		Severity: Minor, Type: "equipmentAlarm", Cause: "powerProblem",
		Why: "The battery is below 2.75 V. When it is empty, the keys are lost."},
	{Code: "0015", Component: "host-driver", Text: "PCIe Link Failure", Kind: Assert, Group: "chassis",
		Severity: Critical, Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", Halts: "off-bus",
		Why:    "The card has left the PCIe bus: no service. A tamper may be behind it, which only shows after a power cycle.",
		Action: advisePowerCycle},
	{Code: "0016", Component: "host-driver", Text: "Device Error", Kind: Assert, Group: "comm",
		Severity: Major, Type: "communicationsAlarm", Cause: "communicationsSubsystemFailure",
		Why: "An error on the link between driver and card."},
	{Code: "0017", Component: "host-driver", Text: "Request Timed Out", Kind: Event, Group: "comm",
		Severity: Minor, Again: Major, Type: "qualityOfServiceAlarm", Cause: "responseTimeExcessive",
		Why: "One request to the card took too long."},
	{Code: "1000", Component: "bootloader", Text: "Unknown alarm ID x in boot loader", Kind: Event, Group: "meta",
		Severity: Warning, Type: "processingErrorAlarm", Cause: "softwareError",
		Why: "The boot loader names an alarm that it does not know: a fault, or a newer code."},
	{Code: "1001", Component: "bootloader", Text: "HSM restart required", Kind: Assert, Group: "restart",
		Severity: Critical, Type: "equipmentAlarm", Cause: "underlyingResourceUnavailable", Halts: "waits-restart",
		Why: "A tamper stopped the HSM: its firmware does not run until somebody restarts it."},
	{Code: "1003", Component: "bootloader", Text: "HSM halted - internal boot loader error", Kind: Assert, Group: "halt",
		Severity: Critical, Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", Halts: "never-started",
		Why: "The self-test at start failed; the firmware was not started."},
	{Code: "1004", Component: "bootloader", Text: "Warning - boot loader diagnostic error", Kind: Assert, Group: "hw",
		Severity: Minor, Type: "equipmentAlarm", Cause: "equipmentMalfunction",
		Why: "The self-test at start found a fan, VPD or clock problem and went on."},
	{Code: "1005", Component: "bootloader", Text: "HSM FW signature check failed", Kind: Assert, Group: "halt",
		Severity: Critical, Type: "integrityViolation", Cause: "informationModificationDetected", Halts: "never-started",
		Why:    "The firmware image is not authentic and was not started.",
		Action: "Contact the vendor's support: the firmware is not authentic and will not run. Find out who had access to the HSM."},
	{Code: "1006", Component: "bootloader", Text: "Soft tamper temperature/voltage", Kind: Assert, Group: "soft",
		Severity: Critical, Type: "environmentalAlarm", Cause: "temperatureUnacceptable", Halts: "waits-restart",
		Why: "The boot loader found a soft tamper by temperature or voltage."},
	{Code: "1007", Component: "bootloader", Text: "Hard tamper - high temperature", Kind: Assert, Group: "hard-ht",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "waits-restart",
		Why: "The boot loader found that the card had passed 88 C."},
	{Code: "1008", Component: "bootloader", Text: "Hard tamper - low temperature", Kind: Assert, Group: "hard-lt",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "waits-restart",
		Why: "The boot loader found that the card had been below -40 C."},
	{Code: "1009", Component: "bootloader", Text: "Hard tamper - over voltage", Kind: Assert, Group: "hard-ov",
		Severity: Critical, Type: "physicalViolation", Cause: "powerProblem", Halts: "waits-restart",
		Why: "The boot loader found that the voltage had passed its maximum."},
	{Code: "1012", Component: "bootloader", Text: "Hard tamper - oscillator failure", Kind: Assert, Group: "hard-osc",
		Severity: Critical, Type: "physicalViolation", Cause: "timingProblem", Halts: "waits-restart",
		Why: "The boot loader found the tamper circuit's clock failed."},
	{Code: "1013", Component: "bootloader", Text: "Hard tamper - tamper configuration invalid", Kind: Assert, Group: "hard-cfg",
		Severity: Critical, Type: "physicalViolation", Cause: "corruptData", Halts: "waits-restart",
		Why: "The tamper circuit lost its settings, as after a loss of battery power."},
	{Code: "1014", Component: "bootloader", Text: "Chassis opened", Kind: Assert, Group: "chassis",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "waits-restart",
		Why: "The chassis was opened."},
	{Code: "1015", Component: "bootloader", Text: "HSM removed from chassis", Kind: Assert, Group: "removal",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "waits-restart",
		Why: "The card was out of its chassis."},
	{Code: "1016", Component: "bootloader", Text: "Decommission signal triggered", Kind: Assert, Group: "decom",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "waits-restart",
		Why: "The boot loader found the decommission signal."},
	{Code: "2000", Component: "firmware", Text: "Unknown alarm ID x in firmware", Kind: Event, Group: "meta",
		Severity: Warning, Type: "processingErrorAlarm", Cause: "softwareError",
		Why: "The firmware names an alarm that it does not know: a fault, or a newer code."},
	{Code: "2001", Component: "firmware", Text: "High temperature warning activated", Kind: Assert, Group: "temp-warn",
		Severity: Minor, Type: "environmentalAlarm", Cause: "temperatureUnacceptable",
		Why: "The card is over 75 C. At 80 C it stops."},
	{Code: "2002", Component: "firmware", Text: "High temperature warning deactivated", Kind: Clear, Group: "temp-warn",
		Severity: SeverityCleared, Type: "environmentalAlarm", Cause: "temperatureUnacceptable", Clears: []string{"2001", "0013"},
		Why: "The card is below 75 C again."},
	{Code: "2003", Component: "firmware", Text: "Battery low voltage warning", Kind: Assert, Group: "battery",
		Severity: Minor, Type: "equipmentAlarm", Cause: "powerProblem",
		Why: "The battery is below 2.75 V. When it is empty, the keys are lost."},
	{Code: "2004", Component: "firmware", Text: "Battery depleted", Kind: Assert, Group: "battery",
		Severity: Critical, Type: "equipmentAlarm", Cause: "powerProblem", Halts: "OOS30",
		Why:    "The battery is below 2.5 V: the firmware has stopped, and the HSM is decommissioned, unless policy 46 forbids it.",
		Action: "Replace the unit: the firmware has halted, and the keys are lost with the battery. Restore them from a backup on another HSM, and contact the vendor's support."},
	{Code: "2005", Component: "firmware", Text: "HSM deactivated", Kind: Assert, Group: "activation",
		Severity: Major, Type: "securityServiceOrMechanismViolation", Cause: "outOfService",
		Why: "The data for auto-activation were cleared: partitions with PED need a new login."},
	{Code: "2006", Component: "firmware", Text: "HSM decommissioned by FW", Kind: Assert, Group: "decom",
		Severity: Critical, Type: "securityServiceOrMechanismViolation", Cause: "outOfService",
		Why:    "All user keys are unusable: the decommission signal, a tamper where policy 40 is on, or a damaged key encryption key.",
		Action: adviseErased},
	{Code: "2007", Component: "firmware", Text: "HSM zeroized", Kind: Assert, Group: "zeroize",
		Severity: Critical, Type: "securityServiceOrMechanismViolation", Cause: "outOfService",
		Why: "All user keys were erased: three wrong SO logins, a command, or a factory reset."},
	{Code: "2008", Component: "firmware", Text: "Internal data corruption", Kind: Assert, Group: "integrity",
		Severity: Critical, Type: "integrityViolation", Cause: "corruptData",
		Why:    "The settings of tamper monitoring were wrong, or the master tamper key or its write protection is damaged.",
		Action: "Restart the HSM. If it comes again, send hsm supportinfo to the vendor's support."},
	{Code: "2009", Component: "firmware", Text: "HSM halted - internal firmware error", Kind: Assert, Group: "halt",
		Severity: Critical, Type: "processingErrorAlarm", Cause: "softwareProgramAbnormallyTerminated", Halts: "OOS30",
		Why: "The firmware stopped on an internal error: no service."},
	{Code: "2010", Component: "firmware", Text: "HSM locked - tamper clear required", Kind: Assert, Group: "lock",
		Severity: Critical, Type: "physicalViolation", Cause: "outOfService", Halts: "limited",
		Why: "Only a few commands work until the SO clears the tamper."},
	{Code: "2011", Component: "firmware", Text: "HSM unlocked - tamper clear done", Kind: Clear, Group: "lock",
		Severity: SeverityCleared, Type: "physicalViolation", Cause: "outOfService", Clears: []string{"2010", "0004", "0005", "0006", "0009", "0011", "1007", "1008", "1009", "1012", "1013", "1014", "1015", "2015", "2016", "2017", "2018", "2019", "2020", "2021"},
		Why: "The SO cleared the tamper."},
	{Code: "2012", Component: "firmware", Text: "HSM in secure transport mode", Kind: Assert, Group: "stm",
		Severity: Major, Type: "operationalViolation", Cause: "outOfService", Halts: "limited",
		Why: "The HSM is in secure transport mode: only a few commands work."},
	{Code: "2013", Component: "firmware", Text: "HSM recovered from secure transport mode", Kind: Clear, Group: "stm",
		Severity: SeverityCleared, Type: "operationalViolation", Cause: "outOfService", Clears: []string{"2012"},
		Why: "The HSM left secure transport mode."},
	{Code: "2014", Component: "firmware", Text: "Auto-activation data invalid - HSM deactivated", Kind: Assert, Group: "activation",
		Severity: Major, Type: "securityServiceOrMechanismViolation", Cause: "corruptData",
		Why: "The data for auto-activation are damaged: partitions with PED need a new login."},
	{Code: "2015", Component: "firmware", Text: "Hard tamper - high temperature", Kind: Assert, Group: "hard-ht",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "limited",
		Why:    "The firmware found that the card had passed 88 C.",
		Action: adviseClear},
	{Code: "2016", Component: "firmware", Text: "Hard tamper - low temperature", Kind: Assert, Group: "hard-lt",
		Severity: Critical, Type: "physicalViolation", Cause: "temperatureUnacceptable", Halts: "limited",
		Why:    "The firmware found that the card had been below -40 C.",
		Action: adviseClear},
	{Code: "2017", Component: "firmware", Text: "Hard tamper - over voltage", Kind: Assert, Group: "hard-ov",
		Severity: Critical, Type: "physicalViolation", Cause: "powerProblem", Halts: "limited",
		Why:    "The firmware found that the voltage had passed its maximum.",
		Action: adviseClear},
	{Code: "2018", Component: "firmware", Text: "Hard tamper - oscillator failure", Kind: Assert, Group: "hard-osc",
		Severity: Critical, Type: "physicalViolation", Cause: "timingProblem", Halts: "limited",
		Why:    "The firmware found the tamper circuit's clock failed.",
		Action: adviseClear},
	{Code: "2019", Component: "firmware", Text: "Hard tamper - tamper configuration invalid", Kind: Assert, Group: "hard-cfg",
		Severity: Critical, Type: "physicalViolation", Cause: "corruptData", Halts: "limited",
		Why:    "The firmware found the tamper settings lost.",
		Action: adviseClear + " Check the battery."},
	{Code: "2020", Component: "firmware", Text: "Chassis opened", Kind: Assert, Group: "chassis",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "limited",
		Why:    "The firmware found the chassis opened.",
		Action: "Close the chassis. " + adviseClear},
	{Code: "2021", Component: "firmware", Text: "HSM was removed from chassis", Kind: Assert, Group: "removal",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection", Halts: "limited",
		Why:    "The firmware found that the card had been removed; it will be deactivated.",
		Action: adviseClear},
	{Code: "2022", Component: "firmware", Text: "Decommission signal triggered", Kind: Assert, Group: "decom",
		Severity: Critical, Type: "physicalViolation", Cause: "intrusionDetection",
		Why:    "The firmware saw the decommission signal; loss of the keys follows.",
		Action: adviseErased},
	{Code: "2023", Component: "firmware", Text: "HSM fan x failure", Kind: Assert, Group: "fan",
		Severity: Minor, Type: "equipmentAlarm", Cause: "heatingOrVentilationOrCoolingSystemProblem",
		Why: "One of the card's two fans failed."},
	{Code: "2024", Component: "firmware", Text: "Stored data integrity verify error", Kind: Assert, Group: "integrity",
		Severity: Critical, Type: "integrityViolation", Cause: "corruptData", Halts: "OOS30-at-startup",
		Why:    "A stored object failed its check. At start the firmware stops; while running, the object is unusable.",
		Action: "Restart the HSM. If it comes at the start: power cycle it; if it stays, zeroize it and restore from a backup, then ask the vendor's support. If it comes while it runs: ask the vendor's support."},
	{Code: "2025", Component: "firmware", Text: "Firmware update in progress", Kind: Event, Group: "fwupd",
		Severity: None, Type: "other", Cause: "other", Since: "7.7.0",
		Why: "A firmware update runs."},
	{Code: "2026", Component: "firmware", Text: "Firmware update canceled", Kind: Assert, Group: "fwupd",
		Severity: Critical, Type: "processingErrorAlarm", Cause: "storageCapacityProblem", Halts: "OOS30", Since: "7.7.0",
		Why: "The firmware update stopped for lack of memory: the HSM goes back to the firmware before it, and is halted."},
	{Code: "2027", Component: "firmware", Text: "HSM storage exceeded", Kind: Assert, Group: "capacity",
		Severity: Minor, Type: "processingErrorAlarm", Cause: "storageCapacityProblem", Since: "7.7.0",
		Why: "A partition uses more than its size since the firmware update: it works with restrictions."},
	{Code: "2028", Component: "firmware", Text: "HSM capacity exceeded", Kind: Assert, Group: "capacity",
		Severity: Major, Type: "processingErrorAlarm", Cause: "storageCapacityProblem", Since: "7.7.0",
		Why:    "An operation would have used more than the HSM's whole memory, and was cancelled.",
		Action: "Compare the HSM with its backups: an operation was cancelled. Free storage before it is tried again."},
}

var codeByNumber = indexed(catalogue, func(c Code) string { return c.Code })

// CodeNamed returns the catalogue's entry for a code of four digits.
func CodeNamed(code string) (Code, bool) {
	c, known := codeByNumber[code]
	return c, known
}
