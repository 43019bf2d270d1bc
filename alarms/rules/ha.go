package rules

import (
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// ofHA evaluates every HA group of a client host.
func ofHA(group string, evaluate func(p Poll, g hsm.HAGroupState, emit func(Result))) Rule {
	return Rule{group, func(p Poll, emit func(Result)) {
		ha, ok := p.HA.Get(p.Now)
		if !ok {
			return
		}
		at := p.HA.Asked()
		for _, g := range ha.Groups {
			evaluate(p, g, func(r Result) {
				r.At = at
				emit(r)
			})
		}
		emit(allOf(p.HA))
	}}
}

// ofHAMembers evaluates every member of every group: it is bad when is holds.
func ofHAMembers(group string, severity alarms.Severity, is func(hsm.HAMembership) bool) Rule {
	return ofHA(group, func(p Poll, g hsm.HAGroupState, emit func(Result)) {
		for _, m := range g.Members {
			r := good(time.Time{}, "member %s of %s is %s", m.Serial, g.Name(), m.State)
			switch {
			case m.State == hsm.HAStateUnknown && m.Word != "" && is(hsm.HAStateDown): // of the rule for any loss
				r = bad(alarms.Indeterminate, time.Time{}, "member %s of %s is %q, a word that Lunawatch does not know", m.Serial, g.Name(), m.Word)
			case m.State == hsm.HAStateUnknown:
				r.Condition = alarms.Between
			case is(m.State):
				r.Condition, r.Severity, r.Text = alarms.Bad, severity, haText(g, m)
			}
			emit(r.on(g.Name() + "/" + m.Serial))
		}
	})
}

func haText(g hsm.HAGroupState, m hsm.HAMemberState) string {
	text := fmt.Sprintf("member %s of %s is %s", m.Serial, g.Name(), m.State)
	switch {
	case m.Attempt.Known && m.MaxAttempts.Known && m.MaxAttempts.Value > 0:
		text += fmt.Sprintf(", attempt %d of %d", m.Attempt.Value, m.MaxAttempts.Value)
	case m.Attempt.Known:
		text += fmt.Sprintf(", attempt %d", m.Attempt.Value)
	}
	if !m.Since.IsZero() {
		text += " since " + m.Since.UTC().Format(time.RFC3339)
	}
	if m.Code != "" {
		text += ": " + m.Code
	}
	return text
}

// haMember warns of a member that its group has lost.
var haMember = ofHAMembers("ha-member", alarms.Major, hsm.HAMembership.Lost)

// haExhausted warns of a member that no process tries to recover any more.
var haExhausted = ofHAMembers("ha-exhausted", alarms.Critical, func(m hsm.HAMembership) bool { return m == hsm.HAStateExhausted })

// haRedundancy warns of a group that the next loss takes out of service.
var haRedundancy = ofHA("ha-redundancy", func(p Poll, g hsm.HAGroupState, emit func(Result)) {
	r := Result{Condition: alarms.Between}
	switch n := g.Redundancy; {
	case !n.Known:
	case n.Value > 0 || g.Expected < 2:
		r = good(time.Time{}, "%s can lose %d members", g.Name(), n.Value)
	case !g.Offline:
		r = bad(alarms.Major, time.Time{}, "%s works with its last member of %d", g.Name(), g.Expected)
	}
	emit(r.on(g.Name()))
})

// haStandby warns of a group that works with its standby members only.
var haStandby = ofHA("ha-standby-in-use", func(p Poll, g hsm.HAGroupState, emit func(Result)) {
	r := Result{Condition: alarms.Between}
	switch {
	case !g.StandbyInUse.Known:
	case g.StandbyInUse.Value:
		r = bad(alarms.Major, time.Time{}, "%s has lost its %d active members and works with %d on standby", g.Name(), g.Expected-standbyOf(g), g.Standby)
	case !g.Offline:
		r = good(time.Time{}, "%s does not need its standby members", g.Name())
	}
	emit(r.on(g.Name()))
})

func standbyOf(g hsm.HAGroupState) (n int64) {
	for _, m := range g.Members {
		if m.Standby {
			n++
		}
	}
	return n
}

// haOffline warns of a group without working members.
var haOffline = ofHA("ha-offline", func(p Poll, g hsm.HAGroupState, emit func(Result)) {
	r := Result{Condition: alarms.Between}
	switch {
	case g.Offline:
		r = bad(alarms.Critical, time.Time{}, "%s has no member left of %d", g.Name(), g.Expected)
	case g.Alive+g.Standby > 0:
		r = good(time.Time{}, "%s has %d members", g.Name(), g.Alive+g.Standby)
	}
	emit(r.on(g.Name()))
})

// haRecoveryDisabled warns of lost members that nothing brings back.
var haRecoveryDisabled = ofHA("ha-recovery-disabled", func(p Poll, g hsm.HAGroupState, emit func(Result)) {
	r := good(time.Time{}, "no member of %s waits for a recovery that is disabled", g.Name())
	if g.RecoveryDisabled {
		r = bad(alarms.Major, time.Time{}, "members of %s are down, and automatic recovery is disabled", g.Name())
	}
	emit(r.on(g.Name()))
})

// haListings are the sources that list the HA groups; a host has one of them.
var haListings = []string{"hagroup listgroups", "vtl haAdmin -show"}

// haUnasked warns that what a new process would see is no longer known: the
// recovery of a member that a restarted application never logs is then missed.
var haUnasked = Rule{"ha-unasked", func(p Poll, emit func(Result)) {
	for _, name := range haListings {
		s, ok := p.Sources[name]
		switch {
		case !ok:
		case s.Failure == hsm.None:
			emit(good(s.At, "%s lists the HA groups", name))
		case s.Failures >= p.SilentAfter:
			emit(bad(alarms.Warning, s.At, "%d times in a row: %s", s.Failures, s.Error))
		}
	}
}}

// clientCertificate warns before a certificate of the client's configuration
// expires.
var clientCertificate = Rule{"client-certificate", func(p Poll, emit func(Result)) {
	ha, ok := p.HA.Get(p.Now)
	if !ok {
		return
	}
	for _, c := range ha.Certificates {
		r := expiry(c.Role+" certificate "+c.Subject, c.NotAfter, p, p.HA.Asked())
		emit(r.on(c.Role + "/" + c.Subject))
	}
	emit(allOf(p.HA))
}}
