package ha

import (
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/hsm"
)

// A report is what one process last reported of one member.
type report struct {
	state   hsm.HAMembership
	since   time.Time // when it was lost, or came back
	at      time.Time // of the report
	attempt hsm.Opt[int64]
	code    string
}

// memberKey is a member as the HA log names it.
type memberKey struct{ group, member string }

// logState is the state that follows from the lines of an HA log.
type logState struct {
	reports map[memberKey]map[int64]report // by process
	offline map[string]map[int64]time.Time // by group and process: when it reported all members offline
	unknown int64                          // number of lines of no known form
}

// logStates are the states of a member that follow from events, by kind.
var logStates = map[hsm.HAEventKind]hsm.HAMembership{
	hsm.HADropMember:           hsm.HAStateDown,
	hsm.HADropUnrecoverable:    hsm.HAStateDown,
	hsm.HALoginFailed:          hsm.HAStateExhausted,
	hsm.HAMemberDeactivated:    hsm.HAStateDeactivated,
	hsm.HARecoveryNotActivated: hsm.HAStateDeactivated,
	hsm.HAMemberExcluded:       hsm.HAStateExcluded,
	hsm.HAMemberNowActivated:   hsm.HAStateRecovering,
	hsm.HAReintroducing:        hsm.HAStateRecovering,
	hsm.HARecoveryFailed:       hsm.HAStateRecovering,
	hsm.HAReenableMember:       hsm.HAStateRecovering,
	hsm.HARecoveryExhausted:    hsm.HAStateExhausted,
	hsm.HAUnrecoverable:        hsm.HAStateExhausted,
	hsm.HAMemberRevoked:        hsm.HAStateRevoked,
	hsm.HARecovered:            hsm.HAStateAlive,
	hsm.HANewMember:            hsm.HAStateAlive,
}

// add updates the state by one line, whose time is in zone.
func (l *logState) add(e hsm.HAEvent, zone *time.Location) {
	if l.reports == nil {
		l.reports, l.offline = make(map[memberKey]map[int64]report), make(map[string]map[int64]time.Time)
	}
	t := e.Time.Value
	at := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	pid, state := e.PID.Value, logStates[e.Kind]
	switch {
	case e.Kind == hsm.HAUnknown:
		l.unknown++
	case e.Kind == hsm.HAThreadStart, e.Kind == hsm.HAThreadTerminate: // of a process that starts or ends, nothing reported before counts
		for k, by := range l.reports {
			if k.group == e.Group {
				delete(by, pid)
			}
		}
		delete(l.offline[e.Group], pid)
	case e.Kind == hsm.HAMembersOffline:
		if l.offline[e.Group] == nil {
			l.offline[e.Group] = make(map[int64]time.Time)
		}
		l.offline[e.Group][pid] = at
	case state != "" && e.Member != "":
		k := memberKey{e.Group, e.Member}
		if l.reports[k] == nil {
			l.reports[k] = make(map[int64]report)
		}
		before := l.reports[k][pid]
		if before.state == hsm.HAStateExcluded && e.Kind == hsm.HARecoveryNotActivated {
			state = before.state
		}
		next := report{state: state, since: at, at: at, attempt: e.Attempt, code: e.CodeName}
		if before.state.Lost() && before.state != "" && state.Lost() {
			next.since = before.since
			if !next.attempt.Known {
				next.attempt = before.attempt
			}
			if next.code == "" {
				next.code = before.code
			}
		}
		l.reports[k][pid] = next
		if state == hsm.HAStateAlive {
			delete(l.offline[e.Group], pid)
		}
	}
}

// sources are the three sources of the state of HA on a client host, and the
// previous state.
type sources struct {
	config  hsm.ClientConfig
	polled  *hsm.HAGroups // what a fresh process sees; nil: not known
	asked   time.Time     // when polled was asked for
	log     *logState
	running func(pid int64, at time.Time) bool // whether the process that wrote at that time still runs
	before  hsm.HA
}

// state combines the sources. The configuration states which members there are. Of
// their state, the most recent report wins, of a process or of a fresh process that
// was asked. But a process that has given up a member does not use it again even if
// others can; its report counts as long as it runs.
func (s sources) state(now time.Time) hsm.HA {
	ha := hsm.HA{
		Groups: []hsm.HAGroupState{}, Recovery: s.config.HA.Recovery, Logging: s.config.HA.Log.Enabled,
		LogFile: s.config.HA.Log.File(), UnknownLines: s.log.unknown,
	}
	groups := s.config.HA.Groups
	if p := s.polled; p != nil {
		r := &ha.Recovery
		r.Enabled, r.MaxRetries, r.Interval = answer.FirstKnown(p.AutoRecovery.Enabled, r.Enabled), answer.FirstKnown(r.MaxRetries, p.AutoRecovery.MaxRetries), answer.FirstKnown(r.Interval, p.AutoRecovery.Interval)
		ha.Logging = answer.FirstKnown(p.Logging, ha.Logging)
		groups = joinGroups(groups, p.Groups)
	}
	for _, g := range groups {
		ha.Groups = append(ha.Groups, s.group(g, ha.Recovery, now))
	}
	return ha
}

