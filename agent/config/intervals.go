package config

import (
	"cmp"
	"time"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Intervals are how often an HSM is polled, by the cost of the commands.
type Intervals struct {
	Fast     time.Duration `yaml:"fast" range:"1s.."`
	Slow     time.Duration `yaml:"slow" range:"1s.."`
	Hourly   time.Duration `yaml:"hourly" range:"1s.."`
	Counters time.Duration `yaml:"counters" range:"1s.."`
}

// Complete fills in what is not set from all, the intervals of every HSM. One
// of all that is too short is reported there, and not again where it is
// inherited.
func (i *Intervals) Complete(all Intervals) {
	i.Fast = cmp.Or(i.Fast, max(all.Fast, time.Second))
	i.Slow = cmp.Or(i.Slow, max(all.Slow, time.Second))
	i.Hourly = cmp.Or(i.Hourly, max(all.Hourly, time.Second))
	i.Counters = cmp.Or(i.Counters, all.Counters, max(i.Fast, time.Second))
}

// Validate returns all that is wrong with i.
func (i Intervals) Validate() error { return setting.Limits(i) }

// Reach is how soon it is noticed between polls that an appliance is gone.
type Reach struct {
	Every   time.Duration `yaml:"every" range:"100ms..1h"`
	Timeout time.Duration `yaml:"timeout" range:"100ms..1h"`
	Connect time.Duration `yaml:"connect" range:"100ms..1h"`
}

// Validate returns all that is wrong with r.
func (r Reach) Validate() error { return setting.Limits(r) }

func (i Intervals) collectors() poll.Intervals {
	return poll.Intervals{poll.Fast: i.Fast, poll.Slow: i.Slow, poll.Hourly: i.Hourly, poll.Counted: i.Counters}
}
