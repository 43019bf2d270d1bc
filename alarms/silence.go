package alarms

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Silence suppresses the notifications of alarms for some time: planned work,
// a known fault. The alarms stay active, and in every table.
type Silence struct {
	ID     uint64    `json:"id"`
	Match  Match     `json:"match"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
	From   time.Time `json:"from"`  // in the future: a maintenance window
	Until  time.Time `json:"until"` // of one that comes again: the end of the first, or of that of [Silence.At]
	Every  *Every    `json:"every,omitempty"`
}

// Every is how often a silence comes again, at the same time of the day on the clocks of a
// zone, until it is ended.
type Every struct {
	Days int    `json:"days"`           // 1 or 7
	Zone string `json:"zone,omitempty"` // Europe/Zurich; "": the agent's
}

// String is as "every week, Europe/Zurich".
func (e *Every) String() string {
	text := "every week"
	if e.Days == 1 {
		text = "every day"
	}
	if e.Zone != "" {
		text += ", " + e.Zone
	}
	return text
}

func (e *Every) period() time.Duration { return time.Duration(e.Days) * 24 * time.Hour }

// Validate returns all that is wrong with s.
func (s Silence) Validate() error {
	var errs []error
	if s.Author == "" || s.Reason == "" {
		errs = append(errs, errors.New("a silence needs an author and a reason"))
	}
	if !s.Until.After(s.From) {
		errs = append(errs, errors.New("a silence needs an end after its beginning"))
	}
	if e := s.Every; e != nil {
		switch _, err := zoneOf(e.Zone); {
		case e.Days != 1 && e.Days != 7:
			errs = append(errs, setting.Faultf("every.days", "%d is neither 1 nor 7", e.Days))
		case err != nil:
			errs = append(errs, setting.Faultf("every.zone", "%q is not known on this host; name one such as Europe/Zurich, or install tzdata", e.Zone))
		case s.Until.Sub(s.From) >= e.period():
			errs = append(errs, errors.New("it would begin again before it ends"))
		}
	}
	return errors.Join(append(errs, s.Match.Validate())...)
}

// LongSilence is how long a silence lasts at most without being wide.
const LongSilence = 24 * time.Hour

// Wide reports whether s hides so much, or for so long, that others should know: every
// alarm, or more than a day, or more than half of every day.
func (s Silence) Wide() bool {
	length := s.Until.Sub(s.From)
	return s.Match.all() || length > LongSilence || s.Every != nil && length > s.Every.period()/2
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

// At returns s as it is in force at now, or else the next time: From and Until are those of
// that time. What does not come again is as it is, and so is one whose zone is not known
// any more: it silences nothing after its first time.
func (s Silence) At(now time.Time) Silence {
	if s.Every == nil || s.Every.Days < 1 || now.Before(s.Until) {
		return s
	}
	zone, err := zoneOf(s.Every.Zone)
	if err != nil {
		return s
	}
	from, until := s.From.In(zone), s.Until.In(zone)
	for n := max(1, int(now.Sub(until)/s.Every.period())); ; n++ { // an hour of summer time aside
		s.From, s.Until = from.AddDate(0, 0, n*s.Every.Days), until.AddDate(0, 0, n*s.Every.Days)
		if s.Until.After(now) {
			return s
		}
	}
}

// Over reports whether s will never be in force again.
func (s Silence) Over(now time.Time) bool { return s.Every == nil && !now.Before(s.Until) }

// Ended returns s as it is once somebody has ended it at now.
func (s Silence) Ended(now time.Time) Silence {
	s.Until, s.Every = now, nil
	return s
}

// Announced is how long before it begins a silence is announced.
const Announced = 24 * time.Hour

// Announces reports whether s begins soon: within [Announced].
func (s Silence) Announces(now time.Time) bool {
	s = s.At(now)
	return s.From.After(now) && s.From.Sub(now) <= Announced
}

// InForce reports whether s silences what it covers.
func (s Silence) InForce(now time.Time) bool {
	s = s.At(now)
	return !now.Before(s.From) && now.Before(s.Until)
}

// Covers reports whether s silences a, while it is in force.
func (s Silence) Covers(a Alarm) bool {
	return s.Match.Selects(a) && (s.Match.Severity == None || a.Severity <= s.Match.Severity)
}

// SilencedBy returns the silence that holds for an alarm at now, as of [Silence.At]; nil:
// none does.
func SilencedBy(silences []Silence, a Alarm, now time.Time) *Silence {
	for _, s := range silences {
		if s.Covers(a) && s.InForce(now) {
			s = s.At(now)
			return &s
		}
	}
	return nil
}
