package vendor

import (
	"iter"
	"strconv"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// hsmTable is SAFENET-HSM-MIB hsmTable.
var hsmTable = mib.Table[mib.Device]{
	Name:  "hsmTable",
	Entry: safenetHSM.Append(2, 1),
	Parts: mib.ByHSM(
		func(d mib.Device) []any {
			return []any{mib.StampOf(d, d.Show), mib.StampOf(d, d.Monitor), mib.StampOf(d, d.Licenses), mib.StampOf(d, d.Policies)}
		},
		func(d mib.Device) iter.Seq2[agentx.OID, mib.Device] {
			return func(yield func(agentx.OID, mib.Device) bool) { yield(d.Index, d) }
		}),
	Columns: []mib.Column[mib.Device]{
		{1, "hsmSerialNumber", show(func(s hsm.Show) agentx.Value { return mib.Known(s.Serial) })},
		{2, "hsmFirmwareVersion", show(func(s hsm.Show) agentx.Value { return mib.Known(s.Firmware) })},
		{3, "hsmLabel", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.Label, mib.Display) })},
		{4, "hsmModel", show(func(s hsm.Show) agentx.Value { return mib.Known(s.Model) })},
		{5, "hsmAuthenticationMethod", show(func(s hsm.Show) agentx.Value {
			return mib.Enum(s.Authentication, map[hsm.Authentication]int32{hsm.AuthUnknown: 1, hsm.AuthPassword: 2, hsm.AuthPED: 3})
		})},
		{6, "hsmRpvInitialized", show(func(s hsm.Show) agentx.Value {
			return mib.Enum(s.RPV, map[hsm.RPV]int32{hsm.RPVNotSupported: 1, hsm.RPVUninitialized: 2, hsm.RPVInitialized: 3})
		})},
		{7, "hsmFipsMode", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.FIPS, mib.Truth) })},
		{8, "hsmPerformance", performance},
		{9, "hsmStorageTotalBytes", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.Storage.Total, mib.Unsigned32) })},
		{10, "hsmStorageAllocatedBytes", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.Storage.Used, mib.Unsigned32) })},
		{11, "hsmStorageAvailableBytes", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.Storage.Free, mib.Unsigned32) })},
		{12, "hsmMaximumPartitions", func(d mib.Device) agentx.Value { return mib.Optional(partitionsAllowed(d), mib.Unsigned32) }},
		{13, "hsmPartitionsCreated", func(d mib.Device) agentx.Value { return mib.Optional(partitionsCreated(d), mib.Unsigned32) }},
		{14, "hsmPartitionsFree", partitionsFree},
		{15, "hsmBackupProtocol", backupProtocol},
		{16, "hsmAdminLoginAttempts", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.SOLoginAttemptsLeft, mib.Counter32) })},
		{17, "hsmAuditRoleInitialized", show(func(s hsm.Show) agentx.Value {
			return mib.Enum(s.AuditRole, map[hsm.AuditRole]int32{hsm.AuditNotSupported: 0, hsm.AuditYes: 1, hsm.AuditNo: 2})
		})},
		{18, "hsmManuallyZeroized", show(func(s hsm.Show) agentx.Value { return mib.Optional(s.ManuallyZeroized, mib.Truth) })},
		{19, "hsmUpTime", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value { return agentx.Counter64(s.UptimeSeconds) })},
		{20, "hsmBusyTime", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value {
			return mib.Optional(m.BusySeconds, func(s float64) agentx.Value { return agentx.Counter64(uint64(s)) })
		})},
		{21, "hsmCommandCount", monitor(func(m hsm.Monitor, s hsm.Sample) agentx.Value { return agentx.Counter64(s.Commands) })},
	},
}

func show(value func(hsm.Show) agentx.Value) func(mib.Device) agentx.Value {
	return func(d mib.Device) agentx.Value {
		if s, ok := d.Show.Get(d.Source.Now); ok {
			return value(s)
		}
		return agentx.Value{}
	}
}

// monitor calls value with the newest sample.
func monitor(value func(hsm.Monitor, hsm.Sample) agentx.Value) func(mib.Device) agentx.Value {
	return func(d mib.Device) agentx.Value {
		if m, ok := d.Monitor.Get(d.Source.Now); ok && len(m.Samples) > 0 {
			return value(m, m.Samples[len(m.Samples)-1])
		}
		return agentx.Value{}
	}
}

// capability returns the value of the capability or policy with that name.
func capability(d mib.Device, name string) (string, bool) {
	p, ok := d.Policies.Get(d.Source.Now)
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

func number(d mib.Device, name string) hsm.Opt[int64] {
	v, _ := capability(d, name)
	n, err := strconv.ParseInt(v, 10, 32)
	return hsm.Opt[int64]{Value: n, Known: err == nil}
}

func performance(d mib.Device) agentx.Value {
	return mib.Optional(number(d, "Performance level"), func(n int64) agentx.Value { return agentx.Integer(int32(n)) })
}

func partitionsAllowed(d mib.Device) hsm.Opt[int64] {
	if s, ok := d.Show.Get(d.Source.Now); ok && s.PartitionsAllowed.Known {
		return s.PartitionsAllowed
	}
	return number(d, "Maximum number of partitions")
}

func partitionsCreated(d mib.Device) hsm.Opt[int64] {
	s, ok := d.Show.Get(d.Source.Now)
	switch {
	case !ok:
		return hsm.Opt[int64]{}
	case s.PartitionsCreated.Known:
		return s.PartitionsCreated
	}
	return hsm.Opt[int64]{Value: int64(len(s.Partitions)), Known: s.Partitions != nil}
}

func partitionsFree(d mib.Device) agentx.Value {
	allowed, created := partitionsAllowed(d), partitionsCreated(d)
	return mib.Optional(hsm.Opt[int64]{Value: allowed.Value - created.Value, Known: allowed.Known && created.Known}, mib.Unsigned32)
}

// backupProtocol is unknown(1), none(2), cloning(3) or keyExport(4). No source states
// it; it follows from a licence for a protocol, or from the cloning policy.
func backupProtocol(d mib.Device) agentx.Value {
	licenses, ok := d.Licenses.Get(d.Source.Now)
	for _, l := range licenses {
		switch s := strings.ToLower(l.Description); {
		case !ok:
		case strings.Contains(s, "cloning protocol"):
			return agentx.Integer(3)
		case strings.Contains(s, "key export"):
			return agentx.Integer(4)
		}
	}
	switch v, read := capability(d, "Allow cloning"); {
	case v == "On":
		return agentx.Integer(3)
	case ok || read:
		return agentx.Integer(1)
	}
	return agentx.Value{}
}

// SerialNumbers returns the object hsmSerialNumber, without an instance.
func SerialNumbers() agentx.OID { return hsmTable.Entry.Append(1) }

// SerialNumber returns the instance of hsmSerialNumber for an HSM.
func SerialNumber(serial string) agentx.OID {
	return SerialNumbers().Append(mib.HSMIndex(serial)...)
}
