package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// PagerDuty keeps the alarms as incidents, by Events API v2. Heartbeats are not
// sent: the API has none.
type PagerDuty struct {
	RoutingKeyFile setting.File `yaml:"routing_key_file"`                                      // of the service's integration
	URL            string       `yaml:"url" default:"https://events.pagerduty.com/v2/enqueue"` // "": PagerDutyURL
	Changes        bool         `yaml:"changes"`                                               // what says that something was changed is a change event
	HTTP           `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// PagerDutyURL takes events of PagerDuty's service region US; those of the EU
// go to events.eu.pagerduty.com.
const PagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// Validate returns all that is wrong with p.
func (p *PagerDuty) Validate() error {
	errs := []error{p.HTTP.Validate(), p.plain("url", p.URL, p.RoutingKeyFile), setting.At("url", setting.ValidateURL(cmp.Or(p.URL, PagerDutyURL))), setting.At("routing_key_file", p.RoutingKeyFile.Validate())}
	if p.RoutingKeyFile == "" {
		errs = append(errs, setting.Faultf("routing_key_file", "is needed"))
	}
	return errors.Join(errs...)
}

// A pagerEvent is an event of Events API v2.
type pagerEvent struct {
	RoutingKey string       `json:"routing_key"`
	Action     string       `json:"event_action"` // trigger, acknowledge, resolve
	DedupKey   string       `json:"dedup_key"`    // 255 characters at most
	Client     string       `json:"client"`
	ClientURL  string       `json:"client_url,omitempty"`
	Links      []pagerLink  `json:"links,omitempty"`
	Payload    pagerPayload `json:"payload"`
}

type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

type pagerPayload struct {
	Summary   string            `json:"summary"` // 1024 characters at most
	Source    string            `json:"source"`
	Severity  string            `json:"severity"` // critical, error, warning, info
	Timestamp time.Time         `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

// pagerActions are the actions other than trigger. An acknowledgement cannot be
// withdrawn there: the incident gets another entry.
var pagerActions = map[alarms.Kind]string{alarms.Acknowledged: "acknowledge", alarms.Cleared: "resolve"}

// pagerSeverities are those of the severities. What is unknown or withheld may
// be bad.
var pagerSeverities = map[alarms.Severity]string{alarms.None: "error", alarms.Indeterminate: "error", alarms.Warning: "warning", alarms.Minor: "warning", alarms.Major: "error", alarms.Critical: "critical"}

// Notify implements [notify.Notifier].
func (p *PagerDuty) Notify(ctx context.Context, n alarms.Notification) error {
	if n.IsHeartbeat() {
		return nil
	}
	key, err := p.RoutingKeyFile.Secret("routing_key_file", 1)
	if err != nil {
		return err
	}
	target := cmp.Or(p.URL, PagerDutyURL)
	change := p.Changes && isPagerChange(n)
	if !change || n.Change.Alarm.Severity == alarms.Critical || n.Change.Kind == alarms.Cleared {
		if err := p.enqueue(ctx, target, p.event(key, n)); err != nil {
			return err
		}
	}
	if change && slices.Contains([]alarms.Kind{alarms.Raised, alarms.RaisedAndCleared}, n.Change.Kind) {
		return p.enqueue(ctx, strings.TrimSuffix(target, "/enqueue")+"/change/enqueue", p.change(key, n))
	}
	return nil
}

func (p *PagerDuty) enqueue(ctx context.Context, target string, event any) error {
	body, err := json.Marshal(event)
	if err != nil {
		return &notify.Rejected{Err: err}
	}
	return p.post(ctx, http.MethodPost, target, nil, body)
}

func (p *PagerDuty) event(key string, n alarms.Notification) pagerEvent {
	m, a := p.Words.Message(n), n.Change.Alarm
	return pagerEvent{
		RoutingKey: key, Action: cmp.Or(pagerActions[n.Change.Kind], "trigger"), DedupKey: notify.Dedup(n), Client: "Lunawatch", ClientURL: m.Link, Links: pagerLinks(m),
		Payload: pagerPayload{
			Summary: notify.Cut(m.Summary, 1024), Source: cmp.Or(a.Device, alarms.Self), Severity: cmp.Or(pagerSeverities[a.Severity], "error"),
			Timestamp: n.At, Component: a.Object, Group: a.Device, Class: a.Group, Details: m.Details(),
		},
	}
}

// pagerLinks returns where people find more.
func pagerLinks(m notify.Message) (links []pagerLink) {
	for _, l := range []pagerLink{{m.Runbook, "Runbook"}, {m.Link, "Status page"}} {
		if l.Href != "" {
			links = append(links, l)
		}
	}
	return links
}
