package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Opsgenie keeps the alarms as alerts, by its Alert API. Heartbeats go to a
// heartbeat that must exist there.
type Opsgenie struct {
	APIKeyFile    setting.File `yaml:"api_key_file"`   // of an API integration
	URL           string       `yaml:"url"`            // "": OpsgenieURL; https://api.eu.opsgenie.com for the EU
	HeartbeatName string       `yaml:"heartbeat_name"` // "": heartbeats are not sent
	HTTP          `yaml:",inline"`
}

// OpsgenieURL is where Opsgenie takes alerts outside the EU.
const OpsgenieURL = "https://api.opsgenie.com"

// Validate returns all that is wrong with o.
func (o *Opsgenie) Validate() error {
	errs := []error{o.HTTP.Validate(), setting.At("url", validateURL(cmp.Or(o.URL, OpsgenieURL))), setting.At("api_key_file", o.APIKeyFile.Validate())}
	if o.APIKeyFile == "" {
		errs = append(errs, setting.Faultf("api_key_file", "is needed"))
	}
	return errors.Join(errs...)
}

// priorities are those of the severities. What is unknown or withheld may be
// bad.
var priorities = map[alarms.Severity]string{alarms.None: "P2", alarms.Indeterminate: "P3", alarms.Warning: "P4", alarms.Minor: "P3", alarms.Major: "P2", alarms.Critical: "P1"}

// An opsCall is one request to Opsgenie.
type opsCall struct {
	method, path string
	body         any
}

type opsAlert struct {
	Message     string            `json:"message"` // 130 characters at most
	Alias       string            `json:"alias"`   // 512
	Description string            `json:"description"`
	Details     map[string]string `json:"details"`
	Entity      string            `json:"entity"` // 512
	Source      string            `json:"source"` // 100
	Priority    string            `json:"priority"`
	Tags        []string          `json:"tags,omitempty"`
}

type opsNote struct {
	Source string `json:"source"`
	User   string `json:"user,omitempty"` // 100
	Note   string `json:"note"`
}

type opsPriority struct {
	Priority string `json:"priority"`
}

// Notify implements [notify.Notifier].
func (o *Opsgenie) Notify(ctx context.Context, n alarms.Notification) error {
	key, err := o.APIKeyFile.Secret("api_key_file", 1)
	if err != nil {
		return err
	}
	for _, c := range o.calls(n) {
		body, err := json.Marshal(c.body)
		if err != nil {
			return &notify.Rejected{Err: err}
		}
		target := strings.TrimSuffix(cmp.Or(o.URL, OpsgenieURL), "/") + c.path
		if err := o.post(ctx, c.method, target, http.Header{"Authorization": {"GenieKey " + key}}, body); err != nil {
			return err
		}
	}
	return nil
}

// calls returns the requests for n. Creating an existing alert once more does
// not change its priority, so that is set by a request of its own.
func (o *Opsgenie) calls(n alarms.Notification) []opsCall {
	m, a := notify.NewMessage(n), n.Change.Alarm
	path := "/v2/alerts/" + notify.Dedup(n)
	named := "?identifierType=alias"
	note := opsNote{Source: alarms.Self, Note: m.Summary}
	switch n.Change.Kind {
	case alarms.Started, alarms.Heartbeat:
		if o.HeartbeatName == "" {
			return nil
		}
		return []opsCall{{http.MethodPost, "/v2/heartbeats/" + url.PathEscape(o.HeartbeatName) + "/ping", struct{}{}}}
	case alarms.Cleared:
		return []opsCall{{http.MethodPost, path + "/close" + named, note}}
	case alarms.Acknowledged:
		if a.Ack != nil {
			note.User = notify.Cut(a.Ack.By, 100)
		}
		return []opsCall{{http.MethodPost, path + "/acknowledge" + named, note}}
	case alarms.Unacknowledged:
		return []opsCall{{http.MethodPost, path + "/unacknowledge" + named, note}}
	default: // the alert, as it is now
	}
	priority := cmp.Or(priorities[a.Severity], "P3")
	create := opsAlert{
		Message: notify.Cut(m.Summary, 130), Alias: notify.Dedup(n), Description: notify.Cut(m.Body(), 15000), Details: m.Details(),
		Entity: notify.Cut(cmp.Or(a.Device, alarms.Self), 512), Source: alarms.Self, Priority: priority,
	}
	if m.Test {
		create.Tags = []string{"test"}
	}
	calls := []opsCall{{http.MethodPost, "/v2/alerts", create}}
	if n.Change.Kind == alarms.Updated {
		calls = append(calls, opsCall{http.MethodPut, path + "/priority" + named, opsPriority{priority}})
	}
	return calls
}
