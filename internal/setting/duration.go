package setting

import (
	"flag"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// A duration is a flag that takes days and weeks, too.
type duration time.Duration

// DurationFlag adds a flag for a duration.
func DurationFlag(flags *flag.FlagSet, name string, value time.Duration, usage string) *time.Duration {
	d := value
	flags.Var((*duration)(&d), name, usage)
	return &d
}

// Set implements [flag.Value].
func (d *duration) Set(s string) error {
	read, err := ParseDuration(s)
	*d = duration(read)
	return err
}

// String implements [flag.Value].
func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// ParseDuration reads a duration as Go writes it, or as Prometheus does: 90s, 1h30m,
// 1.5h, 2d, 1w.
func ParseDuration(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	d, err := model.ParseDuration(s)
	if err != nil || s == "" {
		return 0, fmt.Errorf("it is not a duration such as 90s, 1h30m, 2d or 1w")
	}
	return time.Duration(d), nil
}
