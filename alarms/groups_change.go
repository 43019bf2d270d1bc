package alarms

// changeGroups are about what somebody has done to an HSM, mostly on purpose.
var changeGroups = []Group{
	{Name: "hsm-changed", Number: 97, Title: "Firmware or policy changed", Trap: CryptoAttention,
		Type: "operationalViolation", Cause: "proceduralError", Ages: true,
		Means:  "The HSM states another firmware, or another value of one of its policies, than before. Firmware that is not the one of expect.firmware is inventory instead.",
		Check:  []string{"hsm show", "hsm showpolicies", "lunacm: hsm showpolicies"},
		Action: "Find out whether it was planned, and note it where changes are noted. If not: find out who is Security Officer of the HSM, and change it back; some policies erase all partitions when they are changed."},
}
