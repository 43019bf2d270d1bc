package alarms

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Line is one line of a device's log.
type Line struct {
	hsm.LogLine
	Device  string
	File    string
	At      time.Time    // when it was read, or happened if that is long ago
	Cards   bool         // Device is a host: what a card says goes by the card's name
	Sensors []hsm.Sensor // as last polled, for their thresholds; nil: not yet
}

// A logRule judges one line, or says nothing of it. Rules are values; those
// of the appliance follow the vendor's own trap agent.
type logRule struct {
	name  string
	judge func(l Line, s Thresholds) (Judgement, bool)
}

var logRules = slices.Concat([]logRule{
	{"ALM codes", alarmCode},
	{"firmware runs", firmwareRuns},
	{"HSM crash on K5 and K6", crashed},
	{"sensor thresholds", sensorThreshold},
	{"power supply events", powerSupplyEvent},
	{"disk", smartd},
	{"NTLS", ntlsLine},
	{"NTLS certificate", certificateLine},
	{"log disk", diskFull},
	{"HSM event on K5 and K6", fatalError},
	{"critical audit record", auditEvent},
	{"failed login", failedLogin},
}, textRules(), systemStates())

// JudgeLine returns what the rules say of a line.
func JudgeLine(l Line, s Thresholds) []Judgement {
	var js []Judgement
	for _, r := range logRules {
		j, ok := r.judge(l, s)
		if !ok {
			continue
		}
		j.Device, j.Test, j.Text = l.Device, l.Test, clip(j.Text)
		j.Evidence = Evidence{At: l.At, Text: clip(l.Message), Log: placeOf(l)}
		if l.Test && j.Verdict == Bad && j.Age == 0 {
			j.Age = s.EventAge
		}
		js = append(js, j)
	}
	return js
}

// alarmCode judges by the catalogue. A code that is not in it alarms too.
func alarmCode(l Line, s Thresholds) (Judgement, bool) {
	if l.Alarm == nil {
		return Judgement{}, false
	}
	c, known := CodeNamed(l.Alarm.Code)
	if !known {
		return Judgement{
			Key:     Key{Group: "meta", Object: strings.TrimSpace(l.card() + " ALM" + l.Alarm.Code)},
			Verdict: Bad, Severity: Indeterminate, Code: l.Alarm.Code, Age: s.EventAge,
			Text: fmt.Sprintf("ALM%s is not in the catalogue: %s", l.Alarm.Code, l.Alarm.Text),
		}, true
	}
	j := Judgement{Key: Key{Group: c.Group, Object: l.card()}, Code: c.Code, Severity: c.Severity, Again: c.Again}
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
func (l Line) card() string {
	driver := l.Alarm.Card
	if !l.Cards && driver[len(strings.TrimRight(driver, "0123456789")):] == "0" {
		return ""
	}
	return driver
}

// firmwareRuns ends what keeps firmware from running when a line of the
// firmware proves that it does.
func firmwareRuns(l Line, _ Thresholds) (Judgement, bool) {
	if l.Alarm == nil {
		return Judgement{}, false
	}
	c, known := CodeNamed(l.Alarm.Code)
	if !known || c.Component != "firmware" || strings.HasPrefix(c.Halts, "OOS30") {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "restart", Object: l.card()}, Clears: firmwareStopped}, true
}

// firmwareStopped are the codes after which the firmware does not run until a
// restart.
var firmwareStopped = []string{"0001", "0002", "0003", "1001", "1003", "1005", "1006"}

func crashed(l Line, _ Thresholds) (Judgement, bool) {
	if l.Process != "kernel" || !strings.Contains(l.Message, "HSM crashed:") {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "hsm-crashed"}, Verdict: Bad, Severity: Critical, Text: "HSM firmware crashed: " + l.Message}, true
}

// aSensor matches a sensor's name, padded with blanks and a dot.
const aSensor = `([\w+][\w+/ -]{0,31}?)[ .]*`

var thresholdEvent = regexp.MustCompile(`(?:Fan|Voltage|Temperature) sensor ` + aSensor + ` (Lower|Upper) (Critical|Non-recoverable) going (?:low|high) +\(Reading (-?[\d.]+) (?:<|>|\.lt|\.gt) Threshold (-?[\d.]+) ([\w ]+)\)`)

// sensorThreshold compares the numbers: a line that tells of the end has the
// same words as one that tells of the beginning. The line prints one
// threshold; the end of a non-recoverable state can leave a critical one,
// which only the polled thresholds tell. Of a power supply a line tells of one
// value, so it is a poll that finds all of them good.
func sensorThreshold(l Line, _ Thresholds) (Judgement, bool) {
	m := thresholdEvent.FindStringSubmatch(l.Message)
	if l.Process != "ipmievd" || m == nil {
		return Judgement{}, false
	}
	reading, err1 := strconv.ParseFloat(m[4], 64)
	threshold, err2 := strconv.ParseFloat(m[5], 64)
	if err1 != nil || err2 != nil {
		return Judgement{}, false
	}
	group, object := sensorKey(m[1])
	x := l.polled(m[1])
	x.Name, x.Unit, x.Reading = m[1], m[6], hsm.Some(reading)
	*map[string]*hsm.Opt[float64]{
		"Lower Non-recoverable": &x.LowerNonrecoverable, "Lower Critical": &x.LowerCritical,
		"Upper Critical": &x.UpperCritical, "Upper Non-recoverable": &x.UpperNonrecoverable,
	}[m[2]+" "+m[3]] = hsm.Some(threshold)
	o := measured(x)
	j := Judgement{Key: Key{Group: group, Object: object}, Verdict: o.Verdict, Severity: o.Severity, Text: o.Text}
	if o.Verdict == Between {
		j.Verdict = Good // the controller has its own hysteresis
	}
	return j, j.Verdict == Bad || group != "power-supply"
}

