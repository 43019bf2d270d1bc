package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// A service is a kind of receiver that is nothing but its keys.
type service interface {
	alarms.Notifier
	Problem() error
}

// services returns the kinds of r that are set, without those of SNMP.
func (r Receiver) services() (set []service) {
	for _, s := range []service{r.Alertmanager, r.PagerDuty, r.Opsgenie, r.Webhook, r.SMTP, r.Syslog, r.Exec} {
		if !reflect.ValueOf(s).IsNil() {
			set = append(set, s)
		}
	}
	return set
}

// serve fills what r's only kind makes of to.
func (r Receiver) serve(to *alarms.Receiver) {
	to.Notifier = r.services()[0]
	to.Confirms = r.Syslog == nil
	if m := r.Alertmanager; m != nil {
		to.Refresh = max(alarms.AlertmanagerRefresh, r.Route.Policy.MinInterval)
		m.Lasts, m.LifeLasts = 5*to.Refresh, 3*max(r.Route.Heartbeat, to.Refresh)
	}
	if s := r.SMTP; s != nil {
		to.Digest, to.Together = s.Digest, s.NotifyAll
	}
}

func (r Receiver) serviceProblems() (problems []string) {
	set := r.services()
	kinds := len(set)
	for _, there := range []bool{r.AgentX != nil, r.SNMP != nil} {
		if there {
			kinds++
		}
	}
	if kinds != 1 {
		problems = append(problems, "exactly one of agentx, snmp, alertmanager, pagerduty, opsgenie, webhook, smtp, syslog and exec is needed")
	}
	for _, s := range set {
		if err := s.Problem(); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if r.Route.Heartbeat > 0 && (r.PagerDuty != nil || r.Opsgenie != nil && r.Opsgenie.HeartbeatName == "") {
		problems = append(problems, "heartbeat: PagerDuty takes none, and Opsgenie needs heartbeat_name")
	}
	eachFile(reflect.ValueOf(r), func(key string, file reflect.Value) {
		if strings.HasPrefix(file.String(), credential) {
			problems = append(problems, fmt.Sprintf("%s: %s needs systemd's LoadCredential; CREDENTIALS_DIRECTORY is not set", key, file))
		}
	})
	return problems
}

// complete fills what is not set in.
func (r *Receiver) complete() {
	if r.SNMP != nil {
		r.SNMP.Address = withPort(r.SNMP.Address, "162")
	}
	if r.Syslog != nil && r.Syslog.Address != "" {
		r.Syslog.Address = withPort(r.Syslog.Address, alarms.SyslogPorts[r.Syslog.Network])
	}
	if r.SMTP != nil && r.SMTP.Address != "" {
		r.SMTP.Address = withPort(r.SMTP.Address, alarms.SMTPPorts[r.SMTP.Security])
	}
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	eachFile(reflect.ValueOf(r), func(_ string, file reflect.Value) {
		if name, ok := strings.CutPrefix(file.String(), credential); ok && directory != "" {
			file.SetString(filepath.Join(directory, name))
		}
	})
}

// credential begins a file's name that is a credential of systemd.
const credential = "credential:"

// eachFile calls do with every value under a key that names a file.
func eachFile(v reflect.Value, do func(key string, file reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachFile(v.Elem(), do)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			key := v.Type().Field(i).Tag.Get("yaml")
			switch f := v.Field(i); {
			case f.Kind() == reflect.String && strings.HasSuffix(key, "_file"):
				do(key, f)
			case key != "" && key != "-":
				eachFile(f, do)
			}
		}
	}
}
