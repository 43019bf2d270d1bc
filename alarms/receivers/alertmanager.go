// Package receivers delivers notifications to services: Alertmanager,
// PagerDuty, Opsgenie, webhooks, mail, syslog and programs. It knows nothing of
// queues, retries or routes.
package receivers

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Alertmanager keeps the alarms as alerts of Prometheus Alertmanager, API v2.
//
// It forgets an alert that is not sent again, so active alarms are sent at
// every refresh, each time with an end a few refreshes ahead.
//
// Labels identify an alert: service (luna), alertname (the group), device, object, test, and
// severity, since routes and inhibition see labels only. A severity only grows
// while an alarm is active; with each step the alerts of the milder ones are
// sent as resolved, and should that be lost, they end by themselves. All else
// that varies (codes, text) is in annotations.
type Alertmanager struct {
	URLs            []string     `yaml:"urls"` // of every peer of the cluster
	User            string       `yaml:"user"`
	PasswordFile    setting.File `yaml:"password_file"`
	BearerTokenFile setting.File `yaml:"bearer_token_file"`
	GeneratorURL    string       `yaml:"generator_url"` // where people find more; "": nowhere
	HTTP            `yaml:",inline"`

	Words notify.Words `yaml:"-"`

	Lasts          time.Duration `yaml:"-"` // an alert that is not sent again; 0: 5 AlertmanagerRefresh
	HeartbeatLasts time.Duration `yaml:"-"` // a heartbeat
}

// AlertmanagerRefresh is how often active alarms are sent again.
const AlertmanagerRefresh = time.Minute

// Validate returns all that is wrong with m.
func (m *Alertmanager) Validate() error {
	errs := []error{m.HTTP.Validate(), setting.At("password_file", m.PasswordFile.Validate()), setting.At("bearer_token_file", m.BearerTokenFile.Validate())}
	if len(m.URLs) == 0 {
		errs = append(errs, setting.Faultf("urls", "is needed"))
	}
	for i, u := range m.URLs {
		key := fmt.Sprintf("urls[%d]", i)
		errs = append(errs, setting.At(key, setting.ValidateURL(u)), m.plain(key, u, m.PasswordFile, m.BearerTokenFile))
	}
	if (m.User == "") != (m.PasswordFile == "") {
		errs = append(errs, errors.New("user and password_file go together"))
	}
	if m.User != "" && m.BearerTokenFile != "" {
		errs = append(errs, errors.New("user and bearer_token_file exclude each other"))
	}
	return errors.Join(errs...)
}

// An alert is one of API v2, as its OpenAPI document describes it.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// A Peer is one instance of a cluster. Peers that have lost each other do not
// pass alerts on, and one that hangs must not delay the others: each is a
// receiver of its own.
type Peer struct {
	*Alertmanager
	url string
}

// Peers returns every peer.
func (m *Alertmanager) Peers() (peers []Peer) {
	for _, u := range m.URLs {
		peers = append(peers, Peer{m, u})
	}
	return peers
}

// Notify implements [notify.Notifier].
func (p Peer) Notify(ctx context.Context, n alarms.Notification) error {
	return p.NotifyAll(ctx, []alarms.Notification{n})
}

// NotifyAll sends all in one request.
func (p Peer) NotifyAll(ctx context.Context, list []alarms.Notification) error {
	now, all := time.Now(), []alert(nil)
	for _, n := range list {
		all = append(all, p.alerts(n, now)...)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	header, err := p.header()
	if err != nil {
		return err
	}
	return p.post(ctx, http.MethodPost, strings.TrimSuffix(p.url, "/")+"/api/v2/alerts", header, body)
}

func (m *Alertmanager) header() (http.Header, error) {
	if m.User == "" {
		return bearer(m.BearerTokenFile)
	}
	password, err := m.PasswordFile.Secret("password_file", 1)
	if err != nil {
		return nil, err
	}
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(m.User+":"+password))}}, nil
}

// service is a label of every alert, for routes and inhibition.
const service = "luna"

// asNew returns n without what a refresh repeats: its words stay as they were.
func asNew(n alarms.Notification) alarms.Notification {
	if n.Change.Kind == alarms.Repeated {
		n.Change.Kind = alarms.Raised
		if n.Change.Alarm.Ack != nil {
			n.Change.Kind = alarms.Acknowledged
		}
	}
	return n
}

// alerts returns n as alerts: its own, and those that it supersedes.
func (m *Alertmanager) alerts(n alarms.Notification, now time.Time) []alert {
	message, a := m.Words.Message(asNew(n)), n.Change.Alarm
	one := alert{
		Labels: map[string]string{"service": service, "alertname": a.Group, "device": a.Device, "object": a.Object},
		Annotations: map[string]string{"summary": message.Summary, "description": a.Text, "action": message.Details()["action"], "codes": strings.Join(a.Codes, " "), "label": n.Label, "address": n.Address,
			"acknowledge": message.Acknowledge, "ended_by": message.EndedBy, "runbook_url": message.Runbook, "link": message.Link},
		StartsAt:     a.Since(),
		EndsAt:       now.Add(cmp.Or(m.Lasts, 5*AlertmanagerRefresh)),
		GeneratorURL: m.GeneratorURL,
	}
	switch {
	case n.IsHeartbeat():
		one.Labels = map[string]string{"service": service, "alertname": "Lunawatch", "severity": "none"}
		one.StartsAt = n.At
		one.EndsAt = now.Add(cmp.Or(m.HeartbeatLasts, 15*time.Minute))
	case n.Change.Kind == alarms.Cleared:
		one.Annotations["description"] = message.Ending()
		one.EndsAt = alarms.Later(cmp.Or(a.Cleared, now), a.Raised)
	}
	if n.IsHeartbeat() || a.Device == alarms.Self {
		one.Labels["agent"] = notify.Hostname()
	}
	if a.Test {
		one.Labels["test"] = "true"
	}
	isEmpty := func(_, value string) bool { return value == "" }
	maps.DeleteFunc(one.Labels, isEmpty)
	maps.DeleteFunc(one.Annotations, isEmpty)
	if a.Severity != alarms.None {
		one.Labels["severity"] = a.Severity.String()
	}
	list := []alert{one}
	for milder := alarms.Indeterminate; milder < a.Severity && n.Change.Kind == alarms.Updated; milder++ {
		old := one
		old.Annotations = map[string]string{"summary": fmt.Sprintf("REPLACED %s; it is %s now", message.Subject(), a.Severity)}
		old.Labels, old.EndsAt = maps.Clone(one.Labels), alarms.Later(now, a.Raised)
		old.Labels["severity"] = milder.String()
		list = append(list, old)
	}
	return list
}