// polled returns a sensor as it was last polled.
func (l Line) polled(name string) hsm.Sensor {
	for _, x := range l.Sensors {
		if sensorName(x.Name) == sensorName(name) {
			return x
		}
	}
	return hsm.Sensor{}
}

var supplyEvent = regexp.MustCompile(`Power Supply sensor (?:` + aSensor + ` )?- (Failure detected|Presence detected|Transition to Power Off)(?: (Asserted|Deasserted))?`)

func powerSupplyEvent(l Line, _ Thresholds) (Judgement, bool) {
	m := supplyEvent.FindStringSubmatch(l.Message)
	if l.Process != "ipmievd" || m == nil {
		return Judgement{}, false
	}
	_, object := sensorKey(m[1])
	j := Judgement{Key: Key{Group: "power-supply", Object: object}, Severity: Major, Text: strings.TrimSpace(m[1] + " " + m[2] + " " + m[3])}
	if m[2] == "Transition to Power Off" {
		j.Severity = Critical
	}
	if (m[3] == "Deasserted") == (m[2] == "Presence detected") {
		j.Verdict = Bad
	}
	return j, true
}

func smartd(l Line, _ Thresholds) (Judgement, bool) {
	if l.Process != "smartd" || l.Severity != "crit" {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "disk"}, Verdict: Bad, Severity: Major, Text: strings.TrimSpace(l.Message)}, true
}

func ntlsLine(l Line, s Thresholds) (Judgement, bool) {
	j := Judgement{Key: Key{Group: "ntls-log"}, Verdict: Bad, Text: l.Message, Age: s.EventAge}
	switch {
	case l.Process != "NTLS":
		return j, false
	case l.Severity == "err":
		j.Severity = Major
	case l.Severity == "crit":
		j.Severity = Critical
	case strings.Contains(l.Message, "NTLS is online and operational"):
		j.Verdict, j.Age = Good, 0
	default:
		return j, false
	}
	return j, true
}

// systemStates makes a rule of each system status code. A line lists the codes
// that are set; which are set no longer is polled.
func systemStates() (rules []logRule) {
	for code, c := range statusCodes {
		number := strconv.FormatInt(code, 10)
		rules = append(rules, logRule{"system status " + number, func(l Line, s Thresholds) (Judgement, bool) {
			if l.Process != "sysstatd" || slices.Contains(s.IgnoredStatusCodes, code) {
				return Judgement{}, false
			}
			_, list, _ := strings.Cut(l.Message, " Errors: ")
			list, _, whole := strings.Cut(list, "!")
			if !whole || !slices.Contains(strings.Split(list, ","), number) {
				return Judgement{}, false
			}
			return Judgement{Key: Key{Group: "system-status", Object: number}, Verdict: Bad, Severity: c.severity, Text: fmt.Sprintf("code %d: %s", code, c.text)}, true
		}})
	}
	return rules
}

// certificateLine follows the appliance's own watch of its NTLS certificate.
func certificateLine(l Line, _ Thresholds) (Judgement, bool) {
	j := Judgement{Key: Key{Group: "ntls-certificate"}, Severity: Warning, Text: l.Message}
	switch {
	case l.Process != "certmonitord":
		return j, false
	case strings.Contains(l.Message, "NTLS certificate is missing"):
		j.Verdict, j.Severity = Bad, Major
	case strings.Contains(l.Message, "NTLS certificate will be expire on"):
		j.Verdict = Bad
	case !strings.Contains(l.Message, "New NTLS certificate detected"):
		return j, false
	}
	return j, true
}

// diskFull follows the appliance's own watch of its disks: at 95 % it stops
// NTLS.
func diskFull(l Line, _ Thresholds) (Judgement, bool) {
	if !strings.Contains(l.Message, "DISK FULL:") {
		return Judgement{}, false
	}
	j := Judgement{Key: Key{Group: "log-disk"}, Verdict: Bad, Severity: Major, Text: l.Message}
	if strings.Contains(l.Message, "95%") || strings.Contains(l.Message, "95 %") {
		j.Severity = Critical
	}
	return j, true
}

// fatalError is the oamp line that comes with a crash of the firmware.
func fatalError(l Line, _ Thresholds) (Judgement, bool) {
	if l.Process != "oamp" || !strings.Contains(l.Message, "CRIT: Fatal error") {
		return Judgement{}, false
	}
	return Judgement{Key: Key{Group: "hsm-crashed"}, Verdict: Bad, Severity: Critical, Text: "HSM firmware crashed: " + l.Message}, true
}
