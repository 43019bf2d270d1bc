// Package again says when what comes again, every day or every week, is the next time: at
// the same time of the day on the clocks of a zone, summer time or not.
package again

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Every is how often something comes again, until somebody ends it.
type Every struct {
	Days int    `json:"days"`           // 1 or 7
	Zone string `json:"zone,omitempty"` // Europe/Zurich; "": the agent's
}

// String is as "every week, Europe/Zurich".
func (e Every) String() string {
	text := "every week"
	if e.Days == 1 {
		text = "every day"
	}
	if e.Zone != "" {
		text += ", " + e.Zone
	}
	return text
}

// Period is how long it is from one time to the next, an hour of summer time aside.
func (e Every) Period() time.Duration { return time.Duration(e.Days) * 24 * time.Hour }

// Validate returns all that is wrong with what takes so long and comes again.
func (e Every) Validate(length time.Duration) error {
	switch _, err := zoneOf(e.Zone); {
	case e.Days != 1 && e.Days != 7:
		return setting.Faultf("days", "%d is neither 1 nor 7", e.Days)
	case err != nil:
		return setting.Faultf("zone", "%q is not known on this host; name one such as Europe/Zurich, or install tzdata", e.Zone)
	case length >= e.Period():
		return errors.New("it would begin again before it ends")
	}
	return nil
}

// At returns when what first is from a time until another is so at now, or else the next
// time. It does not come again if its zone is not known any more.
func (e Every) At(from, until, now time.Time) (time.Time, time.Time) {
	zone, err := zoneOf(e.Zone)
	if now.Before(until) || e.Days < 1 || err != nil {
		return from, until
	}
	first, last := from.In(zone), until.In(zone)
	for n := max(1, int(now.Sub(until)/e.Period())); ; n++ {
		if end := last.AddDate(0, 0, n*e.Days); end.After(now) {
			return first.AddDate(0, 0, n*e.Days), end
		}
	}
}

// zones are those that were loaded: the library reads a file for each.
var zones sync.Map

func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	if zone, known := zones.Load(name); known {
		return zone.(*time.Location), nil //nolint:forcetypeassert // there is nothing else in it
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone %q: %w", name, err)
	}
	zones.Store(name, zone)
	return zone, nil
}
