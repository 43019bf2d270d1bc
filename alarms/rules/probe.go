package rules

import (
	"cmp"

	"github.com/lunawatch/lunawatch/alarms"
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
