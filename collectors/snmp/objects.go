package snmp

import (
	"slices"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// The subtrees of the vendor's modules.
var (
	chrysalisUTSP         = oid{1, 3, 6, 1, 4, 1, 12383, 3, 1}
	safenetHSM            = oid{1, 3, 6, 1, 4, 1, 23629, 1, 5, 1}
	safenetAppliance      = oid{1, 3, 6, 1, 4, 1, 23629, 1, 5, 2}
	softwareVersionObject = below(safenetAppliance, 1) // appSoftwareVersion
)

func below(o oid, ids ...uint32) oid { return slices.Concat(o, ids) }

// The largest plausible values. Some agents serve garbage: the vendor's own example of
// a walk has 16571615927115620 connections without a client.
const (
	maxOperations  = 1e15  // a million per second for thirty years
	maxConnections = 1e13  // ten thousand per second for thirty years
	maxUptime      = 1e10  // s
	maxLinks       = 1e6   // at the same time
	maxPartitions  = 10000 // of one HSM
	maxAttempts    = 1000  // at logging in
	maxOTT         = 3600  // s
)

// An ntlsRow is the group of NTLS objects.
type ntlsRow struct {
	hsm.NTLS
	hsm.Certificate
}

// An hsmRow is a row of hsmTable.
type hsmRow struct {
	hsm.Show
	hsmLoad
}

// A policyRow is a row of a policy table.
type policyRow struct{ hsm.Policy }

// add adds the policy to the list of its type, capability(1) or policy(2).
func (row policyRow) add(p *hsm.Policies, kind, id string) {
	answer.Whole(&row.ID, id)
	switch kind {
	case "1":
		p.Capabilities = append(p.Capabilities, row.Policy)
	case "2":
		p.Policies = append(p.Policies, row.Policy)
	}
}

// ofNumber returns a setter of a number up to most.
func ofNumber[R any, N int64 | uint64](field func(*R) *hsm.Opt[N], most uint64) func(*R, varbind) bool {
	return func(row *R, v varbind) bool {
		n, ok := v.number()
		return answer.Known(field(row), N(n), ok && n <= most)
	}
}

// ofTruth returns a setter of a TruthValue: true(1), false(2).
func ofTruth[R any](field func(*R) *hsm.Opt[bool]) func(*R, varbind) bool {
	return func(row *R, v varbind) bool {
		n, ok := v.number()
		return answer.Known(field(row), n == 1, ok && (n == 1 || n == 2))
	}
}

// ofEnum returns a setter of an enumeration, by number.
func ofEnum[R any, E any](field func(*R) *E, labels map[uint64]E) func(*R, varbind) bool {
	return func(row *R, v varbind) bool {
		n, ok := v.number()
		e, labelled := labels[n]
		if ok && labelled {
			*field(row) = e
		}
		return ok && labelled
	}
}

// ofText returns a setter of a DisplayString, which is unknown if it is empty or
// says so.
func ofText[R any](field func(*R) *string) func(*R, varbind) bool {
	return func(row *R, v varbind) bool {
		s, ok := v.text()
		if ok && !answer.NotKnown(s) {
			*field(row) = s
		}
		return ok
	}
}

// ofLabel returns a setter of a DisplayString that can be empty.
func ofLabel[R any](field func(*R) *hsm.Opt[string]) func(*R, varbind) bool {
	return func(row *R, v varbind) bool {
		s, ok := v.text()
		return answer.Known(field(row), s, ok)
	}
}

// maxUnsigned32 is the largest size: at 1<<32 - 1 an agent may have cut a larger one.
const maxUnsigned32 = 1<<32 - 2

// operationObjects are the first group of CHRYSALIS-UTSP-MIB.
var operationObjects = table[hsm.Information]{
	entry: below(chrysalisUTSP, 1),
	columns: []column[hsm.Information]{
		{1, "hsmOperationRequests", ofNumber(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.OperationRequests }, maxOperations)},
		{2, "hsmOperationErrors", ofNumber(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.OperationErrors }, maxOperations)},
		{3, "hsmCriticalEvents", ofNumber(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.CriticalEvents }, maxOperations)},
		{4, "hsmNonCriticalEvents", ofNumber(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.NoncriticalEvents }, maxOperations)},
	},
}

// ntlsObjects are the second group of CHRYSALIS-UTSP-MIB. Its instance 7 may be
// ntlsCertExpireNotification, which has no value.
var ntlsObjects = table[ntlsRow]{
	entry: below(chrysalisUTSP, 2),
	columns: []column[ntlsRow]{
		{1, "ntlsOperStatus", ofEnum(func(n *ntlsRow) *hsm.NTLSStatus { return &n.Status },
			map[uint64]hsm.NTLSStatus{1: hsm.NTLSUp, 2: hsm.NTLSDown, 3: hsm.NTLSUnknown})},
		{2, "ntlsConnectedClients", ofNumber(func(n *ntlsRow) *hsm.Opt[uint64] { return &n.ConnectedClients }, maxLinks)},
		{3, "ntlsLinks", ofNumber(func(n *ntlsRow) *hsm.Opt[uint64] { return &n.Links }, maxLinks)},
		{4, "ntlsSuccessfulClientConnections", ofNumber(func(n *ntlsRow) *hsm.Opt[uint64] { return &n.SuccessfulConnections }, maxConnections)},
		{5, "ntlsFailedClientConnections", ofNumber(func(n *ntlsRow) *hsm.Opt[uint64] { return &n.FailedConnections }, maxConnections)},
		{6, "ntlsCertExpireDay", func(n *ntlsRow, v varbind) bool {
			s, ok := v.text()
			return ok && answer.CertificateTime(&n.NotAfter, s)
		}},
	},
}

