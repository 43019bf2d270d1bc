package agent

import (
	"errors"
	"reflect"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Receiver is where notifications go: exactly one of its kinds is set.
type Receiver struct {
	Name   string             `yaml:"name"`
	AgentX *AgentX            `yaml:"agentx"` // through snmpd, to its own trap sinks
	SNMP   *alarms.SNMPTarget `yaml:"snmp"`

	Alertmanager *alarms.Alertmanager `yaml:"alertmanager"`
	PagerDuty    *alarms.PagerDuty    `yaml:"pagerduty"`
	Opsgenie     *alarms.Opsgenie     `yaml:"opsgenie"`
	Webhook      *alarms.Webhook      `yaml:"webhook"`
	SMTP         *alarms.SMTP         `yaml:"smtp"`
	Syslog       *alarms.Syslog       `yaml:"syslog"`
	Exec         *alarms.Exec         `yaml:"exec"`

	Route alarms.Route `yaml:",inline"`
}

// AgentX is what snmpd is to send.
type AgentX struct {
	Form alarms.Forms `yaml:"form"`
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
		{"webhook", r.Webhook}, {"smtp", r.SMTP}, {"syslog", r.Syslog}, {"exec", r.Exec},
	} {
		if !reflect.ValueOf(k.section).IsNil() {
			set = append(set, k)
		}
	}
	return set
}

// serve fills what r's only kind makes of to.
func (r Receiver) serve(to *alarms.Receiver) {
	to.Notifier = r.kinds()[0].section.(alarms.Notifier)
	to.Confirms = r.Syslog == nil
	if m := r.Alertmanager; m != nil {
		to.Refresh = max(alarms.AlertmanagerRefresh, r.Route.Policy.MinInterval)
		m.Lasts, m.LifeLasts = 5*to.Refresh, 3*max(r.Route.Heartbeat, to.Refresh)
	}
	if s := r.SMTP; s != nil {
		to.Digest, to.Together = s.Digest, s.NotifyAll
	}
}

// Validate returns all that is wrong with r by itself.
func (r Receiver) Validate() error {
	var errs []error
	if r.Name == "" {
		errs = append(errs, setting.Faultf("name", "is needed"))
	}
	set := r.kinds()
	if len(set) != 1 {
		errs = append(errs, errors.New("exactly one of agentx, snmp, alertmanager, pagerduty, opsgenie, webhook, smtp, syslog and exec is needed"))
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
	if r.Route.Heartbeat > 0 && (r.PagerDuty != nil || r.Opsgenie != nil && r.Opsgenie.HeartbeatName == "") {
		errs = append(errs, setting.Faultf("heartbeat", "PagerDuty takes none, and Opsgenie needs heartbeat_name"))
	}
	return errors.Join(append(errs, r.Route.Validate())...)
}

// complete fills what is not set in.
func (r *Receiver) complete() {
	if r.SNMP != nil && r.SNMP.Address != "" {
		r.SNMP.Address = withPort(r.SNMP.Address, "162")
	}
	if r.Syslog != nil && r.Syslog.Address != "" {
		r.Syslog.Address = withPort(r.Syslog.Address, alarms.SyslogPorts[r.Syslog.Network])
	}
	if r.SMTP != nil && r.SMTP.Address != "" {
		r.SMTP.Address = withPort(r.SMTP.Address, alarms.SMTPPorts[r.SMTP.Security])
	}
}
