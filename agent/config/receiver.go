package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/alarms/receivers"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Receiver is where notifications go: exactly one of its kinds is set.
type Receiver struct {
	Name   string       `yaml:"name"`
	AgentX *AgentX      `yaml:"agentx"` // through snmpd, to its own trap sinks
	SNMP   *snmp.Target `yaml:"snmp"`

	Alertmanager *receivers.Alertmanager `yaml:"alertmanager"`
	PagerDuty    *receivers.PagerDuty    `yaml:"pagerduty"`
	Opsgenie     *receivers.Opsgenie     `yaml:"opsgenie"`
	JSM          *receivers.JSM          `yaml:"jsm"`
	Chat         *receivers.Chat         `yaml:"chat"`
	ServiceNow   *receivers.ServiceNow   `yaml:"servicenow"`
	Splunk       *receivers.Splunk       `yaml:"splunk"`
	Webhook      *receivers.Webhook      `yaml:"webhook"`
	SMTP         *receivers.SMTP         `yaml:"smtp"`
	Syslog       *receivers.Syslog       `yaml:"syslog"`
	Exec         *receivers.Exec         `yaml:"exec"`
	OTLP         *receivers.OTLP         `yaml:"otlp"`

	Route notify.Route `yaml:",inline"`
}

// AgentX is what snmpd has to send.
type AgentX struct {
	Form snmp.Forms `yaml:"form" names:"vendor lunawatch alarm-mib" default:"vendor"`
}

// Validate returns all that is wrong with a.
func (a AgentX) Validate() error { return setting.At("form", a.Form.Validate()) }

// A kind is one kind of receiver, by its key.
type kind struct {
	key     string
	section interface{ Validate() error }
}

// kinds returns the kinds of r that are set.
func (r Receiver) kinds() (set []kind) {
	for _, k := range []kind{
		{"agentx", r.AgentX}, {"snmp", r.SNMP}, {"alertmanager", r.Alertmanager}, {"pagerduty", r.PagerDuty}, {"opsgenie", r.Opsgenie},
		{"jsm", r.JSM}, {"chat", r.Chat}, {"servicenow", r.ServiceNow}, {"splunk", r.Splunk}, {"webhook", r.Webhook}, {"smtp", r.SMTP}, {"syslog", r.Syslog}, {"exec", r.Exec}, {"otlp", r.OTLP},
	} {
		if !reflect.ValueOf(k.section).IsNil() {
			set = append(set, k)
		}
	}
	return set
}

// Kind returns the key of r's kind, such as smtp.
func (r Receiver) Kind() string { return r.kinds()[0].key }

// Doors returns the places that notifications of r are sent to, if it connects to any
// itself: not that of snmpd, of an SNMP manager or of a program.
func (r Receiver) Doors() []receivers.Door {
	if to, ok := r.kinds()[0].section.(interface{ Doors() []receivers.Door }); ok {
		return to.Doors()
	}
	return nil
}

// Serve returns the receivers that r describes, by name: one, but for each
// further peer of an Alertmanager another, NAME#2 and so on.
func (r Receiver) Serve() map[string]notify.Receiver {
	to := notify.Receiver{Route: r.Route, Confirms: r.Syslog == nil}
	if m := r.Alertmanager; m != nil {
		to.Refresh = max(receivers.AlertmanagerRefresh, r.Route.Policy.MinInterval)
		m.Lasts, m.HeartbeatLasts = 5*to.Refresh, 3*max(r.Route.Heartbeat, to.Refresh)
		all := make(map[string]notify.Receiver)
		for i, peer := range m.Peers() {
			to.Notifier, to.Together = peer, peer.NotifyAll
			all[r.peerName(i)] = to
		}
		return all
	}
	to.Notifier = r.kinds()[0].section.(notify.Notifier)
	switch {
	case r.SMTP != nil:
		to.Digest, to.Together = r.SMTP.Digest, r.SMTP.NotifyAll
	case r.ServiceNow != nil:
		to.Together = r.ServiceNow.NotifyAll
	case r.Splunk != nil:
		to.Together = r.Splunk.NotifyAll
	case r.Chat != nil, r.Webhook != nil, r.Exec != nil:
		to.Together = notify.AsOne(to.Notifier)
	}
	return map[string]notify.Receiver{r.Name: to}
}

