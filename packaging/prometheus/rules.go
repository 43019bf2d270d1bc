// Package prometheus holds rules for Prometheus as tables. Its test writes them as
// files, which the packages install.
package prometheus

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/alarms"
)

// A severity is where a page goes: critical wakes somebody, warning waits for the
// morning, none is for a dead man's switch.
type severity string

const (
	critical severity = "critical"
	warning  severity = "warning"
	none     severity = "none"
)

// An alert is one alert rule. What its description says is what the table of groups
// says of its alarm; one without an alarm says it itself.
type alert struct {
	name     string
	alarm    string // name of a group; "": says does
	severity severity
	wait     string // how long it must hold before it fires; "": not at all
	expr     string
	summary  string
	says     string
}

// A record is one recording rule.
type record struct{ name, expr string }

// A rule is a rule as Prometheus reads it.
type rule struct {
	Record      string      `yaml:"record,omitempty"`
	Alert       string      `yaml:"alert,omitempty"`
	Expr        string      `yaml:"expr"`
	For         string      `yaml:"for,omitempty"`
	Labels      labels      `yaml:"labels,omitempty"`
	Annotations annotations `yaml:"annotations,omitempty"`
}

type labels struct {
	Severity severity `yaml:"severity,omitempty"`
	Alarm    string   `yaml:"alarm,omitempty"`
}

type annotations struct {
	Summary     string `yaml:"summary,omitempty"`
	Description string `yaml:"description,omitempty"`
	RunbookURL  string `yaml:"runbook_url,omitempty"`
}

type group struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type file struct {
	Groups []group `yaml:"groups"`
}

// troubleshooting is where people read on about what has no alarm: the agent may be
// dead, so that its own pages are not there.
const troubleshooting = "https://github.com/lunawatch/lunawatch/blob/main/docs/troubleshooting.md"

// rule returns a as Prometheus reads it.
func (a alert) rule() rule {
	r := rule{Alert: a.name, Expr: a.expr, For: a.wait, Labels: labels{a.severity, a.alarm},
		Annotations: annotations{a.summary, a.says, troubleshooting}}
	if a.alarm != "" {
		r.Annotations.Description = describe(a.alarm)
		r.Annotations.RunbookURL = "http://{{ $labels.instance }}/runbooks/" + a.alarm
	}
	return r
}

// describe says what an alarm means and what to do.
func describe(name string) string {
	g := alarms.GroupNamed(name)
	means := g.Means
	for _, c := range alarms.Catalogue() {
		if means == "" && c.Group == name && c.Kind != alarms.Clear {
			means = c.Why
		}
	}
	return strings.TrimSpace(means + " " + g.Action)
}

// ofMetrics returns the rules that judge the metrics by themselves.
func ofMetrics() file {
	recorded := group{Name: "lunawatch-records"}
	for _, r := range records {
		recorded.Rules = append(recorded.Rules, rule{Record: r.name, Expr: r.expr})
	}
	all := file{[]group{recorded}}
	for _, of := range []struct {
		name   string
		alerts []alert
	}{{"lunawatch-agent", agentAlerts}, {"lunawatch-data", dataAlerts}, {"lunawatch-hsm", hsmAlerts}, {"lunawatch-appliance", applianceAlerts}, {"lunawatch-ha", haAlerts}} {
		g := group{Name: of.name}
		for _, a := range of.alerts {
			g.Rules = append(g.Rules, a.rule())
		}
		all.Groups = append(all.Groups, g)
	}
	return all
}

// ofAlarms returns the rules that pass on the alarms of the agent, for a site whose
// Alertmanager is no receiver.
func ofAlarms() file {
	g := group{Name: "lunawatch-alarms"}
	for _, x := range []struct {
		name string
		severity
		of string
	}{{"LunaAlarmCritical", critical, "critical|major"}, {"LunaAlarmWarning", warning, "minor|warning|indeterminate"}} {
		g.Rules = append(g.Rules, rule{Alert: x.name, Labels: labels{Severity: x.severity},
			Expr: fmt.Sprintf(`luna_alarm_active{severity=~"%s",test="false"} unless on (device, group, object, instance, job) (luna_alarm_suppressed == 1 or luna_alarm_silenced == 1)`, x.of),
			Annotations: annotations{"{{ $labels.device }}: {{ $labels.group }} {{ $labels.object }}",
				"The agent has an active alarm of this kind ({{ $labels.severity }}). lunawatch alarms show {{ $labels.device }}/{{ $labels.group }} has its evidence.",
				"http://{{ $labels.instance }}/runbooks/{{ $labels.group }}"}})
	}
	return file{[]group{g}}
}

// text returns a file as YAML.
func (f file) text() ([]byte, error) {
	rules, err := yaml.MarshalWithOptions(f, yaml.IndentSequence(true))
	return append([]byte("# go test ./packaging/prometheus -update writes this file; do not edit it.\n"), rules...), err
}
