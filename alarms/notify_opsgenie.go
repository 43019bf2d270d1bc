package alarms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// Opsgenie keeps the alarms as alerts, by its Alert API. Signs of life go to a
// heartbeat that has to exist there.
type Opsgenie struct {
	APIKeyFile    setting.File `yaml:"api_key_file"`   // of an API integration
	URL           string       `yaml:"url"`            // "": OpsgenieURL; https://api.eu.opsgenie.com for the EU
	HeartbeatName string       `yaml:"heartbeat_name"` // "": signs of life are not sent
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

// priorities: what is not known, or hidden, is not harmless.
var priorities = map[Severity]string{None: "P2", Indeterminate: "P3", Warning: "P4", Minor: "P3", Major: "P2", Critical: "P1"}

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

// Notify implements [Notifier].
func (o *Opsgenie) Notify(ctx context.Context, n Notification) error {
	key, err := o.APIKeyFile.Secret("api_key_file", 1)
	if err != nil {
		return err
	}
	for _, c := range o.calls(n) {
		body, err := json.Marshal(c.body)
		if err != nil {
			return &Rejected{err}
		}
		target := strings.TrimSuffix(cmp.Or(o.URL, OpsgenieURL), "/") + c.path
		if err := o.post(ctx, c.method, target, http.Header{"Authorization": {"GenieKey " + key}}, body); err != nil {
			return err
		}
	}
	return nil
}

// calls returns what tells Opsgenie of n. An alert that is there already takes
// no other priority from being created again, so that is set by itself.
func (o *Opsgenie) calls(n Notification) []opsCall {
	m, a := NewMessage(n), n.Change.Alarm
	path := "/v2/alerts/" + dedup(n)
	named := "?identifierType=alias"
	note := opsNote{Source: Self, Note: m.Summary}
	switch n.Change.Kind {
	case Started, Heartbeat:
		if o.HeartbeatName == "" {
			return nil
		}
		return []opsCall{{http.MethodPost, "/v2/heartbeats/" + url.PathEscape(o.HeartbeatName) + "/ping", struct{}{}}}
	case Ended:
		return []opsCall{{http.MethodPost, path + "/close" + named, note}}
	case Acknowledged:
		if a.Ack != nil {
			note.User = cut(a.Ack.By, 100)
		}
		return []opsCall{{http.MethodPost, path + "/acknowledge" + named, note}}
	case Unacknowledged:
		return []opsCall{{http.MethodPost, path + "/unacknowledge" + named, note}}
	}
	priority := cmp.Or(priorities[a.Severity], "P3")
	create := opsAlert{
		Message: cut(m.Summary, 130), Alias: dedup(n), Description: cut(m.Body(), 15000), Details: m.details(),
		Entity: cut(cmp.Or(a.Device, Self), 512), Source: Self, Priority: priority,
	}
	if m.Test {
		create.Tags = []string{"test"}
	}
	calls := []opsCall{{http.MethodPost, "/v2/alerts", create}}
	if n.Change.Kind == Updated {
		calls = append(calls, opsCall{http.MethodPut, path + "/priority" + named, opsPriority{priority}})
	}
	return calls
}
