package alarms

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Group is one kind of problem, from whichever source it is seen.
type Group struct {
	Name   string
	Title  string
	Trap   Trap   // the vendor's notification that tells of it
	Action string // what to do, for people
	// ClearedBy returns the time of fresh polled data that show that nothing
	// of the kind is left on the first card; zero: they do not, or do not
	// tell. nil: only a code, a rule or time ends it.
	ClearedBy func(d hsm.Device, now time.Time) time.Time
}

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
	adviseCool    = "Check the room, the chassis and its fans. When the temperature is back in range, restart the HSM (hsm restart) and read hsm tamper show."
	advisePower   = "Check the power supplies of the host or appliance. When the voltage is back in range, restart the HSM (hsm restart)."
	adviseTamper  = "Restart the HSM, then read hsm tamper show. The SO clears the tamper if policy 48 is on; activate the partitions again. If the cause is unknown, send hsm supportinfo to the vendor's support."
	adviseRestart = "Restart the HSM (hsm restart); if that fails, power cycle it. If it comes back, send hsm supportinfo to the vendor's support."
	adviseRestore = "Find out who or what did it. Initialize the HSM, create its partitions and restore the keys from a backup."
	adviseSupport = "Note the line and ask the vendor's support."
	adviseBattery = "Check that backups are current, and plan to replace the unit: the battery of a K7 cannot be changed."
	adviseReach   = "Check network, power and the agent's account on the appliance. Of a card: kernel log (ALM0015), power, and the Luna client of its host. Until it is reachable, nothing is known of this HSM."
)

