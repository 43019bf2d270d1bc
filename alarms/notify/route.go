package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Route is what a receiver is told, and when.
type Route struct {
	Only              alarms.Match  `yaml:"only"`               // these alarms
	Hours             Hours         `yaml:"hours"`              // only then; what still stands is told when they begin
	UnacknowledgedFor time.Duration `yaml:"unacknowledged_for"` // escalation: once nobody acknowledged for so long
	Repeat            time.Duration `yaml:"repeat"`             // told again while it stands unacknowledged; 0: never
	Expire            time.Duration `yaml:"expire"`             // given up when it could not be delivered for so long
	Heartbeat         time.Duration `yaml:"heartbeat"`          // a sign of life; 0: none
	Policy            Policy        `yaml:",inline"`

	// Refresh repeats what was told, acknowledged or not, to a receiver that
	// forgets; 0: it does not.
	Refresh time.Duration `yaml:"-"`
}

// DefaultExpire is how long delivery is tried where nothing is configured.
const DefaultExpire = 72 * time.Hour

// Validate returns all that is wrong with r.
func (r Route) Validate() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"unacknowledged_for", r.UnacknowledgedFor}, {"repeat", r.Repeat}, {"expire", r.Expire}, {"heartbeat", r.Heartbeat}} {
		if d.value != 0 && d.value < time.Second {
			errs = append(errs, setting.Faultf(d.key, "%s is below one second", d.value))
		}
	}
	return errors.Join(append(errs, setting.At("only", r.Only.Validate()), setting.At("hours", r.Hours.Validate()), r.Policy.Validate())...)
}

// takes reports whether r tells of a at all. A test is told to all, and what is
// wrong with a receiver by the others.
func (r Route) takes(receiver string, a alarms.Alarm) bool {
	return a.IsTest() || r.Only.Selects(a) && a.Severity >= r.Only.Severity && a.Key != (alarms.Key{Device: alarms.Self, Group: "delivery", Object: receiver})
}

// Masks reports whether n is that an alarm has cleared that the receiver cannot
// tell from another one, of which told says that it believes it active: it
// would take both to have cleared.
func (r Route) Masks(n alarms.Notification, told map[alarms.Key]alarms.Notified) bool {
	if n.Change.Kind != alarms.Cleared || r.Policy.Level != LevelCategory {
		return false
	}
	for key, t := range told {
		if key != n.Change.Alarm.Key && t.Active() && r.Policy.Level.masks(key, n.Change.Alarm.Key) {
			return true
		}
	}
	return false
}

// Hours are times of the week. The zero Hours are always.
type Hours struct {
	Days []string `yaml:"days"` // mon to sun; empty: every day
	From string   `yaml:"from"` // 08:00
	To   string   `yaml:"to"`   // 18:00; not after From: of the next day
	Zone string   `yaml:"zone"` // Europe/Berlin; "": the host's
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Validate returns all that is wrong with h.
func (h Hours) Validate() error {
	var errs []error
	for i, d := range h.Days {
		if !slices.Contains(weekdays, strings.ToLower(d)) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("days[%d]", i), "%q is no day such as mon", d))
		}
	}
	for _, t := range []struct{ key, value string }{{"from", h.From}, {"to", h.To}} {
		if _, err := time.Parse("15:04", t.value); t.value != "" && err != nil {
			errs = append(errs, setting.Faultf(t.key, "%q is no time such as 08:00", t.value))
		}
	}
	if _, err := time.LoadLocation(h.Zone); err != nil {
		errs = append(errs, setting.Faultf("zone", "%q is not known on this host; name one such as Europe/Berlin, or install tzdata", h.Zone))
	}
	return errors.Join(errs...)
}

// open reports whether now is in h. Hours that pass midnight are of the day on
// which they begin.
func (h Hours) open(now time.Time) bool {
	if zone, err := time.LoadLocation(h.Zone); h.Zone != "" && err == nil {
		now = now.In(zone)
	}
	clock := now.Format("15:04")
	from, to := h.From, h.To
	if to == "" {
		to = "24:00"
	}
	switch {
	case from < to:
		return h.on(now) && from <= clock && clock < to
	case clock >= from:
		return h.on(now)
	}
	return clock < to && h.on(now.AddDate(0, 0, -1))
}

func (h Hours) on(day time.Time) bool {
	return len(h.Days) == 0 || slices.ContainsFunc(h.Days, func(d string) bool { return strings.EqualFold(d, weekdays[day.Weekday()]) })
}