// joinGroups adds what was polled to what is configured. It drops groups that are
// no longer configured.
func joinGroups(configured, polled []hsm.HAGroup) []hsm.HAGroup {
	if configured == nil {
		return polled
	}
	var all []hsm.HAGroup
	for _, g := range configured {
		g.Members = slices.Clone(g.Members)
		for _, p := range polled {
			if p.Serial != g.Serial {
				continue
			}
			for _, m := range p.Members {
				if i := member(&g.Members, m.Serial); i >= 0 {
					m.Standby = answer.FirstKnown(m.Standby, g.Members[i].Standby)
					g.Members[i] = m
				}
			}
		}
		all = append(all, g)
	}
	return all
}

func (s sources) group(g hsm.HAGroup, recovery hsm.HARecovery, now time.Time) hsm.HAGroupState {
	out := hsm.HAGroupState{Label: g.Label, Serial: g.Serial, Members: []hsm.HAMemberState{}, Expected: int64(len(g.Members))}
	lost, unknown, active, activeUnknown := false, false, false, false
	for _, m := range g.Members {
		v := s.member(g, m, recovery, now)
		switch {
		case v.State == hsm.HAStateAlive && v.Standby:
			out.Standby++
		case v.State == hsm.HAStateAlive:
			out.Alive++
		}
		if !v.Standby {
			active, activeUnknown = true, activeUnknown || v.State == hsm.HAStateUnknown
		}
		lost, unknown = lost || v.State.Lost(), unknown || v.State == hsm.HAStateUnknown
		out.Members = append(out.Members, v)
	}
	out.StandbyInUse = hsm.Opt[bool]{Value: active && out.Alive == 0 && out.Standby > 0, Known: out.Alive > 0 || !activeUnknown}
	out.StandbyInUse.Value = out.StandbyInUse.Value && out.StandbyInUse.Known
	usable := out.Alive + out.Standby
	out.Redundancy = hsm.Opt[int64]{Value: max(0, usable-1), Known: !unknown}
	out.Offline = usable == 0 && len(g.Members) > 0 && (!unknown || s.allOffline(g.Serial))
	out.RecoveryDisabled = lost && hsm.Is(recovery.Enabled, false)
	return out
}

// allOffline reports whether a process has reported all members of a group offline,
// and it still runs or no fresh process was asked since.
func (s sources) allOffline(group string) bool {
	for pid, at := range s.log.offline[group] {
		if !s.asked.After(at) || s.running(pid, at) {
			return true
		}
	}
	return false
}

// recoveryInterval is how often a client tries to recover members unless
// configured.
const recoveryInterval = time.Minute

func (s sources) member(g hsm.HAGroup, m hsm.HAMember, recovery hsm.HARecovery, now time.Time) hsm.HAMemberState {
	v := hsm.HAMemberState{Serial: m.Serial, Label: m.Label, State: hsm.HAStateUnknown, Standby: m.Standby.Value, MaxAttempts: recovery.MaxRetries, LostBy: []int64{}}
	switch m.Status {
	case hsm.HAAlive, hsm.HAStandby:
		v.Reachable = hsm.Some(true)
	case hsm.HADown:
		v.Reachable = hsm.Some(false)
	default:
		v.Word = string(m.Status)
	}
	pause := recoveryInterval
	if recovery.Interval.Known {
		pause = time.Duration(recovery.Interval.Value) * time.Second
	}
	var worst, back report // of those that count; the newest that it is back
	for pid, r := range s.log.reports[memberKey{g.Serial, m.Serial}] {
		if !r.state.Lost() {
			if r.at.After(back.at) {
				back = r
			}
			continue
		}
		runs := s.running(pid, r.at)
		if runs {
			v.LostBy = append(v.LostBy, pid)
		}
		if s.counts(r, runs, v.Reachable, pause, now) && (worst.state == "" || worse(r, worst)) {
			worst = r
		}
	}
	slices.Sort(v.LostBy)
	switch {
	case worst.state != "":
		v.State, v.Since, v.Attempt, v.Code = worst.state, worst.since, worst.attempt, worst.code
	case v.Reachable.Known && (back.state == "" || s.asked.After(back.at)):
		v.State, v.Since, v.Code = hsm.HAStateDown, s.asked, m.Code
		if v.Reachable.Value {
			v.State = hsm.HAStateAlive
		}
	case back.state != "":
		v.State, v.Since = hsm.HAStateAlive, back.since
	}
	if old, ok := s.memberBefore(g.Serial, m.Serial); ok && v.Since.After(old.Since) && old.State.Lost() == v.State.Lost() && old.State != hsm.HAStateUnknown {
		v.Since = old.Since // the state is the same, only reported by another source
	}
	return v
}

// counts reports whether the report of a process that it has lost a member still
// holds, although LunaCM may have been asked since.
func (s sources) counts(r report, runs bool, reachable hsm.Opt[bool], pause time.Duration, now time.Time) bool {
	switch newer := reachable.Known && s.asked.After(r.at); {
	case !newer, runs && !reachable.Value:
		return true
	case r.state == hsm.HAStateRecovering: // until its next attempt is overdue
		return runs && now.Sub(r.at) < 2*pause+follow.WakeInterval
	}
	return runs && r.state == hsm.HAStateExhausted
}

func worse(a, b report) bool {
	i, j := slices.Index(hsm.HAMemberships(), a.state), slices.Index(hsm.HAMemberships(), b.state)
	return i > j || i == j && a.since.Before(b.since)
}

func (s sources) memberBefore(group, member string) (hsm.HAMemberState, bool) {
	for _, g := range s.before.Groups {
		for _, m := range g.Members {
			if g.Serial == group && m.Serial == member {
				return m, true
			}
		}
	}
	return hsm.HAMemberState{}, false
}