// Groups is every group, by the order in which the documentation lists them.
var Groups = []Group{
	{"soft-v", "Soft tamper: voltage", CryptoAttention, advisePower, answersAgain},
	{"soft-t", "Soft tamper: temperature", CryptoAttention, adviseCool, answersAgain},
	{"soft", "Soft tamper", CryptoAttention, adviseCool, answersAgain},
	{"hard-ht", "Hard tamper: high temperature", CryptoAttention, adviseTamper, noTamper},
	{"hard-lt", "Hard tamper: low temperature", CryptoAttention, adviseTamper, noTamper},
	{"hard-ov", "Hard tamper: over voltage", CryptoAttention, adviseTamper, noTamper},
	{"hard-osc", "Hard tamper: oscillator failure", CryptoAttention, adviseTamper, noTamper},
	{"hard-cfg", "Hard tamper: tamper configuration invalid", CryptoAttention, adviseTamper + " Check the battery.", noTamper},
	{"hard", "Hard tamper", CryptoAttention, adviseTamper, noTamper},
	{"chassis", "Chassis opened, or card gone from the bus", CryptoAttention, "Close the chassis and power the host off and on. " + adviseTamper, noTamper},
	{"removal", "Card removed from its chassis", CryptoAttention, adviseTamper, noTamper},
	{"decom", "HSM decommissioned", CryptoAttention, adviseRestore, initialized},
	{"zeroize", "HSM zeroized", CryptoAttention, adviseRestore, nil},
	{"lock", "Tamper detected, HSM locked until it is cleared", CryptoAttention, adviseTamper, noTamper},
	{"restart", "HSM waits for a restart", CryptoAttention, adviseRestart, answersAgain},
	{"halt", "HSM halted", CryptoAttention, adviseRestart, answersAgain},
	{"hw", "Hardware error", CryptoAttention, adviseSupport, restarted},
	{"integrity", "Stored data damaged", CryptoAttention, "Restart the HSM, then power cycle it; if the check still fails, zeroize and restore from a backup. Ask the vendor's support.", nil},
	{"comm", "HSM answers late or not at all", CryptoAttention, "Look at load and hsm show. If it repeats, restart the HSM and ask the vendor's support.", answersAgain},
	{"temp-warn", "Card too warm", CryptoAttention, "Improve the cooling, check the fans, reduce the load: at 80 C the card stops.", nil},
	{"battery", "Battery low", CryptoAttention, adviseBattery, nil},
	{"activation", "Partitions deactivated", CryptoAttention, "Find the tamper that caused it; the crypto officers activate their partitions again with the PED key.", activated},
	{"stm", "Secure transport mode", CryptoAttention, "If this is not a planned transport, find out why. The SO recovers the HSM with stm recover and compares the strings.", nil},
	{"fan", "Fan on the card failed", CryptoAttention, "Watch the temperature and ask the vendor's support.", nil},
	{"fwupd", "Firmware update", CryptoAttention, "Check which firmware runs, free storage, and ask the vendor's support.", nil},
	{"capacity", "HSM storage exceeded", CryptoAttention, "Delete objects, or resize the partition.", spaceLeft},
	{"meta", "Unknown alarm", CryptoAttention, adviseSupport, nil},

	{"hsm-status", "HSM status", CryptoAttention, adviseRestart, nil},
	{"hsm-silent", "HSM does not answer", CryptoAttention, "A PED operation can block it for minutes. Else look at the load, then restart the HSM.", nil},
	{"hsm-crashed", "HSM firmware crashed", CryptoAttention, adviseRestart, answersAgain},
	{"hsm-sessions", "No session left in the HSM", CryptoAttention, "Find the application that opens sessions and does not close them, and restart it.", nil},
	{"audit-log", "Audit log full or damaged", CryptoAttention, "The auditor fetches the log and makes room, or finds out who changed it.", nil},
	{"so-login-attempts", "Wrong SO logins", CryptoAttention, "Find out who tries. At 0 the HSM erases itself; a right SO login sets the count back.", nil},
	{"hsm-storage", "HSM storage", CryptoAttention, "Free a partition, or accept that no further one fits.", nil},
	{"utilization", "HSM utilization", CryptoAttention, "Requests wait. Find which clients load it, and share the load over more HSMs.", nil},
	{"partition-storage", "Partition storage", CryptoAttention, "Delete objects, or resize the partition.", nil},
	{"ntls", "NTLS down", NTLSAttention, "No client can work. Look at ntls show and the log disk, then restart NTLS.", nil},
	{"ntls-log", "NTLS reports errors", NTLSAttention, "Read the lines and ntls information show; a client's certificate or address may be wrong.", nil},
	{"ntls-certificate", "NTLS certificate", NTLSAttention, "Make a new server certificate and have every client take it: sysconf regencert, then ntls restart.", nil},
	{"appliance-fan", "Appliance fan", FanAttention, "Replace the fan module.", nil},
	{"power-supply", "Power supply", PowerSupplyAttention, "Check the cable and the feed; replace the power supply.", nil},
	{"motherboard", "Motherboard sensor", MotherboardAttention, "Check the room and the fans; if it stays, ask the vendor's support.", nil},
	{"disk", "Appliance disk", DiskDriveAttention, "Read status disk; a failing disk means a new appliance.", nil},
	{"log-disk", "Log disk fills up", DiskDriveAttention, "Fetch the logs (syslog tarlogs) and clean up: at 95 % the appliance stops NTLS.", nil},
	{"host-disk", "File system of the host fills up", DiskDriveAttention, "Free space on the host that the agent runs on.", nil},
	{"ha-member", "HA group has lost a member", CryptoAttention, "Look at the appliance and at its partition: is it reachable, is it activated? Applications that began without it must be restarted.", nil},
	{"ha-exhausted", "HA recovery given up", CryptoAttention, "Mend the member, then have it recovered by hand (hagroup recover) or restart the applications: nothing tries any more.", nil},
	{"ha-redundancy", "HA group without redundancy", CryptoAttention, "The next loss is an outage: bring the lost members back.", nil},
	{"ha-standby-in-use", "HA group works with its standby members", CryptoAttention, "No active member is left: look at their appliances and partitions, and bring them back.", nil},
	{"ha-offline", "HA group offline", CryptoAttention, "No application of this host can use its keys. Bring a member back, then restart the applications.", nil},
	{"ha-recovery-disabled", "HA recovery disabled", CryptoAttention, "Enable it (hagroup retry -count), or recover the members by hand.", nil},
	{"ha-unasked", "LunaCM does not list the HA groups", CryptoAttention, "Run hagroup listgroups as the agent's user. Until it works, HA is known from the log of the applications only.", nil},
	{"client-certificate", "Certificate of the Luna client", NTLSAttention, "Make a new certificate and register it on the other side, before NTLS connections fail.", nil},
	{"system-status", "Appliance services", CryptoAttention, "Read status sysstat show and status sysstat code.", nil},
	{"service", "Service of the appliance down", CryptoAttention, "Read service status on the appliance; restart the service, or take it from those that start with the appliance if it is not wanted.", nil},
	{"unreachable", "HSM not reachable", CryptoAttention, adviseReach, nil},
	{"audit-event", "Critical event in the audit log", CryptoAttention, "Find out who did it, and whether it was planned.", nil},
	{"failed-login", "Failed login in the audit log", CryptoAttention, "Find out who tries. Too many lock the role, of the SO erase the HSM.", nil},
	{"inventory", "Not what is expected", CryptoAttention, "Compare with what should be there; mend the one that is wrong, or expect: in the configuration.", nil},
	{"inventory-partition", "Partition missing or not activated", CryptoAttention, "Find out who removed or deactivated it. Its crypto officer activates it; else restore it from a backup, or change expect: in the configuration.", nil},
	{"inventory-member", "HA member not configured", CryptoAttention, "Add it on this client (hagroup addmember), or change expect: in the configuration.", nil},
	{"forecast", "A trend leads to a limit", CryptoAttention, "There is time: plan the replacement, or make room, before the day that is named.", nil},
	{"storm", "Many new alarms", CryptoAttention, "See lunawatch alarms list. Many at once have one cause: power, network, cooling.", nil},
	{"delivery", "Notifications are not delivered", CryptoAttention, "Look at the receiver and at the way to it; what waits is delivered when it is back.", nil},
	{"journal", "State not stored", CryptoAttention, "Free space below state_directory and make it writable. Alarms go on in memory meanwhile. Of a damaged state, clear the alarm once you have looked at it.", nil},
	{"test", "Test of the alarm chain", CryptoAttention, "Nothing: it ends by itself.", nil},
	{"sources-disagree", "Sources disagree", CryptoAttention, "One of them is wrong, or they look at different HSMs: compare their addresses in the configuration and what hsm show says on the appliance.", nil},
	{"source-failing", "Source fails", CryptoAttention, "Others work, but nothing stands in for them any more: look at the account, the address and the service on the appliance, or take the source out of the configuration.", nil},
	{"data-stale", "Data are old", CryptoAttention, "The source named fails or is slow; lunawatch check-config and luna_source_failure tell why.", nil},
}

