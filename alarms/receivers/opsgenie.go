package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Opsgenie keeps the alarms as alerts, by its Alert API. Heartbeats go to a
// heartbeat that must exist there.
type Opsgenie struct {
	APIKeyFile    setting.File `yaml:"api_key_file"`                           // of an API integration
	URL           string       `yaml:"url" default:"https://api.opsgenie.com"` // "": OpsgenieURL; https://api.eu.opsgenie.com for the EU
	HeartbeatName string       `yaml:"heartbeat_name"`                         // "": heartbeats are not sent
	HTTP          `yaml:",inline"`

	Words notify.Words `yaml:"-"`

	successor bool // of Opsgenie: its documents leave out some requests
}

// OpsgenieURL is where Opsgenie takes alerts outside the EU.
const OpsgenieURL = "https://api.opsgenie.com"

// Validate returns all that is wrong with o.
func (o *Opsgenie) Validate() error {
	errs := []error{o.HTTP.Validate(), o.plain("url", o.URL, o.APIKeyFile), setting.At("url", setting.ValidateURL(cmp.Or(o.URL, OpsgenieURL))), setting.At("api_key_file", o.APIKeyFile.Validate())}
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
	// spare: without it, the alert is not as good, but there. Not every successor
	// of the API has it.
	spare bool
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

// An opsChange changes one part of an alert.
type opsChange map[string]string

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
		err = o.post(ctx, c.method, target, http.Header{"Authorization": {"GenieKey " + key}}, body)
		if err != nil && !(o.successor && c.spare && unknown(err)) {
			return err
		}
	}
	return nil
}

// named ends the path of an alert that is named by its alias.
const named = "?identifierType=alias"

// noted says in a note what changes, where the change itself may be unknown.
func (o *Opsgenie) noted(path string, note opsNote) []opsCall {
	if !o.successor {
		return nil
	}
	return []opsCall{{http.MethodPost, path + "/notes" + named, note, false}}
}

// unknown reports whether a service says that it does not have what it was asked
// for.
func unknown(err error) bool {
	a := (*answer)(nil)
	return errors.As(err, &a) && slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}, a.status)
}

// calls returns the requests for n. Creating an existing alert once more changes
// nothing of it, so what has changed is set by requests of their own, and a note
// says so where these are unknown.
func (o *Opsgenie) calls(n alarms.Notification) []opsCall {
	m, a := o.Words.Message(n), n.Change.Alarm
	path := "/v2/alerts/" + notify.Dedup(n)
	note := opsNote{Source: alarms.Self, Note: notify.Cut(m.Line(), 25000)}
	switch n.Change.Kind {
	case alarms.Started, alarms.Heartbeat:
		if o.HeartbeatName == "" {
			return nil
		}
		return []opsCall{{http.MethodPost, "/v2/heartbeats/" + url.PathEscape(o.HeartbeatName) + "/ping", struct{}{}, false}}
	case alarms.Cleared:
		return []opsCall{{http.MethodPost, path + "/close" + named, note, false}}
	case alarms.Acknowledged:
		if a.Ack != nil {
			note.User = notify.Cut(a.Ack.By, 100)
		}
		return []opsCall{{http.MethodPost, path + "/acknowledge" + named, note, false}}
	case alarms.Unacknowledged:
		return append(o.noted(path, note), opsCall{http.MethodPost, path + "/unacknowledge" + named, note, true})
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
	calls := []opsCall{{http.MethodPost, "/v2/alerts", create, false}}
	if n.Change.Kind == alarms.Updated {
		calls = slices.Concat(calls, o.noted(path, note), []opsCall{
			{http.MethodPut, path + "/message" + named, opsChange{"message": create.Message}, true},
			{http.MethodPut, path + "/description" + named, opsChange{"description": create.Description}, true},
			{http.MethodPut, path + "/priority" + named, opsChange{"priority": priority}, true},
		})
	}
	return calls
}
