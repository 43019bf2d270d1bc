// Package probe runs the test programs of a site, which try an HSM as its applications
// do. It holds no secret for them.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Settings are one probe of an HSM.
type Settings struct {
	Name      string        `yaml:"name"`
	Command   []string      `yaml:"command"`                                   // absolute path, then arguments
	Interval  time.Duration `yaml:"interval" default:"5m" range:"0s,10s..24h"` // between two runs; 0: DefaultInterval
	Timeout   time.Duration `yaml:"timeout" default:"10s" range:"0s,1s..5m"`   // of a run; 0: DefaultTimeout
	Partition string        `yaml:"partition"`                                 // which it tries, for people
}

// What holds where nothing is set.
const (
	DefaultInterval = 5 * time.Minute
	DefaultTimeout  = 10 * time.Second
)

// AtOnce is how many programs run at once, for all HSMs.
const AtOnce = 8

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Validate returns all that is wrong with s.
func (s Settings) Validate() error {
	errs := []error{setting.Limits(s)}
	if !nameForm.MatchString(s.Name) {
		errs = append(errs, setting.Faultf("name", "%q is not a name: 1 to 64 letters, digits, dots, dashes or underscores", s.Name))
	}
	if len(s.Command) == 0 || !filepath.IsAbs(s.Command[0]) {
		errs = append(errs, setting.Faultf("command", "the absolute path of a program is needed first"))
	}
	if s.timeout() > s.interval() {
		errs = append(errs, setting.Faultf("timeout", "%s is longer than the interval, %s", s.timeout(), s.interval()))
	}
	return errors.Join(errs...)
}

// ValidateAll returns all that is wrong with the probes of an HSM.
func ValidateAll(list []Settings) error {
	var errs []error
	for i, s := range list {
		at := fmt.Sprintf("[%d]", i)
		errs = append(errs, setting.At(at, s.Validate()))
		if slices.ContainsFunc(list[:i], func(x Settings) bool { return x.Name == s.Name }) {
			errs = append(errs, setting.Faultf(at+".name", "%q is the name of two probes", s.Name))
		}
	}
	return errors.Join(errs...)
}

func (s Settings) interval() time.Duration { return cmp.Or(s.Interval, DefaultInterval) }
func (s Settings) timeout() time.Duration  { return cmp.Or(s.Timeout, DefaultTimeout) }

// maxAge is how long a result is valid: long enough for one missed run and a slow one.
func (s Settings) maxAge() time.Duration { return s.interval()*5/2 + s.timeout() }

// Declared returns the probes of an HSM before they have run, sorted by name.
func Declared(list []Settings) hsm.Probes {
	all := hsm.Probes{}
	for _, s := range list {
		all = append(all, hsm.Probe{Name: s.Name, Partition: s.Partition})
	}
	slices.SortFunc(all, func(a, b hsm.Probe) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Run runs the program of s for a device until ctx is done, each time at its own moment of
// the interval, and reports each result. It does not run while turns has no room.
func (s Settings) Run(ctx context.Context, device string, turns *semaphore.Weighted, report func(hsm.Probe)) error {
	for ctx.Err() == nil {
		wait.Sleep(ctx, time.Until(poll.Next(device+"/"+s.Name, time.Now(), s.interval())))
		if turns.Acquire(ctx, 1) != nil {
			return nil
		}
		result := s.Once(ctx)
		turns.Release(1)
		if ctx.Err() == nil {
			report(result)
		}
	}
	return nil
}
