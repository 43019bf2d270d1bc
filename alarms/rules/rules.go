package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
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
	IgnoredStatusCodes []int64       `yaml:"ignored_status_codes"` // of status sysstat show
	ForecastDays       int           `yaml:"forecast_days"`        // a trend that leads to its limit within them is an alarm; 0: none is

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
		ForecastDays:      30,
	}
}

// maxDays is what a time.Duration holds with ease: a hundred years.
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
		{Key: "forecast_days", Value: t.ForecastDays, OK: t.ForecastDays >= 0 && t.ForecastDays <= maxDays, Remedy: days},
	})
}

// A Rule judges what was polled of one device. It says nothing of what it
// cannot know. Rules are values, one file each.
type Rule struct {
	Group    string
	Evaluate func(p Poll, say func(Result))
}

// A Poll is what a rule looks at.
type Poll struct {
	hsm.Device
	Now time.Time
	Thresholds
}

// An Result is a rule's word on one object.
type Result struct {
	Object    string
	Condition alarms.Condition
	Severity  alarms.Severity
	Text      string
	Measure   *alarms.Measure // nil: it is no number
	At        time.Time       // when it was asked for
	// All tells that the rule has spoken of every object there is, so that
	// alarms on others are over. Its other fields are not used.
	All bool
}

// rules lists every rule.
var rules = []Rule{
	battery,
	temperature,
	cardFans,
	hsmStatus,
	tampered,
	zeroized,
	secureTransport,
	soLogin,
	hsmStorage,
	hsmUtilization,
	partitionStorage,
	ntlsDown,
	certificate,
	logDisk,
	auditDisk,
	diskHealth,
	systemStatus,
	services,
	applianceFans,
	powerSupplies,
	motherboard,
	inventory,
	inventoryPartitions,
	inventoryMembers,
	unreachable,
	silent,
	hostFilesystems,
	haMember,
	haExhausted,
	haRedundancy,
	haStandby,
	haOffline,
	haRecoveryDisabled,
	haUnasked,
	clientCertificate,
	disagree,
	sourceFailing,
	stale,
}

// EvaluateSnapshot returns what all rules, and the polls that end log alarms, say of
// a Snapshot.
func EvaluateSnapshot(s *hsm.Snapshot, state alarms.State, limits Thresholds, now time.Time) []alarms.Finding {
	var all []alarms.Finding
	standing := slices.Concat(alarms.SortedKeys(state.Active), alarms.SortedKeys(state.Pending))
	byDevice := make(map[string][]alarms.Key)
	for _, k := range standing {
		byDevice[k.Device] = append(byDevice[k.Device], k)
	}
	for _, d := range s.Devices {
		for _, r := range rules {
			all = append(all, r.findings(Poll{d, now, limits}, byDevice[d.Name])...)
		}
		all = append(all, clearedByPolls(d, byDevice[d.Name], now)...)
	}
	return append(all, unwatched(s.Devices, standing, now)...)
}

func (r Rule) findings(p Poll, standing []alarms.Key) []alarms.Finding {
	var js []alarms.Finding
	spoken := make(map[alarms.Key]bool)
	r.Evaluate(p, func(o Result) {
		if o.All {
			for _, k := range standing {
				if k.Device == p.Name && k.Group == r.Group && !k.Test && !spoken[k] {
					js = append(js, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: o.At, Text: "no longer there"}})
				}
			}
			return
		}
		key := alarms.Key{Device: p.Name, Group: r.Group, Object: o.Object}
		spoken[key] = true
		js = append(js, alarms.Finding{Key: key, Condition: o.Condition, Severity: o.Severity, Text: o.Text,
			Evidence: alarms.Evidence{At: o.At, Text: o.Text, Measure: o.Measure}, Serial: p.Serial()})
	})
	return js
}

// clearedByPolls judges Good every alarm of d's first card whose group says that it is
// over. What is polled tells nothing of other cards.
func clearedByPolls(d hsm.Device, standing []alarms.Key, now time.Time) []alarms.Finding {
	var js []alarms.Finding
	for _, k := range standing {
		g := alarms.GroupNamed(k.Group)
		if k.Device != d.Name || k.Object != "" || k.Test || g.ClearedBy.Since == nil {
			continue
		}
		if at := g.ClearedBy.Since(d, now); !at.IsZero() {
			js = append(js, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: at, Text: "polled state is good again"}})
		}
	}
	return js
}

// unwatched judges Good every alarm of devices that are no longer watched.
func unwatched(watched []hsm.Device, standing []alarms.Key, now time.Time) []alarms.Finding {
	var js []alarms.Finding
	for _, k := range standing {
		if k.Device != alarms.Self && !slices.ContainsFunc(watched, func(d hsm.Device) bool { return d.Name == k.Device }) {
			js = append(js, alarms.Finding{Key: k, Evidence: alarms.Evidence{At: now, Text: "no longer watched"}})
		}
	}
	return js
}

// bad and good are opinions on the device itself.
func bad(severity alarms.Severity, at time.Time, format string, args ...any) Result {
	return Result{Condition: alarms.Bad, Severity: severity, At: at, Text: fmt.Sprintf(format, args...)}
}

func good(at time.Time, format string, args ...any) Result {
	return Result{Condition: alarms.Good, At: at, Text: fmt.Sprintf(format, args...)}
}

func (o Result) on(object string) Result {
	o.Object = object
	return o
}

func (o Result) of(value, threshold float64, unit string) Result {
	o.Measure = &alarms.Measure{Value: value, Threshold: threshold, Unit: unit}
	return o
}
