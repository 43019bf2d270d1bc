package alarms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Damping keeps alarms from coming and going.
type Damping struct {
	RaiseAfter  map[string]time.Duration `yaml:"raise_after" range:"0s.."`     // by group: how long it must last before it is raised
	ClearAfter  map[string]time.Duration `yaml:"clear_after" range:"0s.."`     // by group: how long it must have ended before it is cleared
	Off         []string                 `yaml:"off"`                          // groups that raise nothing
	FlapCount   int                      `yaml:"flap_count" range:"0,2.."`     // flapping from so many beginnings in FlapWindow; 0: never
	FlapWindow  time.Duration            `yaml:"flap_window" range:">0s.."`    // and how long it must then be quiet to clear
	StormAlarms int                      `yaml:"storm_alarms" range:"0..1000"` // a storm from one more new alarm in a minute; 0: never
}

// DefaultDamping returns the damping of an empty configuration.
func DefaultDamping() Damping {
	return Damping{FlapCount: 5, FlapWindow: 30 * time.Minute, StormAlarms: 50}
}

// Validate returns all that is wrong with d.
func (d Damping) Validate() error {
	var errs []error
	for i, name := range d.Off {
		if err := validateGroup(name); err != nil {
			errs = append(errs, setting.Faultf(fmt.Sprintf("off[%d]", i), "%q %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.RaiseAfter)) {
		errs = append(errs, setting.At("raise_after", setting.At(setting.Key(name), validateGroup(name))))
	}
	for _, name := range slices.Sorted(maps.Keys(d.ClearAfter)) {
		errs = append(errs, setting.At("clear_after", setting.At(setting.Key(name), validateGroup(name))))
	}
	return errors.Join(append(errs, setting.Limits(d))...)
}

// validateGroup returns an error that says what may have been meant by a name that is
// no group's.
func validateGroup(name string) error {
	if GroupNamed(name).Number != 0 {
		return nil
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	if meant := near.Name(name, names); meant != "" {
		return fmt.Errorf("is not a group of alarms; did you mean %s?", meant)
	}
	return errors.New("is not a group of alarms; lunawatch alarms explain lists them")
}
