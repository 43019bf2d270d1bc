package again

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Hours are times of the week. The zero Hours are all of it.
type Hours struct {
	Days []string `yaml:"days" names:"mon tue wed thu fri sat sun"` // mon to sun; empty: every day
	From string   `yaml:"from"`                                     // 08:00
	To   string   `yaml:"to"`                                       // 18:00; not after From: of the next day
	Zone string   `yaml:"zone"`                                     // Europe/Berlin; "": the host's
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const clock = "15:04"

// Validate returns all that is wrong with h.
func (h Hours) Validate() error {
	var errs []error
	for i, d := range h.Days {
		if !slices.Contains(weekdays, strings.ToLower(d)) {
			errs = append(errs, setting.Faultf(fmt.Sprintf("days[%d]", i), "%q is not a day such as mon", d))
		}
	}
	for _, t := range []struct{ key, value string }{{"from", h.From}, {"to", h.To}} {
		if _, err := time.Parse(clock, t.value); t.value != "" && err != nil {
			errs = append(errs, setting.Faultf(t.key, "%q is not a time such as 08:00", t.value))
		}
	}
	if _, err := zoneOf(h.Zone); err != nil {
		errs = append(errs, setting.Faultf("zone", "%q is not known on this host; name one such as Europe/Berlin, or install tzdata", h.Zone))
	}
	return errors.Join(errs...)
}

// IsZero reports whether h says nothing, and is all of the week.
func (h Hours) IsZero() bool { return len(h.Days) == 0 && h.From+h.To+h.Zone == "" }

// Open reports whether now is in h. Hours that pass midnight belong to the day
// on which they begin.
func (h Hours) Open(now time.Time) bool {
	now = h.local(now)
	at, from, to := now.Format(clock), h.From, cmp.Or(h.To, "24:00")
	switch {
	case from < to:
		return h.on(now) && from <= at && at < to
	case at >= from:
		return h.on(now)
	}
	return at < to && h.on(now.AddDate(0, 0, -1))
}

// Since returns when the hours that now is in began; the zero time if they never
// begin, being all of the week. False: now is in none.
func (h Hours) Since(now time.Time) (time.Time, bool) {
	if !h.Open(now) {
		return time.Time{}, false
	}
	begin := h.begin(now)
	for range 7 {
		before := begin.Add(-time.Minute)
		if !h.Open(before) {
			return begin, true
		}
		begin = h.begin(before)
	}
	return time.Time{}, true
}

// begin returns when the hours of the day of now begin, or of the day before if that is
// still to come. Clocks that are put forward may skip that time: then it is when they are.
func (h Hours) begin(now time.Time) time.Time {
	now = h.local(now)
	from, _ := time.Parse(clock, cmp.Or(h.From, "00:00")) // as validated
	if now.Format(clock) < from.Format(clock) {
		now = now.AddDate(0, 0, -1)
	}
	begin := time.Date(now.Year(), now.Month(), now.Day(), from.Hour(), from.Minute(), 0, 0, now.Location())
	offsetSince, offsetUntil := begin.ZoneBounds()
	switch at := begin.Format(clock); {
	case at < from.Format(clock):
		return offsetUntil
	case at > from.Format(clock):
		return offsetSince
	}
	return begin
}

// local returns now on the clocks of h's zone.
func (h Hours) local(now time.Time) time.Time {
	if zone, err := zoneOf(h.Zone); err == nil {
		return now.In(zone)
	}
	return now
}

func (h Hours) on(day time.Time) bool {
	return len(h.Days) == 0 || slices.ContainsFunc(h.Days, func(d string) bool { return strings.EqualFold(d, weekdays[day.Weekday()]) })
}
