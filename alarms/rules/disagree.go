package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// disagree warns of what two sources of a device state differently. The alarm
// clears when they agree, and when one of them no longer states it.
var disagree = Rule{"sources-disagree", func(p Poll, emit func(Result)) {
	expired := false
	for i, d := range p.Disagreements {
		if !d.Fresh(p.Now) {
			expired = true // not asked since
			continue
		}
		same := func(other hsm.Disagreement) bool { return other.What == d.What }
		if slices.IndexFunc(p.Disagreements, same) < i {
			continue // emitted with the first
		}
		var pairs []string
		for _, other := range p.Disagreements[i:] {
			if same(other) {
				pairs = append(pairs, fmt.Sprintf("%s says %s, %s says %s", other.Stated[0].Source, brief(other.Stated[0].Value), other.Stated[1].Source, brief(other.Stated[1].Value)))
			}
		}
		at := d.Stated[0].At
		if d.Stated[1].At.After(at) {
			at = d.Stated[1].At
		}
		emit(bad(alarms.Warning, at, "%s: %s", d.What, strings.Join(pairs, "; ")).on(d.What))
	}
	if p.Compared(p.Now) && !expired {
		emit(Result{All: true, At: p.Now})
	}
}}

// brief cuts a value for an alarm's text: a list of partitions is long.
func brief(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
