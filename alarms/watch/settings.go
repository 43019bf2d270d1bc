package watch

import (
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Setup is what an operator configures, and can change while a [Watch] runs.
type Setup struct {
	Settings  Settings
	Receivers map[string]notify.Receiver
	Addresses map[string]string          // by device
	Parent    func(device string) string // what a device depends on; "": nothing; nil: no device does
}

func (w *Watch) setup() *Setup { return w.current.Load() }

// Configure replaces the setup of an open Watch. Queues and sequence numbers of
// receivers are kept; those of changed are connected to again. Every device is
// evaluated again, and alarms of devices that are no longer in the Store clear.
func (w *Watch) Configure(s Setup, changed []string) {
	w.current.Store(&s)
	w.mu.Lock()
	w.anew = true
	w.knowReceivers()
	w.mu.Unlock()
	w.sender.Configure(s.Receivers, changed)
	w.evaluateNow()
}

// knowReceivers has what receivers are notified of remembered. w.mu is held, or the
// Watch does not run yet.
func (w *Watch) knowReceivers() {
	for name := range w.setup().Receivers {
		if w.state.Notified[name] == nil {
			w.state.Notified[name] = make(map[alarms.Key]alarms.Notified)
		}
	}
}

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
