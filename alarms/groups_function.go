package alarms

// functionGroups are about whether an HSM does its work, whatever it says of itself.
var functionGroups = []Group{
	{Name: "probe-failed", Number: 95, Title: "Test program of the site fails", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "applicationSubsystemFailure",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "hsm-silent", "unreachable", "ntls"}, ParentCauses: []string{"unreachable"},
		Means:  "A program of the site that tries the HSM as applications do has failed twice in a row.",
		Check:  []string{"lunawatch hsm show", "host: vtl verify", "ntls show", "partition show"},
		Action: "Run the program by hand as the agent's user. If applications fail, too: check partition, client certificate and NTLS; if only it fails: its PIN, its configuration and its time limit."},
	{Name: "function-unproven", Number: 96, Title: "No work for clients", Trap: CryptoAttention,
		Type: "processingErrorAlarm", Cause: "underlyingResourceUnavailable",
		afterTampers: anyTamper, Causes: []string{"halt", "restart", "hsm-crashed", "hsm-silent", "unreachable", "ntls", "probe-failed"}, ParentCauses: []string{"unreachable"},
		Means:  "In hours in which expect.busy says that clients use the HSM, its counters show no request of any client for longer than expect.unproven_after.",
		Check:  []string{"hsm information show", "ntls show", "partition show", "host: vtl verify"},
		Action: "Ask whether the applications run and use this HSM: they may have moved to other members of their HA group. If they run and fail, check NTLS, the clients' certificates and the partitions; if nobody should use it, correct expect: in the configuration."},
}
