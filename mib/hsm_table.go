package mib

import (
	"iter"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A device is an HSM whose serial number, the index of every table, is known.
type device struct {
	*hsm.Device
	src       *Source
	index     agentx.OID
	unchanged bool // since the last View
}

// hsmTable is SAFENET-HSM-MIB hsmTable.
var hsmTable = table[device]{
	name:  "hsmTable",
	entry: safenetHSM.Append(2, 1),
	parts: byHSM(
		func(d device) []any {
			return []any{stampOf(d, d.Show), stampOf(d, d.Monitor), stampOf(d, d.Licenses), stampOf(d, d.Policies)}
		},
		func(d device) iter.Seq2[agentx.OID, device] {
			return func(yield func(agentx.OID, device) bool) { yield(d.index, d) }
		}),
	columns: []column[device]{
		{1, "hsmSerialNumber", show(func(s hsm.Show) agentx.Value { return known(s.Serial) })},
		{2, "hsmFirmwareVersion", show(func(s hsm.Show) agentx.Value { return known(s.Firmware) })},
		{3, "hsmLabel", show(func(s hsm.Show) agentx.Value { return opt(s.Label, display) })},
		{4, "hsmModel", show(func(s hsm.Show) agentx.Value { return known(s.Model) })},
		{5, "hsmAuthenticationMethod", show(func(s hsm.Show) agentx.Value {
			return enum(s.Authentication, map[hsm.Authentication]int32{hsm.AuthUnknown: 1, hsm.AuthPassword: 2, hsm.AuthPED: 3})
		})},
		{6, "hsmRpvInitialized", show(func(s hsm.Show) agentx.Value {
			return enum(s.RPV, map[hsm.RPV]int32{hsm.RPVNotSupported: 1, hsm.RPVUninitialized: 2, hsm.RPVInitialized: 3})
		})},
		{7, "hsmFipsMode", show(func(s hsm.Show) agentx.Value { return opt(s.FIPS, truth) })},
		{8, "hsmPerformance", performance},
		{9, "hsmStorageTotalBytes", show(func(s hsm.Show) agentx.Value { return opt(s.Storage.Total, unsigned32) })},
		{10, "hsmStorageAllocatedBytes", show(func(s hsm.Show) agentx.Value { return opt(s.Storage.Used, unsigned32) })},
		{11, "hsmStorageAvailableBytes", show(func(s hsm.Show) agentx.Value { return opt(s.Storage.Free, unsigned32) })},
		{12, "hsmMaximumPartitions", func(d device) agentx.Value { return opt(d.partitionsAllowed(), unsigned32) }},
		{13, "hsmPartitionsCreated", func(d device) agentx.Value { return opt(d.partitionsCreated(), unsigned32) }},
		{14, "hsmPartitionsFree", partitionsFree},
		{15, "hsmBackupProtocol", backupProtocol},
		{16, "hsmAdminLoginAttempts", show(func(s hsm.Show) agentx.Value { return opt(s.SOLoginAttemptsLeft, counter32) })},
		{17, "hsmAuditRoleInitialized", show(func(s hsm.Show) agentx.Value {
			return enum(s.AuditRole, map[hsm.AuditRole]int32{hsm.AuditNotSupported: 0, hsm.AuditYes: 1, hsm.AuditNo: 2})
		})},
		{18, "hsmManuallyZeroized", show(func(s hsm.Show) agentx.Value { return opt(s.ManuallyZeroized, truth) })},
		{19, "hsmUpTime", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value { return agentx.Counter64(s.UptimeSeconds) })},
		{20, "hsmBusyTime", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value {
			return opt(m.BusySeconds, func(s float64) agentx.Value { return agentx.Counter64(uint64(s)) })
		})},
		{21, "hsmCommandCount", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value { return agentx.Counter64(s.Commands) })},
	},
}

func show(value func(hsm.Show) agentx.Value) func(device) agentx.Value {
	return func(d device) agentx.Value {
		if s, ok := d.Show.Get(d.src.Now); ok {
			return value(s)
		}
		return none
	}
}

// monitor calls value with the newest sample.
func monitor(value func(hsm.Monitor, hsm.Sample) agentx.Value) func(device) agentx.Value {
	return func(d device) agentx.Value {
		if m, ok := d.Monitor.Get(d.src.Now); ok && len(m.Samples) > 0 {
			return value(m, m.Samples[len(m.Samples)-1])
		}
		return none
	}
}

// capability returns the value of the capability or policy with that name.
func (d device) capability(name string) (string, bool) {
	p, ok := d.Policies.Get(d.src.Now)
	if !ok {
		return "", false
	}
	for _, list := range [][]hsm.Policy{p.Policies, p.Capabilities} {
		for _, c := range list {
			if strings.EqualFold(c.Description, name) {
				return c.Value, true
			}
		}
	}
	return "", false
}

func (d device) number(capability string) hsm.Opt[int64] {
	v, _ := d.capability(capability)
	n, err := strconv.ParseInt(v, 10, 32)
	return hsm.Opt[int64]{Value: n, Known: err == nil}
}

func performance(d device) agentx.Value {
	return opt(d.number("Performance level"), func(n int64) agentx.Value { return agentx.Integer(int32(n)) })
}

func (d device) partitionsAllowed() hsm.Opt[int64] {
	if s, ok := d.Show.Get(d.src.Now); ok && s.PartitionsAllowed.Known {
		return s.PartitionsAllowed
	}
	return d.number("Maximum number of partitions")
}

func (d device) partitionsCreated() hsm.Opt[int64] {
	s, ok := d.Show.Get(d.src.Now)
	switch {
	case !ok:
		return hsm.Opt[int64]{}
	case s.PartitionsCreated.Known:
		return s.PartitionsCreated
	}
	return hsm.Opt[int64]{Value: int64(len(s.Partitions)), Known: s.Partitions != nil}
}

func partitionsFree(d device) agentx.Value {
	allowed, created := d.partitionsAllowed(), d.partitionsCreated()
	return opt(hsm.Opt[int64]{Value: allowed.Value - created.Value, Known: allowed.Known && created.Known}, unsigned32)
}

// backupProtocol is unknown(1), none(2), cloning(3) or keyExport(4). No source states
// it; it follows from a licence for a protocol, or from the cloning policy.
func backupProtocol(d device) agentx.Value {
	licenses, ok := d.Licenses.Get(d.src.Now)
	for _, l := range licenses {
		switch s := strings.ToLower(l.Description); {
		case !ok:
		case strings.Contains(s, "cloning protocol"):
			return agentx.Integer(3)
		case strings.Contains(s, "key export"):
			return agentx.Integer(4)
		}
	}
	switch v, read := d.capability("Allow cloning"); {
	case v == "On":
		return agentx.Integer(3)
	case ok || read:
		return agentx.Integer(1)
	}
	return none
}

// HSMIndex returns the index of an HSM in the tables that have a row for each, by its
// serial number.
func HSMIndex(serial string) agentx.OID { return text(nil, serial) }
