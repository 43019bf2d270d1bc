package luna

import (
	"iter"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// A partition is one of an HSM.
type partition struct {
	hsm.Partition
	device mib.Device
}

var partitionTable = mib.Table[partition]{
	Name:  "lunaPartitionTable",
	Entry: lunaObjects.Append(6, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{mib.StampOf(d, d.Partitions), mib.StampOf(d, d.Operations)} }, partitions),
	Columns: []mib.Column[partition]{
		{2, "lunaPartitionName", func(p partition) agentx.Value { return known(p.Name) }},
		{3, "lunaPartitionLabel", func(p partition) agentx.Value { return mib.Optional(p.Label, text) }},
		{4, "lunaPartitionActivated", func(p partition) agentx.Value { return truth(p.Activated) }},
		{5, "lunaPartitionAutoActivation", autoActivation},
		{6, "lunaPartitionObjects", func(p partition) agentx.Value { return count(p.ObjectCount) }},
		{7, "lunaPartitionStorageTotal", func(p partition) agentx.Value { return size(p.Storage.Total) }},
		{8, "lunaPartitionStorageUsed", func(p partition) agentx.Value { return size(p.Storage.Used) }},
		{9, "lunaPartitionStorageFree", func(p partition) agentx.Value { return size(p.Storage.Free) }},
		{10, "lunaPartitionStatus", func(p partition) agentx.Value { return known(string(p.Status)) }},
		{11, "lunaPartitionZeroized", func(p partition) agentx.Value { return truth(p.Zeroized) }},
		{12, "lunaPartitionRequests", requests},
		{13, "lunaPartitionVendorRow", func(p partition) agentx.Value {
			if p.device.Serial() == "" {
				return agentx.ObjectIdentifier(agentx.OID{0, 0})
			}
			return agentx.ObjectIdentifier(vendor.PartitionSerialNumber(p.device.Serial(), p.Serial))
		}},
	},
}

// partitions yields those of d, by name and serial number.
func partitions(d mib.Device) iter.Seq2[agentx.OID, partition] {
	return func(yield func(agentx.OID, partition) bool) {
		list, fresh := d.Partitions.Get(d.Source.Now)
		for _, p := range list {
			if fresh && p.Serial != "" && !yield(mib.Text(slices.Clip(d.Index), p.Serial), partition{p, d}) {
				return
			}
		}
	}
}

func autoActivation(p partition) agentx.Value {
	if p.Policies == nil {
		return agentx.Value{}
	}
	for _, x := range p.Policies.Policies {
		if strings.EqualFold(x.Description, "Allow auto-activation") {
			return mib.Enum(strings.ToLower(x.Value), map[string]int32{"on": 1, "off": 2})
		}
	}
	return agentx.Value{}
}

// requests is the sum over all kinds.
func requests(p partition) agentx.Value {
	o, fresh := p.device.Operations.Get(p.device.Source.Now)
	i := slices.IndexFunc(o.Partitions, func(x hsm.PartitionOperations) bool { return x.Serial == p.Serial })
	if !fresh || i < 0 {
		return agentx.Value{}
	}
	sum := uint64(0)
	for _, n := range o.Partitions[i].Requests {
		sum += n
	}
	return agentx.Counter64(sum)
}

// operationTable has the requests to a partition by kind.
var operationTable = mib.Table[uint64]{
	Name:  "lunaOperationTable",
	Entry: lunaObjects.Append(12, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{mib.StampOf(d, d.Operations)} },
		func(d mib.Device) iter.Seq2[agentx.OID, uint64] {
			return func(yield func(agentx.OID, uint64) bool) {
				o, fresh := d.Operations.Get(d.Source.Now)
				if !fresh {
					return
				}
				for _, p := range o.Partitions {
					for kind, n := range p.Requests {
						if kind != "" && !yield(mib.Text(mib.Text(slices.Clip(d.Index), p.Serial), kind[:min(len(kind), 27)]), n) {
							return
						}
					}
				}
			}
		}),
	Columns: []mib.Column[uint64]{{2, "lunaOperationRequests", agentx.Counter64}},
}

// roleTable has the roles of HSMs and partitions.
var roleTable = mib.Table[hsm.Role]{
	Name:  "lunaRoleTable",
	Entry: lunaObjects.Append(7, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{mib.StampOf(d, d.Partitions), mib.StampOf(d, d.Show)} }, roles),
	Columns: []mib.Column[hsm.Role]{
		{3, "lunaRoleInitialized", func(r hsm.Role) agentx.Value { return truth(r.Initialized) }},
		{4, "lunaRoleActivated", func(r hsm.Role) agentx.Value { return truth(r.Activated) }},
		{5, "lunaRoleLockedOut", func(r hsm.Role) agentx.Value { return truth(r.LockedOut) }},
		{6, "lunaRoleAttemptsLeft", func(r hsm.Role) agentx.Value { return count(r.LoginAttemptsLeft) }},
		{7, "lunaRoleFailedLogins", func(r hsm.Role) agentx.Value { return count(r.FailedLogins) }},
		{8, "lunaRolePinToBeChanged", func(r hsm.Role) agentx.Value { return truth(r.PINToBeChanged) }},
		{9, "lunaRoleChallengeToBeChanged", func(r hsm.Role) agentx.Value { return truth(r.ChallengeToBeChanged) }},
	},
}

// roles yields the roles of d: those of the HSM are of the partition "".
func roles(d mib.Device) iter.Seq2[agentx.OID, hsm.Role] {
	return func(yield func(agentx.OID, hsm.Role) bool) {
		index := func(serial, role string) agentx.OID {
			return mib.Text(mib.Text(slices.Clip(d.Index), serial), role[:min(len(role), 26)])
		}
		if s, fresh := d.Show.Get(d.Source.Now); fresh {
			for _, r := range ofHSM(s) {
				if !yield(index("", r.Name), r) {
					return
				}
			}
		}
		for _, p := range partitions(d) {
			for _, r := range p.Roles {
				if r.Name != "" && !yield(index(p.Serial, r.Name), r) {
					return
				}
			}
		}
	}
}

// ofHSM returns the roles of the HSM itself.
func ofHSM(s hsm.Show) []hsm.Role {
	return []hsm.Role{
		{Name: "HSM SO", LoginAttemptsLeft: s.SOLoginAttemptsLeft, FailedLogins: s.SOFailedLogins},
		{Name: "Auditor", Initialized: hsm.Opt[bool]{Value: s.AuditRole == hsm.AuditYes, Known: s.AuditRole == hsm.AuditYes || s.AuditRole == hsm.AuditNo}},
	}
}
