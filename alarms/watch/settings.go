package watch

import (
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Settings are section alarms of the configuration.
type Settings struct {
	rules.Thresholds  `yaml:",inline"`
	alarms.Damping    `yaml:",inline"`
	journal.Retention `yaml:",inline"`

	NotifyInterval time.Duration   `yaml:"notify_interval" range:"0s.."`                                           // between two notifications of one alarm
	DeliveryAfter  time.Duration   `yaml:"delivery_after" range:">0s.."`                                           // how long a notification waits before that is an alarm
	BriefSeverity  alarms.Severity `yaml:"brief_severity" words:"none indeterminate warning minor major critical"` // of an alarm that clears before anybody is notified: from it on, receivers are; none: never
}

// DefaultSettings returns the settings of an empty configuration.
func DefaultSettings() Settings {
	return Settings{
		Thresholds: rules.DefaultThresholds(), Damping: alarms.DefaultDamping(), Retention: journal.DefaultRetention(),
		NotifyInterval: time.Minute, DeliveryAfter: 5 * time.Minute, BriefSeverity: alarms.Minor,
	}
}

// Validate returns all that is wrong with s.
func (s Settings) Validate() error {
	return errors.Join(s.Thresholds.Validate(), s.Damping.Validate(), setting.Limits(s), s.Retention.Validate())
}
