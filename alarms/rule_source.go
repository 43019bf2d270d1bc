package alarms

import (
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// unreachable tells that nothing can be read of a device. The newest attempt
// counts: slower sources learn of a recovery only when it is their turn.
var unreachable = Rule{"unreachable", func(p Poll, say func(Opinion)) {
	var last hsm.Source
	failures := 0
	for _, s := range p.Sources {
		if s.At.After(last.At) {
			last = s
		}
		failures = max(failures, s.Failures)
	}
	switch {
	case last.At.IsZero():
	case last.Failure == hsm.HostKey:
		say(bad(Critical, last.At, "%s", last.Error))
	case last.Failure != hsm.Unreachable && last.Failure != hsm.Login:
		say(good(last.At, "appliance answers"))
	case failures >= p.UnreachableAfter:
		say(bad(Major, last.At, "%s", last.Error))
	}
}}

// stale tells of data past their maximum age, by section.
var stale = Rule{"data-stale", func(p Poll, say func(Opinion)) {
	ages := p.Ages(p.Now)
	for _, name := range slices.Sorted(maps.Keys(ages)) {
		if a := ages[name]; a.Stale {
			say(bad(Warning, p.Now.Add(-a.Since), "%s was last read at %s", name, p.Now.Add(-a.Since).UTC().Format(time.RFC3339)).on(name))
		} else {
			say(good(p.Now.Add(-a.Since), "%s is fresh", name).on(name))
		}
	}
}}
