// Package expect has what must be true of a device, by the configuration.
package expect

import (
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/alarms/again"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Device is what is expected of a device; empty: anything may be.
type Device struct {
	Serial     string              `yaml:"serial"`
	Model      string              `yaml:"model"`
	Firmware   string              `yaml:"firmware"`
	Partitions []string            `yaml:"partitions"` // names, labels or serial numbers
	Activated  []string            `yaml:"activated"`  // of them, those that must be activated
	Members    map[string][]string `yaml:"members"`    // of a Luna client: serial numbers by HA group

	Busy          again.Hours   `yaml:"busy"`                           // when clients use an HSM
	UnprovenAfter time.Duration `yaml:"unproven_after" range:"0s,1m.."` // without work for them in those hours: alarm; 0: none
}

// Validate returns all that is wrong with d.
func (d Device) Validate() error {
	var alone error
	if !d.Busy.IsZero() && d.UnprovenAfter == 0 {
		alone = setting.Faultf("busy", "does nothing without unproven_after, such as 15m")
	}
	return errors.Join(setting.Limits(d), setting.At("busy", d.Busy.Validate()), alone)
}
