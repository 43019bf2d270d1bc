package vendor

import (
	"iter"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A policy is one row of a policy table.
type policy struct {
	hsm.Policy
	kind int32 // capability(1), policy(2)
	code uint32
}

var policyColumns = []string{"Type", "ID", "Description", "Value"}

// policyColumnsOf returns the four columns of both policy tables.
func policyColumnsOf(prefix string) []mib.Column[policy] {
	values := []func(policy) agentx.Value{
		func(p policy) agentx.Value { return agentx.Integer(p.kind) },
		func(p policy) agentx.Value { return agentx.Gauge32(p.code) },
		func(p policy) agentx.Value { return mib.Display(p.Description) },
		func(p policy) agentx.Value { return mib.Display(p.Value) },
	}
	var columns []mib.Column[policy]
	for i, v := range values {
		columns = append(columns, mib.Column[policy]{uint32(i + 1), prefix + policyColumns[i], v})
	}
	return columns
}

// policyTable is SAFENET-HSM-MIB hsmPolicyTable, indexed by HSM serial, type
// and id.
var policyTable = mib.Table[policy]{
	Name:  "hsmPolicyTable",
	Entry: safenetHSM.Append(5, 1),
	Parts: mib.ByHSM(
		func(d mib.Device) []any { return []any{mib.StampOf(d, d.Policies)} },
		func(d mib.Device) iter.Seq2[agentx.OID, policy] {
			return func(yield func(agentx.OID, policy) bool) {
				if p, ok := d.Policies.Get(d.Source.Now); ok {
					yieldPolicies(d.Index, p, hsmCodes, yield)
				}
			}
		}),
	Columns: policyColumnsOf("hsmPolicy"),
}

// partitionPolicyTable is SAFENET-HSM-MIB hsmPartitionPolicyTable, indexed by
// HSM serial, partition serial, type and id.
var partitionPolicyTable = mib.Table[policy]{
	Name:  "hsmPartitionPolicyTable",
	Entry: safenetHSM.Append(6, 1),
	Parts: mib.ByHSM(readsPartitionPolicies, func(d mib.Device) iter.Seq2[agentx.OID, policy] {
		return func(yield func(agentx.OID, policy) bool) {
			list, ok := d.Partitions.Get(d.Source.Now)
			for _, p := range list {
				if ok && p.Policies != nil && !yieldPolicies(mib.Text(slices.Clone(d.Index), p.Serial), *p.Policies, nil, yield) {
					return
				}
			}
		}
	}),
	Columns: policyColumnsOf("hsmPartitionPolicy"),
}

// readsPartitionPolicies is the stamp of policies that are read seldom, of partitions
// that are read often.
func readsPartitionPolicies(d mib.Device) []any {
	stamp := []any{d.Partitions.Fresh(d.Source.Now)}
	for _, p := range d.Partitions.Value {
		stamp = append(stamp, p.Serial, p.Policies)
	}
	return stamp
}

// yieldPolicies yields every policy whose code is stated or known by its name. It
// returns false if yield did.
func yieldPolicies(index agentx.OID, p hsm.Policies, codes map[string]uint32, yield func(agentx.OID, policy) bool) bool {
	for kind, list := range [][]hsm.Policy{p.Capabilities, p.Policies} {
		for _, x := range list {
			code, ok := codes[strings.ToLower(x.Description)]
			if x.ID.Known {
				code, ok = uint32(x.ID.Value), true
			}
			if ok && !yield(index.Append(uint32(kind+1), code), policy{x, int32(kind + 1), code}) {
				return false
			}
		}
	}
	return true
}

// hsmCodes are the codes of capabilities and fixed policies, which LunaSH does not
// print, by the names that LunaCM prints with them.
var hsmCodes = map[string]uint32{
	"enable pin-based authentication":         0,
	"pin-based authentication":                0,
	"enable ped-based authentication":         1,
	"ped-based authentication":                1,
	"performance level":                       2,
	"enable m of n":                           3,
	"require m of n":                          3,
	"enable domestic mechanisms & key sizes":  4,
	"enable masking":                          6,
	"enable cloning":                          7,
	"enable special cloning certificate":      8,
	"enable full (non-backup) functionality":  9,
	"enable ecc mechanisms":                   11,
	"enable non-fips algorithms":              12,
	"enable mofn auto-activation":             13,
	"enable so reset of partition pin":        15,
	"enable network replication":              16,
	"enable korean algorithms":                17,
	"fips evaluated":                          18,
	"manufacturing token":                     19,
	"enable remote authentication":            20,
	"enable forcing user pin change":          21,
	"enable offboard storage":                 22,
	"enable portable masking key":             22,
	"enable partition groups":                 23,
	"enable remote ped usage":                 25,
	"enable external storage of mtk split":    26,
	"store mtk split externally":              26,
	"hsm non-volatile storage space":          27,
	"enable ha mode cgx":                      28,
	"enable acceleration":                     29,
	"enable unmasking":                        30,
	"enable fw5 compatibility mode":           31,
	"maximum number of partitions":            33,
	"enable ecies support":                    34,
	"enable single domain":                    35,
	"enable unified ped key":                  36,
	"enable mofn":                             37,
	"enable small form factor backup/restore": 38,
	"enable secure trusted channel":           39,
	"enable decommission on tamper":           40,
	"enable per-partition so":                 41,
	"enable partition re-initialize":          42,
	"enable low level math acceleration":      43,
	"allow disabling decommission":            46,
	"enable controlled tamper recovery":       48,
}
