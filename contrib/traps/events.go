package traps

import (
	"fmt"
	"strings"
)

// The severities that receivers are given. What cannot be told is Indeterminate:
// never normal.
const (
	critical      = "CRITICAL"
	major         = "MAJOR"
	minor         = "MINOR"
	warning       = "WARNING"
	indeterminate = "INDETERMINATE"
	normal        = "NORMAL"
)

// A state is what a variable of a notification says, and the severity that it means.
type state struct {
	severity string
	pattern  string // of the variable, as a regular expression of Perl; a leading ! means: does not match
}

// States of the notifications. snmptrapd prints a number if it does not know the
// module.
var (
	// ItuPerceivedSeverity.
	perceived = []state{
		{critical, `(^(critical|3)\b)`}, {major, `(^(major|4)\b)`}, {minor, `(^(minor|5)\b)`}, {warning, `(^(warning|6)\b)`},
		{indeterminate, `!(^(critical|major|minor|warning|[3456])\b)`},
	}
	// alarmModelState, which is the last part of alarmActiveModelPointer.
	modelled = []state{{critical, `(\.6$)`}, {major, `(\.5$)`}, {minor, `(\.4$)`}, {warning, `(\.3$)`}, {indeterminate, `!(\.[3456]$)`}}
	// The flag at the end of ssLogReference, whose brackets SNMPTT takes off. The
	// vendor's form does not say how bad it is.
	flagged = []state{{major, `(/ 1\]?$)`}, {normal, `(/ 0\]?$)`}, {indeterminate, `!(/ [01]\]?$)`}}
	// lunaEventKind, where it changes no severity.
	started = []state{{normal, `(^(started|7)\b)`}}
	// What has one meaning.
	always = []state{{severity: normal}}
)

// A rule is how a notification is understood.
type rule struct {
	of     string // the variable that tells the state; "": the first state always holds
	states []state
	says   []string // the variables that the message has, in order
	more   string   // the name of a variable that is sent behind those of the module
	row    bool     // the instance of the variables tells which alarm it is
}

// common are what each notification of LUNAWATCH-MIB is numbered by.
var common = []string{"lunaEventSequence", "lunaEventTime", "lunaEventKind", "lunaEventId"}

// ofAlarm is what is said of an alarm. Texts come last, since others have chosen words of them.
var ofAlarm = append(common[:1:1], "lunaEventKind", "lunaAlarmDevice", "lunaAlarmGroup", "lunaAlarmKey", "lunaAlarmSerial", "lunaAlarmLabel", "lunaAlarmPartition",
	"lunaAlarmCodes", "lunaAlarmValue", "lunaAlarmThreshold", "lunaAlarmUnit", "lunaAlarmCount", "lunaAlarmAcknowledgedBy", "lunaAlarmText", "lunaAlarmAction")

var rules = map[string]rule{
	"lunaAlarmRaised":       {of: "lunaAlarmSeverity", states: perceived, says: ofAlarm},
	"lunaAlarmChanged":      {of: "lunaAlarmSeverity", states: perceived, says: ofAlarm},
	"lunaAlarmCleared":      {states: always, says: ofAlarm},
	"lunaAlarmAcknowledged": {states: always, says: ofAlarm},
	"lunaHeartbeat":         {states: always, says: common},
	"coldStart":             {of: "lunaEventKind", states: started, says: common},
	"alarmActiveState":      {of: "alarmActiveModelPointer", states: modelled, says: []string{"alarmActiveModelPointer", "alarmActiveResourceId"}, more: "alarmActiveDescription", row: true},
	"alarmClearState":       {states: always, says: []string{"alarmActiveModelPointer", "alarmActiveResourceId"}, more: "alarmActiveDescription", row: true},
}

// vendors is how each notification of the vendor's modules is understood.
var vendors = rule{of: "ssLogReference", states: flagged, says: []string{"ssLogReference"}}

// An Event is an EVENT of snmptt.conf: a notification in one of its states.
type Event struct {
	Notification
	Severity string
	Match    string // which trap it is, as SNMPTT has it; empty: each
	Message  string // with SNMPTT's $1 for the first variable
}

// Events returns the events of notifications, which must be those of the modules that
// Lunawatch serves, ALARM-MIB and coldStart. An error names one that nothing says how to
// understand, or a variable that it does not have.
func Events(notifications []Notification) (list []Event, err error) {
	for _, n := range notifications {
		r, known := rules[n.Name]
		switch {
		case known:
		case n.Module == "SAFENET-APPLIANCE-MIB":
			r = vendors
		default:
			return nil, fmt.Errorf("%s::%s: no rule says what it means", n.Module, n.Name)
		}
		if n.Name == "coldStart" {
			n.Objects = common // those of ours: the module has none
		}
		message, err := r.message(n)
		if err != nil {
			return nil, err
		}
		for _, s := range r.states {
			e := Event{Notification: n, Severity: s.severity, Message: message}
			if r.of != "" {
				if n.position(r.of) == 0 {
					return nil, fmt.Errorf("%s::%s has no %s", n.Module, n.Name, r.of)
				}
				e.Match = fmt.Sprintf("$%d: %s", n.position(r.of), s.pattern)
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// message names each variable that is said.
func (r rule) message(n Notification) (string, error) {
	var words []string
	if r.row {
		words = []string{`alarmActiveEntry="$v1"`}
	}
	for _, object := range r.says {
		i := n.position(object)
		if i == 0 {
			return "", fmt.Errorf("%s::%s has no %s", n.Module, n.Name, object)
		}
		words = append(words, fmt.Sprintf(`%s="$%d"`, object, i))
	}
	if r.more != "" {
		words = append(words, fmt.Sprintf(`%s="$%d"`, r.more, len(n.Objects)+1))
	}
	return strings.Join(words, " "), nil
}
