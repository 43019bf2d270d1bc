package alarms

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Settings are the thresholds that the configuration can change.
type Settings struct {
	BatteryMargin      float64       `yaml:"battery_margin"`       // V above the device's threshold to clear
	TemperatureMargin  float64       `yaml:"temperature_margin"`   // C below the device's threshold to clear
	SOLoginAttempts    int64         `yaml:"so_login_attempts"`    // alarm below it; 0: never
	StorageRatio       float64       `yaml:"storage_ratio"`        // alarm from it, 0 to 1
	LogDiskRatio       float64       `yaml:"log_disk_ratio"`       // alarm from it, 0 to 1
	CertificateDays    int           `yaml:"certificate_days"`     // alarm from that many days before expiry
	UnreachableAfter   int           `yaml:"unreachable_after"`    // failed attempts in a row
	SilentAfter        int           `yaml:"silent_after"`         // polls without an answer of the card
	EventAge           time.Duration `yaml:"event_age"`            // how long an event without a state stands
	UtilizationRatio   float64       `yaml:"utilization_ratio"`    // alarm from it, 0 to 1; 0: never
	UtilizationMargin  float64       `yaml:"utilization_margin"`   // below it until it is over
	IgnoredStatusCodes []int64       `yaml:"ignored_status_codes"` // of status sysstat show

	RaiseAfter     map[string]time.Duration `yaml:"raise_after"`     // by group: how long it stands before it is raised
	ClearAfter     map[string]time.Duration `yaml:"clear_after"`     // by group: how long it is over before it is cleared
	FlapCount      int                      `yaml:"flap_count"`      // beginnings in flap_window that make it flap; 0: never
	FlapWindow     time.Duration            `yaml:"flap_window"`     // and how long it must then be over
	StormAlarms    int                      `yaml:"storm_alarms"`    // new alarms in a minute that are told one by one; 0: all
	NotifyInterval time.Duration            `yaml:"notify_interval"` // between two notifications of one alarm
	DeliveryAfter  time.Duration            `yaml:"delivery_after"`  // how long a notification waits before that is an alarm
	HistoryAge     time.Duration            `yaml:"history_age"`     // how long alarms that ended are kept
	HistoryAlarms  int                      `yaml:"history_alarms"`  // and how many of them
	ForecastDays   int                      `yaml:"forecast_days"`   // a trend that leads to its limit within them is an alarm; 0: none is

	Expected map[string]Expected `yaml:"-"` // by device
}

// Calm returns what keeps alarms from coming and going.
func (s Settings) Calm() Calm {
	return Calm{s.RaiseAfter, s.ClearAfter, s.FlapCount, s.FlapWindow, s.StormAlarms}
}

// DefaultSettings are the thresholds of an empty configuration.
var DefaultSettings = Settings{
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
	FlapCount:         5,
	FlapWindow:        30 * time.Minute,
	StormAlarms:       50,
	NotifyInterval:    time.Minute,
	DeliveryAfter:     5 * time.Minute,
	HistoryAge:        90 * 24 * time.Hour,
	HistoryAlarms:     10000,
	ForecastDays:      30,
}

// maxDays is what a time.Duration holds with ease: a hundred years.
const maxDays = 36500

// Validate returns all that is wrong with s.
func (s Settings) Validate() error {
	const (
		notNegative  = "0 or more is allowed"
		positive     = "more than 0 is needed"
		atLeastOne   = "1 or more is needed"
		part         = "0 to 1 is allowed"
		positivePart = "more than 0 and at most 1 is needed"
	)
	days := fmt.Sprintf("0 to %d is allowed", maxDays)
	var errs []error
	for _, v := range []struct {
		key    string
		value  any
		ok     bool
		remedy string
	}{
		{"battery_margin", s.BatteryMargin, s.BatteryMargin >= 0, notNegative},
		{"temperature_margin", s.TemperatureMargin, s.TemperatureMargin >= 0, notNegative},
		{"so_login_attempts", s.SOLoginAttempts, s.SOLoginAttempts >= 0, notNegative},
		{"storage_ratio", s.StorageRatio, s.StorageRatio > 0 && s.StorageRatio <= 1, positivePart},
		{"log_disk_ratio", s.LogDiskRatio, s.LogDiskRatio > 0 && s.LogDiskRatio <= 1, positivePart},
		{"certificate_days", s.CertificateDays, s.CertificateDays >= 0 && s.CertificateDays <= maxDays, days},
		{"unreachable_after", s.UnreachableAfter, s.UnreachableAfter >= 1, atLeastOne},
		{"silent_after", s.SilentAfter, s.SilentAfter >= 1, atLeastOne},
		{"event_age", s.EventAge, s.EventAge > 0, positive},
		{"utilization_ratio", s.UtilizationRatio, s.UtilizationRatio >= 0 && s.UtilizationRatio <= 1, part},
		{"utilization_margin", s.UtilizationMargin, s.UtilizationMargin >= 0 && s.UtilizationMargin <= s.UtilizationRatio, "0 to utilization_ratio is allowed"},
		{"flap_count", s.FlapCount, s.FlapCount >= 0 && s.FlapCount != 1, "0, or 2 and more is allowed"},
		{"flap_window", s.FlapWindow, s.FlapWindow > 0, positive},
		{"storm_alarms", s.StormAlarms, s.StormAlarms >= 0 && s.StormAlarms <= maxStorm, fmt.Sprintf("0 to %d is allowed", maxStorm)},
		{"notify_interval", s.NotifyInterval, s.NotifyInterval >= 0, notNegative},
		{"delivery_after", s.DeliveryAfter, s.DeliveryAfter > 0, positive},
		{"history_age", s.HistoryAge, s.HistoryAge > 0, positive},
		{"history_alarms", s.HistoryAlarms, s.HistoryAlarms > 0, positive},
		{"forecast_days", s.ForecastDays, s.ForecastDays >= 0 && s.ForecastDays <= maxDays, days},
	} {
		if !v.ok {
			errs = append(errs, setting.Faultf(v.key, "%v is out of range; %s", v.value, v.remedy))
		}
	}
	return errors.Join(append(errs, setting.At("raise_after", validateDelays(s.RaiseAfter)), setting.At("clear_after", validateDelays(s.ClearAfter)))...)
}

