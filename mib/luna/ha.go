package luna

import (
	"iter"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

func readsHA(d mib.Device) []any { return []any{mib.StampOf(d, d.HA)} }

var haGroupTable = mib.Table[hsm.HAGroupState]{
	Name:  "lunaHaGroupTable",
	Entry: lunaObjects.Append(9, 1),
	Parts: mib.ByDevice(readsHA, haGroups),
	Columns: []mib.Column[hsm.HAGroupState]{
		{3, "lunaHaGroupSerial", func(g hsm.HAGroupState) agentx.Value { return known(g.Serial) }},
		{4, "lunaHaGroupMembers", func(g hsm.HAGroupState) agentx.Value { return count(hsm.Some(g.Expected)) }},
		{5, "lunaHaGroupAlive", func(g hsm.HAGroupState) agentx.Value { return count(hsm.Some(g.Alive)) }},
		{6, "lunaHaGroupStandby", func(g hsm.HAGroupState) agentx.Value { return count(hsm.Some(g.Standby)) }},
		{7, "lunaHaGroupStandbyInUse", func(g hsm.HAGroupState) agentx.Value { return truth(g.StandbyInUse) }},
		{8, "lunaHaGroupRedundancy", func(g hsm.HAGroupState) agentx.Value { return count(g.Redundancy) }},
		{9, "lunaHaGroupOffline", func(g hsm.HAGroupState) agentx.Value { return mib.Truth(g.Offline) }},
		{10, "lunaHaGroupRecoveryDisabled", func(g hsm.HAGroupState) agentx.Value { return mib.Truth(g.RecoveryDisabled) }},
	},
}

// haGroups yields the groups of a host, by its name and theirs.
func haGroups(d mib.Device) iter.Seq2[agentx.OID, hsm.HAGroupState] {
	return func(yield func(agentx.OID, hsm.HAGroupState) bool) {
		ha, fresh := d.HA.Get(d.Source.Now)
		for _, g := range ha.Groups {
			name := g.Name()
			if fresh && name != "" && !yield(mib.Text(slices.Clip(d.Index), name[:min(len(name), 32)]), g) {
				return
			}
		}
	}
}

var memberships = map[hsm.HAMembership]int32{
	hsm.HAStateUnknown: 1, hsm.HAStateAlive: 2, hsm.HAStateDown: 3, hsm.HAStateRecovering: 4,
	hsm.HAStateRevoked: 5, hsm.HAStateExcluded: 6, hsm.HAStateDeactivated: 7, hsm.HAStateExhausted: 8,
}

var haMemberTable = mib.Table[hsm.HAMemberState]{
	Name:  "lunaHaMemberTable",
	Entry: lunaObjects.Append(10, 1),
	Parts: mib.ByDevice(readsHA, haMembers),
	Columns: []mib.Column[hsm.HAMemberState]{
		{2, "lunaHaMemberLabel", func(m hsm.HAMemberState) agentx.Value { return mib.Optional(m.Label, text) }},
		{3, "lunaHaMemberState", func(m hsm.HAMemberState) agentx.Value { return mib.Enum(m.State, memberships) }},
		{4, "lunaHaMemberStandby", func(m hsm.HAMemberState) agentx.Value { return mib.Truth(m.Standby) }},
		{5, "lunaHaMemberSince", func(m hsm.HAMemberState) agentx.Value { return mib.Moment(m.Since) }},
		{6, "lunaHaMemberAttempt", func(m hsm.HAMemberState) agentx.Value { return count(m.Attempt) }},
		{7, "lunaHaMemberAttemptsMax", func(m hsm.HAMemberState) agentx.Value {
			return mib.Optional(m.MaxAttempts, func(n int64) agentx.Value { return agentx.Integer(int32(min(max(n, -1), 1<<31-1))) })
		}},
		{8, "lunaHaMemberLostBy", func(m hsm.HAMemberState) agentx.Value { return agentx.Gauge32(uint32(len(m.LostBy))) }},
		{9, "lunaHaMemberReachable", func(m hsm.HAMemberState) agentx.Value { return truth(m.Reachable) }},
		{10, "lunaHaMemberCode", func(m hsm.HAMemberState) agentx.Value { return text(m.Code) }},
	},
}

// haMembers yields the members of the groups of a host.
func haMembers(d mib.Device) iter.Seq2[agentx.OID, hsm.HAMemberState] {
	return func(yield func(agentx.OID, hsm.HAMemberState) bool) {
		for index, g := range haGroups(d) {
			for _, m := range g.Members {
				if m.Serial != "" && !yield(mib.Text(slices.Clip(index), m.Serial), m) {
					return
				}
			}
		}
	}
}
