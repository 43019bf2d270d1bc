package exporters

import (
	"github.com/lunawatch/lunawatch/hsm"
)

func haGroup(read func(hsm.HAGroupState, *encoder)) func(hsm.HA, *encoder) {
	return func(h hsm.HA, emit *encoder) {
		for _, g := range h.Groups {
			read(g, emit)
		}
	}
}

func haMember(read func(hsm.HAGroupState, hsm.HAMemberState, *encoder)) func(hsm.HA, *encoder) {
	return haGroup(func(g hsm.HAGroupState, emit *encoder) {
		for _, m := range g.Members {
			read(g, m, emit)
		}
	})
}

// haMetrics are about the HA groups of the client host, and its certificates.
var haMetrics = []metric{
	{"luna_ha_group_members_expected", gauge, basic, "Members that are configured.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { emit.add(float64(g.Expected), g.Name()) }))},
	{"luna_ha_group_members_alive", gauge, basic, "Members that work, without those on standby.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { emit.add(float64(g.Alive), g.Name()) }))},
	{"luna_ha_group_members_standby", gauge, basic, "Standby members that could work.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { emit.add(float64(g.Standby), g.Name()) }))},
	{"luna_ha_group_standby_in_use", gauge, basic, "1 if no other members are left than those on standby; absent while unknown.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { truth(g.StandbyInUse, emit, g.Name()) }))},
	{"luna_ha_group_redundancy", gauge, basic, "Members that can still be lost without loss of service; absent while unknown.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { number(g.Redundancy, emit, g.Name()) }))},
	{"luna_ha_group_offline", gauge, basic, "1 if no member is left.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { emit.add(bit(g.Offline), g.Name()) }))},
	{"luna_ha_group_recovery_disabled", gauge, basic, "1 if members are down and nothing will bring them back by itself.", []string{"group"},
		each(haOf, haGroup(func(g hsm.HAGroupState, emit *encoder) { emit.add(bit(g.RecoveryDisabled), g.Name()) }))},
	{"luna_ha_member_state", gauge, basic, "State of a member: 1 for the one that holds.", []string{"group", "member", "state"},
		each(haOf, haMember(func(g hsm.HAGroupState, m hsm.HAMemberState, emit *encoder) {
			state(m.State, hsm.HAMemberships(), emit, g.Name(), m.Serial)
		}))},
	{"luna_ha_member_since_timestamp_seconds", gauge, basic, "Since when the member is in its state.", []string{"group", "member"},
		each(haOf, haMember(func(g hsm.HAGroupState, m hsm.HAMemberState, emit *encoder) {
			if !m.Since.IsZero() {
				emit.add(float64(m.Since.Unix()), g.Name(), m.Serial)
			}
		}))},
	{"luna_ha_member_recovery_attempt", gauge, basic, "Number of the last attempt to recover a member that is lost.", []string{"group", "member"},
		each(haOf, haMember(func(g hsm.HAGroupState, m hsm.HAMemberState, emit *encoder) {
			number(m.Attempt, emit, g.Name(), m.Serial)
		}))},
	{"luna_ha_member_lost_by_processes", gauge, basic, "Running processes that have lost the member, by their latest report.", []string{"group", "member"},
		each(haOf, haMember(func(g hsm.HAGroupState, m hsm.HAMemberState, emit *encoder) {
			emit.add(float64(len(m.LostBy)), g.Name(), m.Serial)
		}))},
	{"luna_ha_member_reachable", gauge, basic, "1 if a new process reaches the member.", []string{"group", "member"},
		each(haOf, haMember(func(g hsm.HAGroupState, m hsm.HAMemberState, emit *encoder) {
			truth(m.Reachable, emit, g.Name(), m.Serial)
		}))},
	{"luna_ha_log_unknown_lines", gauge, basic, "Lines of the HA log in no known form.", nil,
		each(haOf, func(h hsm.HA, emit *encoder) { emit.add(float64(h.UnknownLines)) })},
	{"luna_client_certificate_not_after_timestamp_seconds", gauge, basic, "When a certificate of the Luna client's configuration expires.", []string{"role", "subject"},
		each(haOf, func(h hsm.HA, emit *encoder) {
			for _, c := range h.Certificates {
				emit.add(float64(c.NotAfter.Unix()), c.Role, c.Subject)
			}
		})},
}
