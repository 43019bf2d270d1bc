package act

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
)

// Clock returns the time on the clocks of a zone; "": on those of this host.
func Clock(zone string) (time.Time, error) {
	if zone == "" {
		return time.Now(), nil
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("-zone %q is not known on this host; name one such as Europe/Zurich", zone)
	}
	return time.Now().In(place), nil
}

// ComesAgain returns how often a silence does; nil: it does not.
func ComesAgain(every, zone string) (*again.Every, error) {
	days, known := map[string]int{"day": 1, "week": 7}[every]
	switch {
	case every == "":
		return nil, nil //nolint:nilnil // it does not come again
	case !known:
		return nil, fmt.Errorf("-every %q is neither day nor week", every)
	}
	return &again.Every{Days: days, Zone: zone}, nil
}

// Span returns when a silence begins and ends. A clock time without a day is
// the next one: for the beginning after now, for the end after the beginning.
func Span(from, until string, length time.Duration, now time.Time) (begin, end time.Time, err error) {
	begin = now
	if from != "" {
		if begin, err = readTime(from, now); err != nil {
			return begin, end, fmt.Errorf("-from: %w", err)
		}
	}
	switch {
	case (until == "") == (length == 0):
		return begin, end, errors.New("say when it ends, with -for 2h or -until 06:00")
	case length < 0:
		return begin, end, fmt.Errorf("-for %s is negative", length)
	case length > 0:
		return begin, begin.Add(length), nil
	}
	if end, err = readTime(until, begin); err != nil {
		return begin, end, fmt.Errorf("-until: %w", err)
	}
	if !end.After(begin) || !end.After(now) {
		return begin, end, fmt.Errorf("-until %s is not after now and after the beginning", until)
	}
	return begin, end, nil
}

var timeLayouts = []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, timeLayout, time.RFC3339}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// readTime reads a time on the reader's clock; one without a date is the next
// one after a time.
func readTime(s string, after time.Time) (time.Time, error) {
	if t, err := time.Parse("15:04", s); err == nil {
		t = time.Date(after.Year(), after.Month(), after.Day(), t.Hour(), t.Minute(), 0, 0, after.Location())
		if !t.After(after) {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	if day, clock, named := strings.Cut(s, " "); named {
		t, err := time.Parse("15:04", clock)
		if i := slices.Index(weekdays, strings.ToLower(day)); i >= 0 && err == nil {
			t = time.Date(after.Year(), after.Month(), after.Day()+(i-int(after.Weekday())+7)%7, t.Hour(), t.Minute(), 0, 0, after.Location())
			if !t.After(after) {
				t = t.AddDate(0, 0, 7)
			}
			return t, nil
		}
	}
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, after.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 22:00, \"sat 22:00\" or \"2026-03-01 22:00\"", s)
}