// peerName returns the name of a peer of an Alertmanager.
func (r Receiver) peerName(i int) string {
	if i == 0 {
		return r.Name
	}
	return fmt.Sprintf("%s#%d", r.Name, i+1)
}

// Validate returns all that is wrong with r, other receivers aside.
func (r Receiver) Validate() error {
	var errs []error
	if r.Name == "" {
		errs = append(errs, setting.Faultf("name", "is needed"))
	}
	if strings.Contains(r.Name, "#") {
		errs = append(errs, setting.Faultf("name", "%q holds a #, which numbers the peers of an Alertmanager", r.Name))
	}
	set := r.kinds()
	if len(set) != 1 {
		errs = append(errs, errors.New("exactly one of agentx, snmp, alertmanager, pagerduty, opsgenie, jsm, chat, servicenow, splunk, webhook, smtp, syslog, exec and otlp is needed"))
	}
	for _, s := range set {
		errs = append(errs, setting.At(s.key, s.section.Validate()))
	}
	if r.AgentX != nil {
		errs = append(errs, setting.At("agentx.form", r.AgentX.Form.Fits(r.Route)))
	}
	if r.SNMP != nil {
		errs = append(errs, setting.At("snmp.form", r.SNMP.Form.Fits(r.Route)))
	}
	if r.Route.Heartbeat > 0 && (r.PagerDuty != nil || r.Opsgenie != nil && r.Opsgenie.HeartbeatName == "" || r.JSM != nil && r.JSM.Ping.Name == "") {
		errs = append(errs, setting.Faultf("heartbeat", "PagerDuty takes none, Opsgenie needs heartbeat_name, and jsm needs ping"))
	}
	return errors.Join(append(errs, r.Route.Validate())...)
}

// words returns what the notifications of r say of the site; nil: they are no
// text.
func (r Receiver) words() *notify.Words {
	switch {
	case r.Alertmanager != nil:
		return &r.Alertmanager.Words
	case r.PagerDuty != nil:
		return &r.PagerDuty.Words
	case r.Opsgenie != nil:
		return &r.Opsgenie.Words
	case r.JSM != nil:
		return &r.JSM.Words
	case r.Chat != nil:
		return &r.Chat.Words
	case r.ServiceNow != nil:
		return &r.ServiceNow.Words
	case r.Splunk != nil:
		return &r.Splunk.Words
	case r.Webhook != nil:
		return &r.Webhook.Words
	case r.SMTP != nil:
		return &r.SMTP.Words
	case r.Syslog != nil:
		return &r.Syslog.Words
	case r.Exec != nil:
		return &r.Exec.Words
	case r.OTLP != nil:
		return &r.OTLP.Words
	}
	return nil
}

// complete fills in what is not set.
func (r *Receiver) complete(w notify.Words) {
	if words := r.words(); words != nil {
		*words = w
	}
	if r.Alertmanager != nil {
		r.Alertmanager.GeneratorURL = cmp.Or(r.Alertmanager.GeneratorURL, w.ExternalURL)
	}
	if r.SNMP != nil && r.SNMP.Address != "" {
		r.SNMP.Address = withPort(r.SNMP.Address, "162")
	}
	if r.Syslog != nil && r.Syslog.Address != "" {
		r.Syslog.Address = withPort(r.Syslog.Address, r.Syslog.Port())
	}
	if r.SMTP != nil && r.SMTP.Address != "" {
		r.SMTP.Address = withPort(r.SMTP.Address, r.SMTP.Port())
	}
}