// hsmObjects is hsmTable of SAFENET-HSM-MIB.
var hsmObjects = table[hsmRow]{
	entry: below(safenetHSM, 2, 1),
	index: [][]indexForm{{indexText}},
	columns: []column[hsmRow]{
		{1, "hsmSerialNumber", nil},
		{2, "hsmFirmwareVersion", ofText(func(r *hsmRow) *string { return &r.Firmware })},
		{3, "hsmLabel", ofLabel(func(r *hsmRow) *hsm.Opt[string] { return &r.Label })},
		{4, "hsmModel", ofText(func(r *hsmRow) *string { return &r.Model })},
		{5, "hsmAuthenticationMethod", ofEnum(func(r *hsmRow) *hsm.Authentication { return &r.Authentication },
			map[uint64]hsm.Authentication{1: hsm.AuthUnknown, 2: hsm.AuthPassword, 3: hsm.AuthPED})},
		{6, "hsmRpvInitialized", ofEnum(func(r *hsmRow) *hsm.RPV { return &r.RPV },
			map[uint64]hsm.RPV{1: hsm.RPVNotSupported, 2: hsm.RPVUninitialized, 3: hsm.RPVInitialized})},
		{7, "hsmFipsMode", ofTruth(func(r *hsmRow) *hsm.Opt[bool] { return &r.FIPS })},
		{8, "hsmPerformance", nil}, // a capability states it
		{9, "hsmStorageTotalBytes", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.Storage.Total }, maxUnsigned32)},
		{10, "hsmStorageAllocatedBytes", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.Storage.Used }, maxUnsigned32)},
		{11, "hsmStorageAvailableBytes", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.Storage.Free }, maxUnsigned32)},
		{12, "hsmMaximumPartitions", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.PartitionsAllowed }, maxPartitions)},
		{13, "hsmPartitionsCreated", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.PartitionsCreated }, maxPartitions)},
		{14, "hsmPartitionsFree", nil},
		{15, "hsmBackupProtocol", nil}, // licences and capabilities state it
		{16, "hsmAdminLoginAttempts", ofNumber(func(r *hsmRow) *hsm.Opt[int64] { return &r.SOLoginAttemptsLeft }, maxAttempts)},
		{17, "hsmAuditRoleInitialized", ofEnum(func(r *hsmRow) *hsm.AuditRole { return &r.AuditRole },
			map[uint64]hsm.AuditRole{0: hsm.AuditNotSupported, 1: hsm.AuditYes, 2: hsm.AuditNo})},
		{18, "hsmManuallyZeroized", ofTruth(func(r *hsmRow) *hsm.Opt[bool] { return &r.ManuallyZeroized })},
		{19, "hsmUpTime", ofNumber(func(r *hsmRow) *hsm.Opt[uint64] { return &r.uptime }, maxUptime)},
		{20, "hsmBusyTime", ofNumber(func(r *hsmRow) *hsm.Opt[uint64] { return &r.busy }, maxUptime)},
		{21, "hsmCommandCount", ofNumber(func(r *hsmRow) *hsm.Opt[uint64] { return &r.commands }, maxOperations)},
	},
}

// licenseObjects is hsmLicenseTable.
var licenseObjects = table[hsm.License]{
	entry: below(safenetHSM, 3, 1),
	index: [][]indexForm{{indexText, indexText}},
	columns: []column[hsm.License]{
		{1, "hsmLicenseID", nil},
		{2, "hsmLicenseDescription", ofText(func(l *hsm.License) *string { return &l.Description })},
	},
}

// partitionObjects is hsmPartitionTable. Its index is not documented; it may or may not
// have the HSM's serial number.
var partitionObjects = table[hsm.Partition]{
	entry: below(safenetHSM, 4, 1),
	index: [][]indexForm{{indexText, indexText}, {indexText}},
	columns: []column[hsm.Partition]{
		{1, "hsmPartitionSerialNumber", nil},
		{2, "hsmPartitionLabel", ofLabel(func(p *hsm.Partition) *hsm.Opt[string] { return &p.Label })},
		{3, "hsmPartitionActivated", ofTruth(func(p *hsm.Partition) *hsm.Opt[bool] { return &p.Activated })},
		{4, "hsmPartitionStorageTotalBytes", ofNumber(func(p *hsm.Partition) *hsm.Opt[int64] { return &p.Storage.Total }, maxUnsigned32)},
		{5, "hsmPartitionStorageAllocatedBytes", ofNumber(func(p *hsm.Partition) *hsm.Opt[int64] { return &p.Storage.Used }, maxUnsigned32)},
		{6, "hsmPartitionStorageAvailableBytes", ofNumber(func(p *hsm.Partition) *hsm.Opt[int64] { return &p.Storage.Free }, maxUnsigned32)},
		{7, "hsmPartitionObjectCount", ofNumber(func(p *hsm.Partition) *hsm.Opt[int64] { return &p.ObjectCount }, maxUnsigned32)},
	},
}

