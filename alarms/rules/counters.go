package rules

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// criticalEvents warns of a counter of critical events that rises: each is a
// crash of the firmware. A reset of the counter ends it.
var criticalEvents = Rule{"critical-events", func(p Poll, emit func(Result)) {
	v, ok := countedAgain(p)
	old, now := p.Memory.Counters.CriticalEvents, v.CriticalEvents
	switch at := p.Information.Asked(); {
	case !ok || !old.Known || !now.Known:
	case now.Value > old.Value:
		emit(bad(alarms.Critical, at, "%d critical events, %d when last asked", now.Value, old.Value))
	case now.Value == 0:
		emit(good(at, "no critical event since the counter was reset"))
	case now.Value < old.Value:
		emit(bad(alarms.Critical, at, "%d critical events since the counter was reset", now.Value))
	}
}}

// countedAgain returns the counters if they are newer than those that are
// remembered, and of the same source.
func countedAgain(p Poll) (hsm.Information, bool) {
	v, ok := ofUnit(p, p.Information)
	return v, ok && p.Information.Asked().After(p.Memory.CountedAt) && p.Information.Source == p.Memory.CountedBy
}

// leastRequests is how many requests between two polls an error ratio rests
// on.
const leastRequests = 100

// errorRatio warns while many requests between two polls end in an error. It
// goes by the requests of clients, and by all where those are not counted.
var errorRatio = Rule{"error-ratio", func(p Poll, emit func(Result)) {
	v, ok := countedAgain(p)
	old, at, limit := p.Memory.Counters, p.Information.Asked(), p.ErrorRatio
	if !ok || limit == 0 {
		return
	}
	requests, counted := increase(old.CryptoRequests, v.CryptoRequests)
	failed, both := increase(old.CryptoErrors, v.CryptoErrors)
	if !v.CryptoRequests.Known {
		requests, counted = increase(old.OperationRequests, v.OperationRequests)
		failed, both = increase(old.OperationErrors, v.OperationErrors)
	}
	if !counted || !both || requests < leastRequests {
		return
	}
	switch ratio := failed / requests; {
	case ratio >= limit:
		emit(bad(alarms.Minor, at, "%.0f of %.0f requests since %s ended in an error", failed, requests, p.Memory.CountedAt.UTC().Format(time.RFC3339)).of(ratio, limit, "ratio"))
	case ratio < limit/2:
		emit(good(at, "%.0f of %.0f requests ended in an error", failed, requests).of(ratio, limit, "ratio"))
	}
}}

// increase returns by how much a counter rose; not if it was reset.
func increase(old, now hsm.Opt[uint64]) (by float64, ok bool) {
	if !old.Known || !now.Known || now.Value < old.Value {
		return 0, false
	}
	return float64(now.Value - old.Value), true
}

// restart tells of a restart of the HSM: its uptime fell.
var restart = Rule{"hsm-restarted", func(p Poll, emit func(Result)) {
	m, ok := ofUnit(p, p.Monitor)
	if !ok || len(m.Samples) == 0 || p.Memory.UptimeAt.IsZero() {
		return
	}
	up, at := m.Samples[len(m.Samples)-1].UptimeSeconds, p.Monitor.Asked()
	slack := uint64(0)
	if p.Monitor.Source != p.Memory.UptimeBy {
		slack = 600 // sources may differ
	}
	if at.After(p.Memory.UptimeAt) && up+slack < p.Memory.Uptime {
		r := bad(alarms.Minor, at, "the HSM has restarted: it is up for %s, and was for %s at %s",
			seconds(up), seconds(p.Memory.Uptime), p.Memory.UptimeAt.UTC().Format(time.RFC3339))
		r.Age = p.EventAge
		emit(r)
	}
}}

func seconds(n uint64) time.Duration {
	return time.Duration(min(n, uint64(maxDays*24*3600))) * time.Second
}
