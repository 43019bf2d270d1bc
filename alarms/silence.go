package alarms

import (
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Silence suppresses the notifications of alarms for some time: planned work,
// a known fault. The alarms stay active, and in every table.
type Silence struct {
	ID     uint64       `json:"id"`
	Match  Match        `json:"match"`
	Author string       `json:"author"`
	Reason string       `json:"reason"`
	From   time.Time    `json:"from"`  // in the future: a maintenance window
	Until  time.Time    `json:"until"` // of one that comes again: the end of the first, or of that of [Silence.At]
	Every  *again.Every `json:"every,omitempty"`
}

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
		errs = append(errs, setting.At("every", e.Validate(s.Until.Sub(s.From))))
	}
	return errors.Join(append(errs, s.Match.Validate())...)
}

// LongSilence is how long a silence lasts at most without being wide.
const LongSilence = 24 * time.Hour

// Wide reports whether s hides so much, or for so long, that others should know: every
// alarm, or more than a day, or more than half of every day.
func (s Silence) Wide() bool {
	length := s.Until.Sub(s.From)
	return s.Match.all() || length > LongSilence || s.Every != nil && length > s.Every.Period()/2
}

// At returns s as it is in force at now, or else the next time: From and Until are those of
// that time. What does not come again is as it is.
func (s Silence) At(now time.Time) Silence {
	if s.Every != nil {
		s.From, s.Until = s.Every.At(s.From, s.Until, now)
	}
	return s
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
