package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// disagree tells of what two sources of a device state differently. It is over
// when they agree, and when one of them states nothing any more.
var disagree = Rule{"sources-disagree", func(p Poll, say func(Result)) {
	expired := false
	for i, d := range p.Disagreements {
		if !d.Fresh(p.Now) {
			expired = true // nobody has asked since
			continue
		}
		same := func(o hsm.Disagreement) bool { return o.What == d.What }
		if slices.IndexFunc(p.Disagreements, same) < i {
			continue // told with the first
		}
		var pairs []string
		for _, o := range p.Disagreements[i:] {
			if same(o) {
				pairs = append(pairs, fmt.Sprintf("%s says %s, %s says %s", o.Stated[0].Source, brief(o.Stated[0].Value), o.Stated[1].Source, brief(o.Stated[1].Value)))
			}
		}
		at := d.Stated[0].At
		if d.Stated[1].At.After(at) {
			at = d.Stated[1].At
		}
		say(bad(alarms.Warning, at, "%s: %s", d.What, strings.Join(pairs, "; ")).on(d.What))
	}
	if p.Compared(p.Now) && !expired {
		say(Result{All: true, At: p.Now})
	}
}}

// brief bounds what is told of a value: a list of partitions is long.
func brief(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
