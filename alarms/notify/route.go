package notify

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Route is what a receiver is notified of, and when.
type Route struct {
	Only              alarms.Match  `yaml:"only"`                               // these alarms
	Hours             again.Hours   `yaml:"hours"`                              // only then; when they begin, of what is still active
	UnacknowledgedFor time.Duration `yaml:"unacknowledged_for" range:"0s,1s.."` // escalation: once nobody has acknowledged for so long
	Repeat            time.Duration `yaml:"repeat" range:"0s,1s.."`             // notified again while active and unacknowledged; 0: never
	Expire            time.Duration `yaml:"expire" range:"0s,1s.."`             // given up once it could not be delivered for so long
	Heartbeat         time.Duration `yaml:"heartbeat" range:"0s,1s.."`          // how often; 0: none
	Policy            Policy        `yaml:",inline"`

	// Refresh is how often all that is active is sent again, acknowledged or not,
	// to a receiver that forgets; 0: never.
	Refresh time.Duration `yaml:"-"`
}

// DefaultExpire is the Expire of a receiver without one.
const DefaultExpire = 72 * time.Hour

// Validate returns all that is wrong with r.
func (r Route) Validate() error {
	return errors.Join(setting.Limits(r), setting.At("only", r.Only.Validate()), setting.At("hours", r.Hours.Validate()), setting.Limits(r.Policy))
}

// Words says which alarms r lets through.
func (r Route) Words() string {
	parts := []string{"all alarms"}
	if r.Only.Severity > alarms.Indeterminate {
		parts[0] = "alarms of severity " + r.Only.Severity.String() + " or worse"
	}
	for _, p := range []struct {
		name string
		list []string
	}{{"HSM", r.Only.HSMs}, {"alarm", r.Only.Groups}, {"object", r.Only.Objects}, {"code", r.Only.Codes}} {
		if len(p.list) > 0 {
			parts = append(parts, p.name+" "+strings.Join(p.list, " or "))
		}
	}
	if h := r.Hours; h.From+h.To != "" || len(h.Days) > 0 {
		text := strings.Join(h.Days, " ") + " from " + cmp.Or(h.From, "00:00") + " to " + cmp.Or(h.To, "24:00") + " " + h.Zone
		parts = append(parts, strings.TrimSpace(text))
	}
	if r.UnacknowledgedFor > 0 {
		parts = append(parts, "once nobody has acknowledged it for "+r.UnacknowledgedFor.String())
	}
	return strings.Join(parts, ", ")
}

// takes reports whether a receiver is ever notified of a. All are notified of a
// test, and of a failing receiver the others.
func (r Route) takes(receiver string, a alarms.Alarm) bool {
	return a.IsTest() || r.Only.Selects(a) && a.Severity >= r.Only.Severity && a.Key != (alarms.Key{Device: alarms.Self, Group: "delivery", Object: receiver})
}

// Masks reports whether n is the clearing of an alarm that the receiver cannot
// distinguish from another one that it takes to be active, by notified: it
// would take both to have cleared.
func (r Route) Masks(n alarms.Notification, notified map[alarms.Key]alarms.Notified) bool {
	if n.Change.Kind != alarms.Cleared || r.Policy.Level != LevelCategory {
		return false
	}
	for key, t := range notified {
		if key != n.Change.Alarm.Key && t.Active() && r.Policy.Level.masks(key, n.Change.Alarm.Key) {
			return true
		}
	}
	return false
}
