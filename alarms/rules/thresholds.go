package rules

import (
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Thresholds are what rules compare with.
type Thresholds struct {
	BatteryMargin      float64       `yaml:"battery_margin"`       // V above the device's threshold to clear
	TemperatureMargin  float64       `yaml:"temperature_margin"`   // C below the device's threshold to clear
	SOLoginAttempts    int64         `yaml:"so_login_attempts"`    // alarm below it; 0: never
	StorageRatio       float64       `yaml:"storage_ratio"`        // alarm from it, 0 to 1
	LogDiskRatio       float64       `yaml:"log_disk_ratio"`       // alarm from it, 0 to 1
	CertificateDays    int           `yaml:"certificate_days"`     // alarm from that many days before expiry
	UnreachableAfter   int           `yaml:"unreachable_after"`    // failed attempts in a row
	SilentAfter        int           `yaml:"silent_after"`         // polls without an answer of the card
	EventAge           time.Duration `yaml:"event_age"`            // how long an alarm for a one-off event stays active
	UtilizationRatio   float64       `yaml:"utilization_ratio"`    // alarm from it, 0 to 1; 0: never
	UtilizationMargin  float64       `yaml:"utilization_margin"`   // below it to clear
	ErrorRatio         float64       `yaml:"error_ratio"`          // of requests that end in an error: alarm from it, 0 to 1; 0: never
	LoadAverage        float64       `yaml:"load_average"`         // of an appliance, over 15 minutes: alarm from it; 0: never
	MemoryRatio        float64       `yaml:"memory_ratio"`         // used, of an appliance: alarm from it, 0 to 1; 0: never
	SwapRatio          float64       `yaml:"swap_ratio"`           // used, of an appliance: alarm from it, 0 to 1; 0: never
	IgnoredStatusCodes []int64       `yaml:"ignored_status_codes"` // of status sysstat show
	ForecastDays       int           `yaml:"forecast_days"`        // a trend that reaches its limit within so many days is an alarm; 0: none is

	Expected map[string]Expected `yaml:"-"` // by device
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

// maxDays is a hundred years, which a time.Duration holds.
const maxDays = 36500

// Validate returns all that is wrong with t.
func (t Thresholds) Validate() error {
	const part = "0 to 1 is allowed"
	const positivePart = "more than 0 and at most 1 is needed"
	days := fmt.Sprintf("0 to %d is allowed", maxDays)
	return setting.Validate([]setting.Check{
		{Key: "battery_margin", Value: t.BatteryMargin, OK: t.BatteryMargin >= 0, Remedy: setting.NotNegative},
		{Key: "temperature_margin", Value: t.TemperatureMargin, OK: t.TemperatureMargin >= 0, Remedy: setting.NotNegative},
		{Key: "so_login_attempts", Value: t.SOLoginAttempts, OK: t.SOLoginAttempts >= 0, Remedy: setting.NotNegative},
		{Key: "storage_ratio", Value: t.StorageRatio, OK: t.StorageRatio > 0 && t.StorageRatio <= 1, Remedy: positivePart},
		{Key: "log_disk_ratio", Value: t.LogDiskRatio, OK: t.LogDiskRatio > 0 && t.LogDiskRatio <= 1, Remedy: positivePart},
		{Key: "certificate_days", Value: t.CertificateDays, OK: t.CertificateDays >= 0 && t.CertificateDays <= maxDays, Remedy: days},
		{Key: "unreachable_after", Value: t.UnreachableAfter, OK: t.UnreachableAfter >= 1, Remedy: setting.AtLeastOne},
		{Key: "silent_after", Value: t.SilentAfter, OK: t.SilentAfter >= 1, Remedy: setting.AtLeastOne},
		{Key: "event_age", Value: t.EventAge, OK: t.EventAge > 0, Remedy: setting.Positive},
		{Key: "utilization_ratio", Value: t.UtilizationRatio, OK: t.UtilizationRatio >= 0 && t.UtilizationRatio <= 1, Remedy: part},
		{Key: "utilization_margin", Value: t.UtilizationMargin, OK: t.UtilizationMargin >= 0 && t.UtilizationMargin <= t.UtilizationRatio, Remedy: "0 to utilization_ratio is allowed"},
		{Key: "error_ratio", Value: t.ErrorRatio, OK: t.ErrorRatio >= 0 && t.ErrorRatio <= 1, Remedy: part},
		{Key: "load_average", Value: t.LoadAverage, OK: t.LoadAverage >= 0, Remedy: setting.NotNegative},
		{Key: "memory_ratio", Value: t.MemoryRatio, OK: t.MemoryRatio >= 0 && t.MemoryRatio <= 1, Remedy: part},
		{Key: "swap_ratio", Value: t.SwapRatio, OK: t.SwapRatio >= 0 && t.SwapRatio <= 1, Remedy: part},
		{Key: "forecast_days", Value: t.ForecastDays, OK: t.ForecastDays >= 0 && t.ForecastDays <= maxDays, Remedy: days},
	})
}