// validateDelays returns what is wrong with times by group.
func validateDelays(byGroup map[string]time.Duration) error {
	var errs []error
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		key := setting.Key(group)
		if !slices.ContainsFunc(Groups, func(g Group) bool { return g.Name == group }) {
			errs = append(errs, setting.Faultf(key, "is no group of alarms; lunawatch alarms explain lists them"))
		}
		if d := byGroup[group]; d < 0 {
			errs = append(errs, setting.Faultf(key, "%s is negative", d))
		}
	}
	return errors.Join(errs...)
}

// A Rule judges what was polled of one device. It says nothing of what it
// cannot know. Rules are values, one file each.
type Rule struct {
	Group string
	Judge func(p Poll, say func(Opinion))
}

// A Poll is what a rule looks at.
type Poll struct {
	hsm.Device
	Now time.Time
	Settings
}

// An Opinion is a rule's word on one object.
type Opinion struct {
	Object   string
	Verdict  Verdict
	Severity Severity
	Text     string
	Measure  *Measure  // nil: it is no number
	At       time.Time // when it was asked for
	// All tells that the rule has spoken of every object there is, so that
	// alarms on others are over. Its other fields are not used.
	All bool
}

// Rules lists every rule.
var Rules = []Rule{
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

// JudgePolls returns what all rules, and the polls that end log alarms, say of
// a Snapshot.
func JudgePolls(s *hsm.Snapshot, state State, settings Settings, now time.Time) []Judgement {
	var all []Judgement
	standing := slices.Concat(sortedKeys(state.Active), sortedKeys(state.Pending))
	byDevice := make(map[string][]Key)
	for _, k := range standing {
		byDevice[k.Device] = append(byDevice[k.Device], k)
	}
	for _, d := range s.Devices {
		for _, r := range Rules {
			all = append(all, r.judge(Poll{d, now, settings}, byDevice[d.Name])...)
		}
		all = append(all, ended(d, byDevice[d.Name], now)...)
	}
	return append(all, gone(s.Devices, standing, now)...)
}

func (r Rule) judge(p Poll, standing []Key) []Judgement {
	var js []Judgement
	spoken := make(map[Key]bool)
	r.Judge(p, func(o Opinion) {
		if o.All {
			for _, k := range standing {
				if k.Device == p.Name && k.Group == r.Group && !k.Test && !spoken[k] {
					js = append(js, Judgement{Key: k, Evidence: Evidence{At: o.At, Text: "no longer there"}})
				}
			}
			return
		}
		key := Key{Device: p.Name, Group: r.Group, Object: o.Object}
		spoken[key] = true
		js = append(js, Judgement{Key: key, Verdict: o.Verdict, Severity: o.Severity, Text: o.Text,
			Evidence: Evidence{At: o.At, Text: o.Text, Measure: o.Measure}, Serial: p.Serial()})
	})
	return js
}

// ended judges Good every alarm of d's first card whose group says that it is
// over. What is polled tells nothing of other cards.
func ended(d hsm.Device, standing []Key, now time.Time) []Judgement {
	var js []Judgement
	for _, k := range standing {
		g := GroupNamed(k.Group)
		if k.Device != d.Name || k.Object != "" || k.Test || g.ClearedBy == nil {
			continue
		}
		if at := g.ClearedBy(d, now); !at.IsZero() {
			js = append(js, Judgement{Key: k, Evidence: Evidence{At: at, Text: "polled state is good again"}})
		}
	}
	return js
}

// gone judges Good every alarm of devices that are no longer watched.
func gone(watched []hsm.Device, standing []Key, now time.Time) []Judgement {
	var js []Judgement
	for _, k := range standing {
		if k.Device != Self && !slices.ContainsFunc(watched, func(d hsm.Device) bool { return d.Name == k.Device }) {
			js = append(js, Judgement{Key: k, Evidence: Evidence{At: now, Text: "no longer watched"}})
		}
	}
	return js
}

// bad and good are opinions on the device itself.
func bad(severity Severity, at time.Time, format string, args ...any) Opinion {
	return Opinion{Verdict: Bad, Severity: severity, At: at, Text: fmt.Sprintf(format, args...)}
}

func good(at time.Time, format string, args ...any) Opinion {
	return Opinion{Verdict: Good, At: at, Text: fmt.Sprintf(format, args...)}
}

func (o Opinion) on(object string) Opinion {
	o.Object = object
	return o
}

func (o Opinion) of(value, threshold float64, unit string) Opinion {
	o.Measure = &Measure{value, threshold, unit}
	return o
}
