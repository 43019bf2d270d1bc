package config

import (
	"cmp"
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Intervals are how often an HSM is polled, by the cost of the commands.
type Intervals struct {
	Fast   time.Duration `yaml:"fast"`
	Slow   time.Duration `yaml:"slow"`
	Hourly time.Duration `yaml:"hourly"`
}

// Complete fills in what is not set from all, the intervals of every HSM. One
// of all that is too short is reported there, and not again where it is
// inherited.
func (i *Intervals) Complete(all Intervals) {
	i.Fast = cmp.Or(i.Fast, max(all.Fast, time.Second))
	i.Slow = cmp.Or(i.Slow, max(all.Slow, time.Second))
	i.Hourly = cmp.Or(i.Hourly, max(all.Hourly, time.Second))
}

// Validate returns all that is wrong with i.
func (i Intervals) Validate() error {
	var errs []error
	for _, interval := range []struct {
		key   string
		value time.Duration
	}{{"fast", i.Fast}, {"slow", i.Slow}, {"hourly", i.Hourly}} {
		if interval.value < time.Second {
			errs = append(errs, setting.Faultf(interval.key, "%s is below one second", interval.value))
		}
	}
	return errors.Join(errs...)
}

// Reach is how soon it is noticed between polls that an appliance is gone.
type Reach struct {
	Every   time.Duration `yaml:"every"`
	Timeout time.Duration `yaml:"timeout"`
	Connect time.Duration `yaml:"connect"`
}

// Validate returns all that is wrong with r.
func (r Reach) Validate() error {
	var errs []error
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"every", r.Every}, {"timeout", r.Timeout}, {"connect", r.Connect}} {
		if d.value < 100*time.Millisecond || d.value > time.Hour {
			errs = append(errs, setting.Faultf(d.key, "%s is not within 100ms and 1h", d.value))
		}
	}
	return errors.Join(errs...)
}

func (i Intervals) collectors() poll.Intervals {
	return poll.Intervals{poll.Fast: i.Fast, poll.Slow: i.Slow, poll.Hourly: i.Hourly}
}
