package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/proven"
)

// probeFailures is how many failures in a row are an alarm.
const probeFailures = 2

// probeFailed warns of test programs of the site that fail.
var probeFailed = Rule{"probe-failed", func(p Poll, emit func(Result)) {
	if p.Probes == nil {
		return
	}
	for _, x := range p.Probes {
		switch {
		case !x.Fresh(p.Now), !x.Worked && x.Failures < probeFailures:
			emit(Result{Condition: alarms.Between, At: p.Now}.on(x.Name))
		case x.Worked:
			emit(good(x.At, "%s", cmp.Or(x.Text, "it works")).on(x.Name))
		default:
			emit(bad(alarms.Major, x.At, "%s", x.Text).on(x.Name))
		}
	}
	emit(Result{All: true, At: p.Now})
}}

// functionUnproven warns of HSMs that do nothing for clients in hours in which they
// should. Any proof clears it; what is not known, or is of other hours, says nothing.
var functionUnproven = Rule{"function-unproven", func(p Poll, emit func(Result)) {
	want, at := p.Expected[p.Name], p.Information.Asked()
	switch limit := want.UnprovenAfter; {
	case limit == 0 && p.Information.Fresh(p.Now):
		emit(allOf(p.Information))
	case limit == 0:
	case p.Now.Sub(p.Proven.At) <= limit:
		emit(good(slices.MaxFunc([]time.Time{at, p.Proven.At}, time.Time.Compare), "it has worked for a client"))
	default:
		if idle, since, known := proven.Idle(p.Device, want.Busy, p.Now); known && idle > limit {
			emit(bad(alarms.Warning, at, "no request of a client since %s, in hours in which it is expected to be busy", since.UTC().Format(time.RFC3339)))
		}
	}
}}
