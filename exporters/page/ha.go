package page

import (
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A haGroup is one HA group as the applications of one host see it.
type haGroup struct {
	Host, HostHref, Name, Serial, Word, State string

	Read    stamp
	Members []haMember
	Facts   []fact
}

// A haMember is one member of a group, drawn as a box.
type haMember struct {
	Label, Serial, Href, HSM, State, Word string

	Since   stamp
	Standby bool
	Attempt string // "": none is known of
	LostBy  string // processes
	Fresh   string // what a fresh process finds
	Code    string
}

// haGroups returns the groups that hosts see, by host.
func haGroups(m *moment) (list []haGroup) {
	owners := make(map[string]string)
	for _, d := range m.snapshot.Devices {
		for _, p := range d.Partitions.Value {
			if p.Serial != "" {
				owners[p.Serial] = d.Name
			}
		}
	}
	for _, d := range m.snapshot.Devices {
		if d.HA.IsZero() {
			continue
		}
		for _, g := range d.HA.Value.Groups {
			list = append(list, haGroupOf(d, g, owners, m.now))
		}
	}
	return list
}

func haGroupOf(d *hsm.Device, g hsm.HAGroupState, owners map[string]string, now time.Time) haGroup {
	v := haGroup{Host: d.Name, HostHref: devicePath(d.Name), Name: stated(g.Name()), Serial: stated(g.Serial), Read: stampOf(d.HA.At, now)}
	v.Word, v.State = haWord(d, g, now)
	recovery := d.HA.Value.Recovery
	v.Facts = []fact{
		{"Alive", fmt.Sprintf("%d of %d", g.Alive, g.Expected)}, {"Standby alive", fmt.Sprint(g.Standby)}, {"Standby in use", yes(g.StandbyInUse)},
		{"Can still lose", number(g.Redundancy)}, {"Auto recovery", yes(recovery.Enabled)}, {"Attempts allowed", attemptsText(recovery.MaxRetries)},
	}
	for _, m := range g.Members {
		v.Members = append(v.Members, haMemberOf(m, owners, now))
	}
	return v
}

// haWord is how a group is.
func haWord(d *hsm.Device, g hsm.HAGroupState, now time.Time) (word, text string) {
	switch {
	case !d.HA.Fresh(now):
		return "stale", "not read since"
	case g.Offline:
		return "critical", "offline: no member is alive"
	case hsm.Is(g.StandbyInUse, true):
		return "major", "standby in use: no other member is alive"
	case g.Alive < g.Expected && g.RecoveryDisabled:
		return "major", "members are lost, and auto recovery is disabled"
	case lost(g):
		return "major", "members are lost"
	case !g.Redundancy.Known:
		return "unknown", "the state of a member is not known"
	}
	return "well", "every member is alive"
}

func lost(g hsm.HAGroupState) bool {
	for _, m := range g.Members {
		if m.State.Lost() {
			return true
		}
	}
	return false
}

// memberWords are how a member is drawn.
var memberWords = map[hsm.HAMembership]string{hsm.HAStateUnknown: "unknown", hsm.HAStateAlive: "well", hsm.HAStateRecovering: "major"}

func haMemberOf(m hsm.HAMemberState, owners map[string]string, now time.Time) haMember {
	v := haMember{Label: labelled(m.Label), Serial: m.Serial, State: string(m.State), Word: memberWords[m.State], Since: stampOf(m.Since, now), Standby: m.Standby, Fresh: reachable(m), Code: m.Code}
	if v.Word == "" {
		v.Word = "critical"
	}
	if name := owners[m.Serial]; name != "" {
		v.HSM, v.Href = name, devicePath(name)
	}
	if m.Attempt.Known {
		v.Attempt = fmt.Sprintf("attempt %d of %s", m.Attempt.Value, attemptsText(m.MaxAttempts))
	}
	if n := len(m.LostBy); n > 0 {
		v.LostBy = fmt.Sprintf("lost by %s %v", map[bool]string{true: "process", false: "processes"}[n == 1], m.LostBy)
	}
	return v
}

func attemptsText(o hsm.Opt[int64]) string {
	if o.Known && o.Value < 0 {
		return "unlimited"
	}
	return number(o)
}

func reachable(m hsm.HAMemberState) string {
	switch {
	case m.Word != "":
		return m.Word
	case !m.Reachable.Known:
		return unknown
	case m.Reachable.Value:
		return "reachable"
	}
	return "not reachable"
}

func haView(m *moment) view {
	return view{Title: "HA groups", Nav: "ha", Template: "page-ha", Parts: []part{{ID: "groups", Group: "groups", Template: "ha-groups", Data: haGroups(m)}}}
}
