package notify

import (
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

// TestDecide takes moments of a receiver: the state of an alarm, and what the
// receiver is notified of.
func TestDecide(t *testing.T) {
	a := alarms.Alarm{Key: alarms.Key{Device: "a", Group: "lock"}, Number: 7, Severity: alarms.Minor, Raised: alarmstest.At(0), Codes: []string{"2003"}}
	worse, acked, flaps, stormy, second := a, a, a, a, a
	worse.Severity, acked.Ack, flaps.Flapping, stormy.InStorm, second.Number = alarms.Critical, &alarms.Ack{}, true, true, 8
	was := alarms.Change{Kind: alarms.Raised, Alarm: a}.Notified(alarmstest.At(0))
	cleared := alarms.Change{Kind: alarms.Cleared, Alarm: a}.Notified(alarmstest.At(0))
	none := alarms.Notified{}
	known := a
	known.Cause = "intrusionDetection"
	lost := alarms.Notified{Number: 7, Kind: alarms.Raised, Severity: alarms.Minor, Cause: "underlyingResourceUnavailable", At: alarmstest.At(0)}
	silence := []alarms.Silence{{Match: alarms.Match{HSMs: []string{"a*"}}, From: alarmstest.At(0), Until: alarmstest.At(9999)}}
	mild := []alarms.Silence{{Match: alarms.Match{Severity: alarms.Minor}, From: alarmstest.At(0), Until: alarmstest.At(9999)}}
	hard := alarms.Key{Device: "a", Group: "hard"}
	cause := &alarms.Overlay[alarms.Alarm]{Base: map[alarms.Key]alarms.Alarm{hard: {Key: hard, Number: 6, Severity: alarms.Critical, Raised: alarmstest.At(-5)}}}
	night := again.Hours{From: "20:00", To: "06:00", Zone: "UTC"}
	for name, x := range map[string]struct {
		r        Route
		a        alarms.Alarm
		gone     bool
		notified alarms.Notified
		s        Planner
		want     alarms.Kind
		at       int // -1: now
	}{
		"new":                          {a: a, want: alarms.Raised, at: -1},
		"known":                        {a: a, notified: was},
		"worse, after a minute":        {a: worse, notified: was, want: alarms.Updated, at: 60},
		"why a link was lost":          {a: known, notified: lost, want: alarms.Updated, at: 60},
		"acknowledged":                 {a: acked, notified: was, want: alarms.Acknowledged, at: 60},
		"acknowledged before notified": {a: acked, want: alarms.Raised, at: -1},
		"flaps":                        {a: flaps, notified: was, want: alarms.Updated, at: 60},
		"cleared":                      {a: a, gone: true, notified: was, want: alarms.Cleared, at: 60},
		"cleared, never notified":      {a: a, gone: true, notified: none},
		"back":                         {a: second, notified: cleared, want: alarms.Raised, at: 60},
		"another one, not notified that the first cleared": {a: second, notified: was, want: alarms.Raised, at: 60},
		"in a storm":               {a: stormy},
		"silenced":                 {a: a, s: Planner{Silences: silence}},
		"silenced, cleared":        {a: a, gone: true, notified: was, s: Planner{Silences: silence}, want: alarms.Cleared, at: 60},
		"mild ones silenced":       {a: worse, s: Planner{Silences: mild}, want: alarms.Raised, at: -1},
		"a mild one silenced":      {a: a, s: Planner{Silences: mild}},
		"explained":                {a: a, s: Planner{Active: cause}},
		"explained to others":      {r: Route{Only: alarms.Match{Groups: []string{"lock"}}}, a: a, s: Planner{Active: cause}, want: alarms.Raised, at: -1},
		"too mild":                 {r: Route{Only: alarms.Match{Severity: alarms.Major}}, a: a},
		"bad enough":               {r: Route{Only: alarms.Match{Severity: alarms.Minor}}, a: a, want: alarms.Raised, at: -1},
		"its code":                 {r: Route{Only: alarms.Match{Codes: []string{"20*"}}}, a: a, want: alarms.Raised, at: -1},
		"another code":             {r: Route{Only: alarms.Match{Codes: []string{"0014"}}}, a: a},
		"another HSM":              {r: Route{Only: alarms.Match{HSMs: []string{"b"}}}, a: a},
		"escalation":               {r: Route{UnacknowledgedFor: 15 * time.Minute}, a: a, want: alarms.Raised, at: 900},
		"escalation, acknowledged": {r: Route{UnacknowledgedFor: 15 * time.Minute}, a: acked},
		"repeat":                   {r: Route{Repeat: time.Hour}, a: a, notified: was, want: alarms.Repeated, at: 3600},
		"repeat, acknowledged":     {r: Route{Repeat: time.Hour}, a: acked, notified: alarms.Change{Kind: alarms.Acknowledged, Alarm: acked}.Notified(alarmstest.At(0))},
		"out of hours":             {r: Route{Hours: night}, a: a, want: alarms.Raised, at: 60},
	} {
		t.Run(name, func(t *testing.T) {
			x.s.Now, x.s.Spacing = alarmstest.At(0), time.Minute
			if x.s.Active == nil {
				x.s.Active = &alarms.Overlay[alarms.Alarm]{}
			}
			x.s.Past = &alarms.Overlay[alarms.Past]{}
			if x.gone {
				x.s.Unnotified = map[alarms.Key]alarms.Alarm{x.a.Key: x.a}
			} else {
				x.s.Active.Set(x.a.Key, x.a)
			}
			to := recipient{x.s, "noc", x.r, map[alarms.Key]alarms.Notified{x.a.Key: x.notified, hard: {Number: 6, Kind: alarms.Raised}}}
			if x.r.Only.Groups != nil {
				delete(to.notified, hard)
			}
			due, next := to.decide(x.a.Key)
			if x.at >= 0 && x.want != "" {
				if want := alarmstest.At(x.at); len(due) > 0 || !next.Equal(want) {
					t.Errorf("%v, again at %v, want %v", due, next, want)
				}
				to.Now, to.Hours = next, again.Hours{}
				due, _ = to.decide(x.a.Key)
			}
			var kinds []alarms.Kind
			for _, c := range due {
				kinds = append(kinds, c.Kind)
			}
			if len(kinds) > 1 || len(kinds) == 1 && kinds[0] != x.want || len(kinds) == 0 && x.want != "" {
				t.Fatalf("%q, want %q", kinds, x.want)
			}
		})
	}
}
