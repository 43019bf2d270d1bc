package receivers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// ServiceNow sends each notification as an event of Event Management (em_event),
// which makes alerts of events with one message_key.
type ServiceNow struct {
	URL             string       `yaml:"url"` // of the endpoint: https://INSTANCE.service-now.com/api/global/em/jsonv2, or a MID Server's
	User            string       `yaml:"user"`
	PasswordFile    setting.File `yaml:"password_file"`     // of User
	BearerTokenFile setting.File `yaml:"bearer_token_file"` // instead of User
	HTTP            `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// Validate returns all that is wrong with s.
func (s *ServiceNow) Validate() error {
	errs := []error{s.HTTP.Validate(), s.plain("url", s.URL, s.PasswordFile, s.BearerTokenFile), setting.At("password_file", s.PasswordFile.Validate()), setting.At("bearer_token_file", s.BearerTokenFile.Validate())}
	if s.URL == "" {
		errs = append(errs, setting.Faultf("url", "is needed"))
	} else {
		errs = append(errs, setting.At("url", setting.ValidateURL(s.URL)))
	}
	if (s.User == "") != (s.PasswordFile == "") {
		errs = append(errs, errors.New("user and password_file go together"))
	}
	if (s.User == "") == (s.BearerTokenFile == "") {
		errs = append(errs, errors.New("exactly one of user and bearer_token_file is needed"))
	}
	return errors.Join(errs...)
}

// An emEvent is a record of em_event.
type emEvent struct {
	Source      string `json:"source"`
	EventClass  string `json:"event_class"`        // the instance of the source: the agent's host
	Node        string `json:"node"`               // by which a CI is found
	Resource    string `json:"resource,omitempty"` // of the node
	MetricName  string `json:"metric_name,omitempty"`
	Type        string `json:"type"`
	Severity    string `json:"severity"`    // 1 critical, 2 major, 3 minor, 4 warning, 5 OK, 0 clear
	MessageKey  string `json:"message_key"` // 1024 characters at most
	Time        string `json:"time_of_event"`
	Description string `json:"description"`     // 4000
	Info        string `json:"additional_info"` // JSON
}

// emSeverities are those of the severities. What is unknown or withheld may be bad.
var emSeverities = map[alarms.Severity]int{alarms.None: 2, alarms.Indeterminate: 3, alarms.Warning: 4, alarms.Minor: 3, alarms.Major: 2, alarms.Critical: 1}

const (
	emClear = 0
	emOK    = 5
)

// event returns the event of n.
func (s *ServiceNow) event(n alarms.Notification) (emEvent, error) {
	m, a := s.Words.Message(n), n.Change.Alarm
	severity := emSeverities[a.Severity]
	switch {
	case m.IsHeartbeat():
		severity = emOK
	case n.Change.Kind == alarms.Cleared:
		severity = emClear
	}
	node := a.Device
	if node == alarms.Self {
		node = ""
	}
	info, err := json.Marshal(m.Details())
	return emEvent{
		Source: "Lunawatch", EventClass: notify.Hostname(), Node: cmp.Or(node, notify.Hostname()), Resource: a.Object, MetricName: a.Group, Type: m.Title,
		Severity: strconv.Itoa(severity), MessageKey: notify.Dedup(n), Time: n.At.UTC().Format(time.DateTime),
		Description: notify.Cut(m.Line(), 4000), Info: string(info),
	}, err
}

// Notify implements [notify.Notifier].
func (s *ServiceNow) Notify(ctx context.Context, n alarms.Notification) error {
	return s.NotifyAll(ctx, []alarms.Notification{n})
}

// NotifyAll sends several notifications, each an event of its own, in one request.
func (s *ServiceNow) NotifyAll(ctx context.Context, list []alarms.Notification) error {
	header, err := s.header()
	if err != nil {
		return err
	}
	var all struct {
		Records []emEvent `json:"records"`
	}
	for _, n := range list {
		e, err := s.event(n)
		if err != nil {
			return &notify.Rejected{Err: err}
		}
		all.Records = append(all.Records, e)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	said, err := s.exchange(ctx, http.MethodPost, s.URL, header, body)
	if err == nil && isPage(said) {
		err = fmt.Errorf("%s answers 200 with a page for people: a login, or an instance that sleeps", where(s.URL))
	}
	return err
}

// header returns the header with the secret.
func (s *ServiceNow) header() (http.Header, error) {
	header, err := bearer(s.BearerTokenFile)
	if err != nil {
		return nil, err
	}
	if s.User != "" {
		password, err := s.PasswordFile.Secret("password_file", 1)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.User+":"+password)))
	}
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "application/json")
	return header, nil
}

// isPage reports whether an answer is HTML.
func isPage(said []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(said), []byte("<")) }
