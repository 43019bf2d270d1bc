package rules

import (
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Thresholds are what rules compare with.
type Thresholds struct {
	BatteryMargin      float64       `yaml:"battery_margin" unit:"V" range:"0.."`           // V above the device's threshold to clear
	TemperatureMargin  float64       `yaml:"temperature_margin" unit:"C" range:"0.."`       // C below the device's threshold to clear
	SOLoginAttempts    int64         `yaml:"so_login_attempts" range:"0.."`                 // alarm below it; 0: never
	StorageRatio       float64       `yaml:"storage_ratio" range:">0..1"`                   // alarm from it, 0 to 1
	LogDiskRatio       float64       `yaml:"log_disk_ratio" range:">0..1"`                  // alarm from it, 0 to 1
	CertificateDays    int           `yaml:"certificate_days" unit:"days" range:"0..36500"` // alarm from that many days before expiry
	UnreachableAfter   int           `yaml:"unreachable_after" range:"1.."`                 // failed attempts in a row
	SilentAfter        int           `yaml:"silent_after" range:"1.."`                      // polls without an answer of the card
	EventAge           time.Duration `yaml:"event_age" range:">0s.."`                       // how long an alarm for a one-off event stays active
	UtilizationRatio   float64       `yaml:"utilization_ratio" range:"0..1"`                // alarm from it, 0 to 1; 0: never
	UtilizationMargin  float64       `yaml:"utilization_margin" range:"0..1"`               // below it to clear
	ErrorRatio         float64       `yaml:"error_ratio" range:"0..1"`                      // of requests that end in an error: alarm from it, 0 to 1; 0: never
	LoadAverage        float64       `yaml:"load_average" range:"0.."`                      // of an appliance, over 15 minutes: alarm from it; 0: never
	MemoryRatio        float64       `yaml:"memory_ratio" range:"0..1"`                     // used, of an appliance: alarm from it, 0 to 1; 0: never
	SwapRatio          float64       `yaml:"swap_ratio" range:"0..1"`                       // used, of an appliance: alarm from it, 0 to 1; 0: never
	IgnoredStatusCodes []int64       `yaml:"ignored_status_codes"`                          // of status sysstat show
	ForecastDays       int           `yaml:"forecast_days" unit:"days" range:"0..36500"`    // a trend that reaches its limit within so many days is an alarm; 0: none is

	Expected map[string]expect.Device `yaml:"-"` // by device
}

// DefaultThresholds returns the thresholds of an empty configuration.
func DefaultThresholds() Thresholds {
	return Thresholds{
		BatteryMargin:     0.05,
		TemperatureMargin: 2,
		SOLoginAttempts:   3,
		StorageRatio:      0.9,
		LogDiskRatio:      0.7,
		CertificateDays:   30,
		UnreachableAfter:  2,
		SilentAfter:       3,
		EventAge:          15 * time.Minute,
		UtilizationRatio:  0.9,
		UtilizationMargin: 0.1,
		ErrorRatio:        0.1,
		LoadAverage:       8,
		MemoryRatio:       0.95,
		SwapRatio:         0.5,
		ForecastDays:      30,
	}
}

// maxDays is a hundred years, which a time.Duration holds: the range of days.
const maxDays = 36500

// Validate returns all that is wrong with t.
func (t Thresholds) Validate() error {
	err := setting.Limits(t)
	if t.UtilizationMargin <= 1 && t.UtilizationMargin > t.UtilizationRatio {
		err = errors.Join(err, setting.Faultf("utilization_margin", "%v is out of range; 0 to utilization_ratio, %v, is allowed", t.UtilizationMargin, t.UtilizationRatio))
	}
	return err
}
