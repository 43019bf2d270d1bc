package alarms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Damping keeps alarms from coming and going.
type Damping struct {
	RaiseAfter  map[string]time.Duration `yaml:"raise_after"`  // by group: how long it must last before it is raised
	ClearAfter  map[string]time.Duration `yaml:"clear_after"`  // by group: how long it must have ended before it is cleared
	Off         []string                 `yaml:"off"`          // groups that raise nothing
	FlapCount   int                      `yaml:"flap_count"`   // flapping from so many beginnings in FlapWindow; 0: never
	FlapWindow  time.Duration            `yaml:"flap_window"`  // and how long it must then be quiet to clear
	StormAlarms int                      `yaml:"storm_alarms"` // a storm from one more new alarm in a minute; 0: never
}

// DefaultDamping returns the damping of an empty configuration.
func DefaultDamping() Damping {
	return Damping{FlapCount: 5, FlapWindow: 30 * time.Minute, StormAlarms: 50}
}

// Validate returns all that is wrong with d.
func (d Damping) Validate() error {
	return errors.Join(
		setting.At("raise_after", validateDelays(d.RaiseAfter)),
		setting.At("clear_after", validateDelays(d.ClearAfter)),
		setting.At("off", validateGroups(d.Off)),
		setting.Validate([]setting.Check{
			{Key: "flap_count", Value: d.FlapCount, OK: d.FlapCount >= 0 && d.FlapCount != 1, Remedy: "0, or 2 and more is allowed"},
			{Key: "flap_window", Value: d.FlapWindow, OK: d.FlapWindow > 0, Remedy: setting.Positive},
			{Key: "storm_alarms", Value: d.StormAlarms, OK: d.StormAlarms >= 0 && d.StormAlarms <= maxStorm, Remedy: fmt.Sprintf("0 to %d is allowed", maxStorm)},
		}),
	)
}

func validateGroups(names []string) error {
	var errs []error
	for _, name := range names {
		if GroupNamed(name).Number == 0 {
			errs = append(errs, setting.Faultf(setting.Key(name), "is not a group of alarms; lunawatch alarms explain lists them"))
		}
	}
	return errors.Join(errs...)
}

// validateDelays returns what is wrong with times by group.
func validateDelays(byGroup map[string]time.Duration) error {
	var errs []error
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		key := setting.Key(group)
		if GroupNamed(group).Number == 0 {
			errs = append(errs, setting.Faultf(key, "is not a group of alarms; lunawatch alarms explain lists them"))
		}
		if d := byGroup[group]; d < 0 {
			errs = append(errs, setting.Faultf(key, "%s is negative", d))
		}
	}
	return errors.Join(errs...)
}