// policyObjects is hsmPolicyTable, and partitionPolicyObjects is
// hsmPartitionPolicyTable.
var (
	policyObjects = table[policyRow]{
		entry:   below(safenetHSM, 5, 1),
		index:   [][]indexForm{{indexText, indexNumber, indexNumber}},
		columns: policyColumns("hsmPolicy"),
	}
	partitionPolicyObjects = table[policyRow]{
		entry:   below(safenetHSM, 6, 1),
		index:   [][]indexForm{{indexText, indexText, indexNumber, indexNumber}},
		columns: policyColumns("hsmPartitionPolicy"),
	}
)

func policyColumns(prefix string) []column[policyRow] {
	return []column[policyRow]{
		{1, prefix + "Type", nil},
		{2, prefix + "ID", nil},
		{3, prefix + "Description", ofText(func(p *policyRow) *string { return &p.Description })},
		{4, prefix + "Value", ofText(func(p *policyRow) *string { return &p.Value })},
	}
}

// clientObjects is hsmClientRegistrationTable.
var clientObjects = table[hsm.Client]{
	entry: below(safenetHSM, 7, 1),
	index: [][]indexForm{{indexText}},
	columns: []column[hsm.Client]{
		{1, "hsmClientName", nil},
		{2, "hsmClientAddress", ofText(func(c *hsm.Client) *string { return &c.Address })},
		{3, "hsmClientRequiresHTL", ofTruth(func(c *hsm.Client) *hsm.Opt[bool] { return &c.RequiresHTL })},
		{4, "hsmClientOTTExpiry", func(c *hsm.Client, v varbind) bool {
			n, ok := v.value.(int)
			return answer.Known(&c.OTTExpiry, int64(n), ok && n >= -1 && n <= maxOTT)
		}},
	},
}

// assignmentObjects is hsmClientPartitionAssignmentTable, whose index has all its
// values.
var assignmentObjects = table[struct{}]{
	entry: below(safenetHSM, 8, 1),
	index: [][]indexForm{{indexText, indexText, indexText}},
	columns: []column[struct{}]{
		{1, "hsmClientHsmSerialNumber", nil},
		{2, "hsmClientPartitionSerialNumber", nil},
	},
}

// An hsmLoad is the counters of an HSM since its reset: seconds up and busy, and
// commands.
type hsmLoad struct{ uptime, busy, commands hsm.Opt[uint64] }

// utilizationWindow is the shortest time over which the difference of counters gives a
// utilization: the agent renews them only once a minute.
const utilizationWindow = 5 * 60 // s

// monitor returns the utilization since the reset and over the last window, if the
// counters are known and plausible: an HSM is not busy for longer than it is up, and
// only a reset decreases them.
func (a *Agent) monitor(now hsmLoad) (hsm.Monitor, bool) {
	if !now.uptime.Known || !now.busy.Known || !now.commands.Known || now.busy.Value > now.uptime.Value || now.uptime.Value == 0 {
		a.window = nil
		return hsm.Monitor{}, false
	}
	sample := hsm.Sample{
		UptimeSeconds: now.uptime.Value, Commands: now.commands.Value,
		Utilization: float64(now.busy.Value) / float64(now.uptime.Value),
	}
	m := hsm.Monitor{BusySeconds: hsm.Some(float64(now.busy.Value))}
	if n := len(a.window); n > 0 && !now.follows(a.window[n-1]) {
		a.window = nil
	}
	for len(a.window) > 1 && now.uptime.Value-a.window[1].uptime.Value >= utilizationWindow {
		a.window = a.window[1:]
	}
	if len(a.window) > 0 {
		first := a.window[0]
		if d := now.uptime.Value - first.uptime.Value; d >= utilizationWindow {
			m.IntervalSeconds = hsm.Some(int64(d))
			sample.CommandsInterval = now.commands.Value - first.commands.Value
			sample.UtilizationInt = min(1, float64(now.busy.Value-first.busy.Value)/float64(d))
			m.AverageRatio = hsm.Some(sample.UtilizationInt)
		}
	}
	if n := len(a.window); n == 0 || a.window[n-1].uptime.Value < now.uptime.Value {
		a.window = append(a.window, now)
	}
	m.Samples = []hsm.Sample{sample}
	return m, true
}

// follows reports whether the counters may be those of before at a later time. The
// three are not read at once, so a difference of 1 s is allowed.
func (l hsmLoad) follows(before hsmLoad) bool {
	up := l.uptime.Value - before.uptime.Value
	return l.uptime.Value >= before.uptime.Value && l.busy.Value >= before.busy.Value && l.commands.Value >= before.commands.Value &&
		l.busy.Value-before.busy.Value <= up+1
}
