package alarms

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Line is one line of a device's log.
type Line struct {
	hsm.LogLine
	Device string
	File   string
	At     time.Time // when it was read
}

// A logRule judges one line, or says nothing of it. Rules are values; those
// of the appliance follow the vendor's own trap agent.
type logRule struct {
	name  string
	judge func(l Line, s Settings) (Judgement, bool)
}

var logRules = []logRule{
	{"ALM codes", alarmCode},
	{"HSM crash on K5 and K6", crashed},
	{"sensor thresholds", sensorThreshold},
	{"power supply events", powerSupplyEvent},
	{"disk", smartd},
	{"NTLS", ntlsLine},
}

// JudgeLine returns what the rules say of a line.
func JudgeLine(l Line, s Settings) []Judgement {
	var js []Judgement
	for _, r := range logRules {
		j, ok := r.judge(l, s)
		if !ok {
			continue
		}
		j.Device, j.Test = l.Device, l.Test
		j.Evidence = Evidence{At: l.At, Text: l.Message, Log: placeOf(l.LogLine, l.File, l.Device, l.At)}
		if l.Test && j.Verdict == Bad && j.Age == 0 {
			j.Age = s.EventAge
		}
		js = append(js, j)
	}
	return js
}

// alarmCode judges by the catalogue. A code that is not in it alarms too.
func alarmCode(l Line, s Settings) (Judgement, bool) {
	if l.Alarm == nil {
		return Judgement{}, false
	}
	c, known := CodeNamed(l.Alarm.Code)
	if !known {
		return Judgement{
			Key:     Key{Group: "meta", Object: strings.TrimSpace(card(l.Alarm.Card) + " ALM" + l.Alarm.Code)},
			Verdict: Bad, Severity: Indeterminate, Code: l.Alarm.Code, Age: s.EventAge,
			Text: fmt.Sprintf("ALM%s is not in the catalogue: %s", l.Alarm.Code, l.Alarm.Text),
		}, true
	}
	j := Judgement{Key: Key{Group: c.Group, Object: card(l.Alarm.Card)}, Code: c.Code, Severity: c.Severity}
	switch {
	case c.Kind == Clear:
		j.Verdict, j.Clears = Good, c.Clears
		return j, true
	case c.Severity == None:
		return j, false
	case c.Kind == Event:
		j.Age = s.EventAge
	}
	j.Verdict = Bad
	j.Text = fmt.Sprintf("ALM%s %s. %s", c.Code, strings.TrimSuffix(l.Alarm.Text, "."), c.Why)
	return j, true
}

// card names a card other than the first, which stands for its device.
func card(driver string) string {
	if strings.HasSuffix(driver, "0") {
		return ""
	}
	return driver
}

func crashed(l Line, _ Settings) (Judgement, bool) {
	if l.Process != "kernel" || !strings.Contains(l.Message, "HSM crashed:") {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "hsm-crashed"}, Verdict: Bad, Severity: Critical, Code: "crash", Text: "HSM firmware crashed: " + l.Message}, true
}

var thresholdEvent = regexp.MustCompile(`(?:Fan|Voltage|Temperature) sensor (.+?)[ .]+(Lower|Upper) (Critical|Non-recoverable) going (low|high) +\(Reading ([\d.]+) (?:<|>|\.lt|\.gt) Threshold ([\d.]+) (\w+)`)

// sensorThreshold compares the numbers: a line that tells of the end has the
// same words as one that tells of the beginning.
func sensorThreshold(l Line, _ Settings) (Judgement, bool) {
	if l.Process != "ipmievd" {
		return Judgement{}, false
	}
	m := thresholdEvent.FindStringSubmatch(l.Message)
	if m == nil {
		return Judgement{}, false
	}
	reading, err1 := strconv.ParseFloat(m[5], 64)
	threshold, err2 := strconv.ParseFloat(m[6], 64)
	if err1 != nil || err2 != nil {
		return Judgement{}, false
	}
	group := sensorGroup(m[1])
	j := Judgement{
		Key:      Key{Group: group, Object: sensorKey(m[1])},
		Severity: sensorSeverity(group, m[3] == "Non-recoverable"),
		Text:     fmt.Sprintf("%s at %g %s, threshold %g", m[1], reading, m[7], threshold),
	}
	if m[4] == "low" && reading <= threshold || m[4] == "high" && reading >= threshold {
		j.Verdict = Bad
	}
	return j, true
}

// sensorSeverity is how bad a passed threshold is.
func sensorSeverity(group string, nonrecoverable bool) Severity {
	switch {
	case group == "appliance-fan" && !nonrecoverable:
		return Minor // one of a pair
	case group == "motherboard" && nonrecoverable:
		return Critical
	}
	return Major
}

var powerSupplyLine = regexp.MustCompile(`Power Supply sensor (.*?)[ .]*- (Failure detected|Presence detected|Transition to Power Off)(?: (Asserted|Deasserted))?`)

func powerSupplyEvent(l Line, _ Settings) (Judgement, bool) {
	if l.Process != "ipmievd" {
		return Judgement{}, false
	}
	m := powerSupplyLine.FindStringSubmatch(l.Message)
	if m == nil {
		return Judgement{}, false
	}
	j := Judgement{Key: Key{Group: "power-supply", Object: sensorKey(m[1])}, Severity: Major, Text: fmt.Sprintf("%s: %s %s", m[1], m[2], m[3])}
	switch {
	case m[2] == "Transition to Power Off":
		j.Verdict = Bad
	case m[2] == "Failure detected" && m[3] != "Deasserted", m[2] == "Presence detected" && m[3] == "Deasserted":
		j.Verdict = Bad
	}
	return j, true
}

func smartd(l Line, _ Settings) (Judgement, bool) {
	if l.Process != "smartd" || l.Severity != "crit" {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "disk"}, Verdict: Bad, Severity: Major, Text: strings.TrimSpace(l.Message)}, true
}

func ntlsLine(l Line, s Settings) (Judgement, bool) {
	j := Judgement{Key: Key{Group: "ntls-log"}, Text: l.Message, Age: s.EventAge}
	switch {
	case l.Process != "NTLS":
		return j, false
	case l.Severity == "err":
		j.Verdict, j.Severity = Bad, Major
	case l.Severity == "crit":
		j.Verdict, j.Severity = Bad, Critical
	case strings.Contains(l.Message, "NTLS is online and operational"):
		j.Verdict = Good
	default:
		return j, false
	}
	return j, true
}