// GroupNamed returns the group of that name, or one without advice.
func GroupNamed(name string) Group {
	for _, g := range Groups {
		if g.Name == name {
			return g
		}
	}
	return Group{Name: name, Title: name, Trap: CryptoAttention, Action: adviseSupport}
}

// answersAgain: hsm show works, so the firmware runs.
func answersAgain(d hsm.Device, now time.Time) time.Time {
	if s, ok := d.Show.Get(now); ok && (s.Status == "" || statusOK(s.Status)) {
		return d.Show.Asked()
	}
	return time.Time{}
}

func statusOK(s string) bool {
	return strings.EqualFold(s, "OK") || strings.HasPrefix(strings.ToUpper(s), "L3 DEVICE")
}

// noTamper: the HSM says so, in hsm show or in hsm tamper show; without
// controlled tamper recovery it says nothing, and that it works must do.
func noTamper(d hsm.Device, now time.Time) time.Time {
	show, _ := d.Show.Get(now)
	tamper, _ := d.Tamper.Get(now)
	switch {
	case show.Tamper == hsm.TamperDetected && d.Show.Fresh(now):
	case show.Tamper == hsm.TamperNone && d.Show.Fresh(now):
		return d.Show.Asked()
	case tamper.State == hsm.TamperNone && d.Tamper.Fresh(now):
		return d.Tamper.Asked()
	case policyOff(d.Policies.Value, controlledTamperRecovery):
		return answersAgain(d, now)
	}
	return time.Time{}
}

// controlledTamperRecovery is the HSM policy that keeps a tampered HSM locked
// until its SO clears the tamper.
const controlledTamperRecovery = 48

func policyOff(p hsm.Policies, id int64) bool {
	return slices.ContainsFunc(p.Policies, func(p hsm.Policy) bool { return hsm.Is(p.ID, id) && strings.EqualFold(p.Value, "Off") })
}

// initialized: the HSM has a label and is not zeroized.
func initialized(d hsm.Device, now time.Time) time.Time {
	if s, ok := d.Show.Get(now); ok && hsm.Is(s.Zeroized, false) && s.Label.Value != "" {
		return d.Show.Asked()
	}
	return time.Time{}
}

// activated: partitions tell of activation, and none is without it.
func activated(d hsm.Device, now time.Time) time.Time {
	ps, ok := d.Partitions.Get(now)
	stated := false
	for _, p := range ps {
		stated = stated || p.Activated.Known
		ok = ok && !hsm.Is(p.Activated, false)
	}
	if ok && stated {
		return d.Partitions.Asked()
	}
	return time.Time{}
}

// restarted: the HSM works, and has not said it again since its last reset.
func restarted(d hsm.Device, now time.Time) time.Time {
	m, ok := d.Monitor.Get(now)
	if !ok || len(m.Samples) == 0 || answersAgain(d, now).IsZero() {
		return time.Time{}
	}
	up := time.Duration(m.Samples[len(m.Samples)-1].UptimeSeconds) * time.Second
	return d.Monitor.Asked().Add(-up)
}

// spaceLeft: the HSM has storage to give.
func spaceLeft(d hsm.Device, now time.Time) time.Time {
	if s, ok := d.Show.Get(now); ok && s.Storage.Free.Value > 0 {
		return d.Show.Asked()
	}
	return time.Time{}
}
