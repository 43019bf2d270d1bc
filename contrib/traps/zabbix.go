package traps

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
)

// zabbixHead is where Zabbix's trapper sees that a trap begins, and the address by which
// it finds the host.
const zabbixHead = "ZBXTRAP $aA "

// templateName is that of the template in Zabbix.
const templateName = "Lunawatch traps"

type (
	tag struct {
		Tag   string `yaml:"tag"`
		Value string `yaml:"value"`
	}
	trigger struct {
		UUID           string `yaml:"uuid"`
		Expression     string `yaml:"expression"`
		RecoveryMode   string `yaml:"recovery_mode,omitempty"`
		Recovery       string `yaml:"recovery_expression,omitempty"`
		Correlation    string `yaml:"correlation_mode,omitempty"`
		CorrelationTag string `yaml:"correlation_tag,omitempty"`
		Name           string `yaml:"name"`
		EventName      string `yaml:"event_name,omitempty"`
		Priority       string `yaml:"priority"`
		Type           string `yaml:"type,omitempty"`
		ManualClose    string `yaml:"manual_close,omitempty"`
		Tags           []tag  `yaml:"tags,omitempty"`
	}
	item struct {
		UUID      string    `yaml:"uuid"`
		Name      string    `yaml:"name"`
		Type      string    `yaml:"type"`
		Key       string    `yaml:"key"`
		ValueType string    `yaml:"value_type"`
		LogTime   string    `yaml:"logtimefmt"`
		Triggers  []trigger `yaml:"triggers,omitempty"`
	}
	group struct {
		UUID string `yaml:"uuid,omitempty"`
		Name string `yaml:"name"`
	}
	template struct {
		UUID     string  `yaml:"uuid"`
		Template string  `yaml:"template"`
		Name     string  `yaml:"name"`
		Groups   []group `yaml:"groups"`
		Items    []item  `yaml:"items"`
		Macros   []macro `yaml:"macros"`
	}
	macro struct {
		Macro       string `yaml:"macro"`
		Value       string `yaml:"value"`
		Description string `yaml:"description"`
	}
	export struct {
		Zabbix struct {
			Version   string     `yaml:"version"`
			Groups    []group    `yaml:"template_groups"`
			Templates []template `yaml:"templates"`
		} `yaml:"zabbix_export"`
	}
)

// priorities are Zabbix's words for severities.
var priorities = map[string]string{critical: "DISASTER", major: "HIGH", minor: "AVERAGE", warning: "WARNING", indeterminate: "NOT_CLASSIFIED"}

// A family is notifications of one form: which of them raise and end a problem, and
// what of their lines names it.
type family struct {
	name, raise, clear string // regular expressions of the words after the address
	key                string // of a line; its two groups name the problem
}

// families are the forms of alarms. What ends a problem names it as what began it did.
var families = []family{
	{"lunawatch", "lunaAlarm(Raised|Changed)", "lunaAlarmCleared", `lunaAlarmKey=\"(.+?)(\") lunaAlarmSerial=`},
	{"ALARM-MIB", "alarmActiveState", "alarmClearState", `alarmActiveEntry=\"([^\"]+)(\")`},
}

// vendorFamily makes a family of each of the vendor's notifications, since nothing in
// them but the host, the log and the process tells which alarm it is.
func vendorFamily(name string) family {
	return family{name, name, name, `ssLogReference=\"\[?([^/\"]+)/[^/\"]+/[^/\"]+/([^/\"]+)/`}
}

// Zabbix returns a template of Zabbix 7.0 for what SNMPTT writes of events.
func Zabbix(events []Event) ([]byte, error) {
	list := slices.Clone(families)
	for _, e := range events {
		if e.Module == "SAFENET-APPLIANCE-MIB" && !slices.Contains(list, vendorFamily(e.Name)) {
			list = append(list, vendorFamily(e.Name))
		}
	}
	t := template{UUID: UUID(templateName), Template: templateName, Name: templateName, Groups: []group{{Name: "Templates/Applications"}}}
	t.Macros = []macro{{"{$LUNAWATCH.HEARTBEAT.MAX}", "15m", "Three times the heartbeat of the receiver"}}
	for _, f := range list {
		t.Items = append(t.Items, f.item())
	}
	t.Items = append(t.Items, heartbeat(), trapItem("Lunawatch: acknowledgements and starts", `(lunaAlarmAcknowledged|coldStart) NORMAL lunaEvent`))
	var x export
	x.Zabbix.Version, x.Zabbix.Groups, x.Zabbix.Templates = "7.0", []group{{UUID: "a571c0d144b14fd4a87a9d9b2aa9fcd6", Name: "Templates/Applications"}}, []template{t}
	text, err := yaml.Marshal(x)
	return append([]byte(generated), text...), err
}

func trapItem(name, pattern string) item {
	return item{UUID: UUID(name), Name: name, Type: "SNMP_TRAP", Key: fmt.Sprintf("snmptrap[%q]", pattern), ValueType: "LOG", LogTime: "yyyy-MM-ddThh:mm:ss"}
}

// item has what a family says, and a trigger for each severity that a problem can have.
func (f family) item() item {
	i := trapItem("Lunawatch: "+f.name, fmt.Sprintf("(%s|%s) [A-Z]+ ", f.raise, f.clear))
	is := func(words string) string {
		return fmt.Sprintf(`find(/%s/%s,,"regexp","%s ")=1`, templateName, i.Key, words)
	}
	for _, severity := range []string{critical, major, minor, warning, indeterminate} {
		name := fmt.Sprintf("Lunawatch: %s: %s", f.name, severity)
		i.Triggers = append(i.Triggers, trigger{
			UUID: UUID(name), Name: name, EventName: name + ": {ITEM.VALUE}", Priority: priorities[severity], Type: "MULTIPLE", ManualClose: "YES",
			Expression: is(f.raise + " " + severity), RecoveryMode: "RECOVERY_EXPRESSION", Recovery: is(f.clear + " " + normal),
			Correlation: "TAG_VALUE", CorrelationTag: "alarm", Tags: []tag{{"alarm", fmt.Sprintf(`{{ITEM.VALUE}.regsub("%s", "\1\2")}`, f.key)}},
		})
	}
	return i
}

// heartbeat is an item, and a problem while it does not come.
func heartbeat() item {
	i := trapItem("Lunawatch: heartbeats", "lunaHeartbeat NORMAL ")
	name := "Lunawatch: no heartbeat"
	i.Triggers = []trigger{{UUID: UUID(name), Name: name, Priority: "HIGH", Expression: fmt.Sprintf("nodata(/%s/%s,{$LUNAWATCH.HEARTBEAT.MAX})=1", templateName, i.Key)}}
	return i
}

// UUID returns the same UUID of version 4 for the same name.
func UUID(name string) string {
	b := sha256.Sum256([]byte("lunawatch " + name))
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	return hex.EncodeToString(b[:16])
}
