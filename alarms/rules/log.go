package rules

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/texts"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Line is one line of a device's log.
type Line struct {
	hsm.LogLine
	Device  string
	File    string
	At      time.Time          // when it was read, or when it happened if that is long before
	Cards   bool               // Device is a host: the object of a card's alarm is its name
	OneCard bool               // Device is a card: its alarms have no object, whatever its driver's name
	Sensors []hsm.Sensor       // as last polled, for their thresholds; nil: not yet
	Groups  []hsm.HAGroupState // of a client host, as last read

	Peer      string // who sent it over the network; "": it is from a file
	Untrusted bool   // anybody could have sent it: it may raise, and not clear

	Happened time.Time // as the line says; zero: not known, for lack of a time or of its zone
}

// Card names a card other than the first, whose alarms are those of the device.
func (l *Line) Card() string {
	driver := ""
	switch {
	case l.OneCard:
	case l.Alarm != nil:
		driver = l.Alarm.Card
	default:
		driver = texts.Driver(&l.LogLine)
	}
	if !l.Cards && driver[len(strings.TrimRight(driver, "0123456789")):] == "0" {
		return ""
	}
	return driver
}

// polled returns a sensor as it was last polled.
func (l *Line) polled(name string) hsm.Sensor {
	for _, x := range l.Sensors {
		if sensorName(x.Name) == sensorName(name) {
			return x
		}
	}
	return hsm.Sensor{}
}

// A logRule evaluates the lines of one process; not ok: the line means nothing to
// it. Those of the appliance follow the vendor's own trap agent.
type logRule struct {
	name     string
	process  string // "": any
	evaluate func(l *Line, s *Thresholds) []alarms.Finding
}

var logRules = []logRule{
	{"ALM codes", "", alarmCode},
	{"firmware runs", "", firmwareRuns},
	{"sensor thresholds", "ipmievd", sensorThreshold},
	{"power supply events", "ipmievd", powerSupplyEvent},
	{"disk", "smartd", smartd},
	{"NTLS", "NTLS", ntlsLine},
	{"NTLS certificate", "certmonitord", certificateLine},
	{"log disk", "", diskFull},
	{"critical audit record", "", auditEvent},
	{"change in the audit log", "", auditChange},
	{"failed login", "", failedLogin},
	{"loss of an HA member", "", haLoss},
	{"surprise in the HA log", "", haSurprise},
	{"texts", "", textSaid},
	{"system status", "sysstatd", statusCodesSet},
}

// rulesOf has the rules for each process that has its own; "": those for any other.
var rulesOf = func() map[string][]logRule {
	all := map[string][]logRule{"": nil}
	for _, r := range logRules {
		all[r.process] = nil
	}
	for process := range all {
		for _, r := range logRules {
			if r.process == "" || r.process == process {
				all[process] = append(all[process], r)
			}
		}
	}
	return all
}()

// EvaluateLine returns the findings of all rules for a line.
func EvaluateLine(l *Line, s *Thresholds) []alarms.Finding {
	list, own := rulesOf[l.Process]
	if !own {
		list = rulesOf[""]
	}
	var findings []alarms.Finding
	for _, r := range list {
		for _, f := range r.evaluate(l, s) {
			f.Device, f.Test, f.Text, f.Happened = l.Device, l.Test, alarms.Clip(f.Text), l.Happened
			f.Evidence = alarms.Evidence{At: l.At, Text: alarms.Clip(l.Message), Log: PlaceOf(*l)}
			if l.Untrusted && f.Condition != alarms.Bad {
				continue
			}
			if l.Test && f.Condition == alarms.Bad && f.Age == 0 {
				f.Age = s.EventAge
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// LineTime returns the time that a line states; zero: it states none. One
// without a year is of the last year that does not put it into the future, and
// an audit record in the order of day, month and year that does so.
func LineTime(l Line) time.Time {
	if l.Time.Known {
		return l.Time.Value
	}
	if l.Stamp == "" && l.Audit != nil {
		for _, at := range slices.Backward(l.Audit.Times()) {
			if at.Before(l.At.Add(24 * time.Hour)) {
				return at
			}
		}
		return time.Time{}
	}
	t, err := time.Parse("2006 Jan _2 15:04:05", "2000 "+l.Stamp) // a leap year
	if err != nil {
		return time.Time{}
	}
	for year := l.At.Year() + 1; ; year-- {
		at := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
		if at.Day() == t.Day() && at.Before(l.At.Add(24*time.Hour)) {
			return at
		}
	}
}

// PlaceOf returns where a line is, in the line's own words.
func PlaceOf(l Line) *alarms.LogPlace {
	p := &alarms.LogPlace{Host: cmp.Or(l.Host, l.Device), File: filepath.Base(l.File), Time: alarms.LogTime(l.At), Process: l.Process, Peer: l.Peer, Untrusted: l.Untrusted}
	switch {
	case l.Time.Known:
		p.Time = alarms.LogTime(l.Time.Value)
	case l.Stamp != "":
		p.Time = l.Stamp
	case l.Audit != nil && l.Audit.Stamp != "":
		p.Time = l.Audit.Stamp
		if at := LineTime(l); !at.IsZero() {
			p.Time = alarms.LogTime(at)
		}
	}
	if l.PID.Known {
		p.Process += fmt.Sprintf("[%d]", l.PID.Value)
	}
	return p
}

// alarmCode goes by the catalogue. A code that is not in it raises an alarm,
// too.
func alarmCode(l *Line, s *Thresholds) []alarms.Finding {
	if l.Alarm == nil {
		return nil
	}
	c, known := alarms.CodeNamed(l.Alarm.Code)
	if !known {
		return []alarms.Finding{{
			Key:       alarms.Key{Group: "meta", Object: strings.TrimSpace(l.Card() + " ALM" + l.Alarm.Code)},
			Condition: alarms.Bad, Severity: alarms.Indeterminate, Code: l.Alarm.Code, Age: s.EventAge,
			Text: fmt.Sprintf("ALM%s is not in the catalogue: %s", l.Alarm.Code, l.Alarm.Text),
		}}
	}
	f := alarms.Finding{Key: alarms.Key{Group: c.Group, Object: l.Card()}, Code: c.Code, Severity: c.Severity, Again: c.Again}
	switch {
	case c.Kind == alarms.Clear:
		f.Condition, f.Clears = alarms.Good, c.Clears
		return []alarms.Finding{f}
	case c.Severity == alarms.None:
		return nil
	case c.Kind == alarms.Event:
		f.Age = s.EventAge
	}
	f.Condition = alarms.Bad
	f.Text = fmt.Sprintf("ALM%s %s. %s", c.Code, strings.TrimSuffix(l.Alarm.Text, "."), c.Why)
	return []alarms.Finding{f}
}

// firmwareRuns clears what keeps firmware from running when a line of the
// firmware proves that it runs.
func firmwareRuns(l *Line, _ *Thresholds) []alarms.Finding {
	if l.Alarm == nil {
		return nil
	}
	c, known := alarms.CodeNamed(l.Alarm.Code)
	if !known || c.Component != "firmware" || strings.HasPrefix(c.Halts, "OOS30") {
		return nil
	}
	return []alarms.Finding{{Key: alarms.Key{Group: "restart", Object: l.Card()}, Clears: firmwareStopped}}
}

// firmwareStopped are the codes after which the firmware does not run until a
// restart.
var firmwareStopped = []string{"0001", "0002", "0003", "1001", "1003", "1005", "1006", "2009"}

// aSensor matches a sensor's name, padded with blanks and a dot.
const aSensor = `([\w+][\w+/ -]{0,31}?)[ .]*`

var thresholdEvent = regexp.MustCompile(`(?:Fan|Voltage|Temperature) sensor ` + aSensor + ` (Lower|Upper) (Critical|Non-recoverable) going (?:low|high) +\(Reading (-?[\d.]+) (?:<|>|\.lt|\.gt) Threshold (-?[\d.]+) ([\w ]+)\)`)

// sensorThreshold compares the numbers: a line at the end of a fault has the
// same words as one at its beginning. The line prints one threshold; the end of
// a non-recoverable state can leave a critical one, which only the polled
// thresholds show. A line is about one value of a power supply, so only a poll
// finds all of them good.
func sensorThreshold(l *Line, _ *Thresholds) []alarms.Finding {
	m := thresholdEvent.FindStringSubmatch(l.Message)
	if m == nil {
		return nil
	}
	reading, err1 := strconv.ParseFloat(m[4], 64)
	threshold, err2 := strconv.ParseFloat(m[5], 64)
	if err1 != nil || err2 != nil {
		return nil
	}
	group, object := sensorKey(m[1])
	x := l.polled(m[1])
	x.Name, x.Unit, x.Reading = m[1], m[6], hsm.Some(reading)
	*map[string]*hsm.Opt[float64]{
		"Lower Non-recoverable": &x.LowerNonrecoverable, "Lower Critical": &x.LowerCritical,
		"Upper Critical": &x.UpperCritical, "Upper Non-recoverable": &x.UpperNonrecoverable,
	}[m[2]+" "+m[3]] = hsm.Some(threshold)
	r := measured(x)
	f := alarms.Finding{Key: alarms.Key{Group: group, Object: object}, Condition: r.Condition, Severity: r.Severity, Text: r.Text}
	if r.Condition == alarms.Between {
		f.Condition = alarms.Good // the controller has its own hysteresis
	}
	if f.Condition != alarms.Bad && group == "power-supply" {
		return nil
	}
	return []alarms.Finding{f}
}

var supplyEvent = regexp.MustCompile(`Power Supply sensor (?:` + aSensor + ` )?- (Failure detected|Presence detected|Transition to Power Off)(?: (Asserted|Deasserted))?`)

func powerSupplyEvent(l *Line, _ *Thresholds) []alarms.Finding {
	m := supplyEvent.FindStringSubmatch(l.Message)
	if m == nil {
		return nil
	}
	_, object := sensorKey(m[1])
	f := alarms.Finding{Key: alarms.Key{Group: "power-supply", Object: object}, Severity: alarms.Major, Text: strings.TrimSpace(m[1] + " " + m[2] + " " + m[3])}
	if m[2] == "Transition to Power Off" {
		f.Severity = alarms.Critical
	}
	if (m[3] == "Deasserted") == (m[2] == "Presence detected") {
		f.Condition = alarms.Bad
	}
	return []alarms.Finding{f}
}

func smartd(l *Line, _ *Thresholds) []alarms.Finding {
	if l.Severity != "crit" {
		return nil
	}
	return []alarms.Finding{{Key: alarms.Key{Group: "disk"}, Condition: alarms.Bad, Severity: alarms.Major, Text: strings.TrimSpace(l.Message)}}
}

func ntlsLine(l *Line, s *Thresholds) []alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Group: "ntls-log"}, Condition: alarms.Bad, Text: l.Message, Age: s.EventAge}
	switch {
	case l.Severity == "err":
		f.Severity = alarms.Major
	case l.Severity == "crit":
		f.Severity = alarms.Critical
	case strings.HasPrefix(strings.TrimPrefix(texts.Said(&l.LogLine), "info : 0 : "), "NTLS is online and operational"):
		f.Condition, f.Age = alarms.Good, 0
	default:
		return nil
	}
	return []alarms.Finding{f}
}

// textSaid evaluates every text that means a problem by itself.
func textSaid(l *Line, s *Thresholds) (findings []alarms.Finding) {
	for _, x := range texts.SaidBy(&l.LogLine) {
		f := alarms.Finding{Key: alarms.Key{Group: x.Group, Object: l.Card()}, Condition: alarms.Bad, Severity: x.Severity, Text: x.What + ": " + l.Message}
		if x.OneOff {
			f.Age = s.EventAge
		}
		findings = append(findings, f)
	}
	return findings
}

// maxUnknown is how many codes of a line that no table has are raised.
const maxUnknown = 8

// statusCodesSet raises the system status codes that a line lists, which are those
// that are set; polls show which are set no longer.
func statusCodesSet(l *Line, s *Thresholds) (findings []alarms.Finding) {
	unknown := 0
	for _, number := range statusLine(l, s) {
		f := alarms.Finding{Key: alarms.Key{Group: "system-status", Object: number}, Condition: alarms.Bad}
		code, err := strconv.ParseInt(number, 10, 64)
		switch c, raises := statusCodes[code]; {
		case err == nil && raises:
			f.Object = strconv.FormatInt(code, 10)
			f.Severity, f.Text = c.severity, fmt.Sprintf("code %d: %s", code, c.text)
		case err == nil && codeStates[code] != "", unknown == maxUnknown:
			continue
		default:
			unknown++
			f.Object = number[:min(len(number), 16)]
			f.Severity, f.Text = alarms.Indeterminate, fmt.Sprintf("code %s is unknown: %s", f.Object, texts.Said(&l.LogLine))
		}
		if !slices.ContainsFunc(findings, func(other alarms.Finding) bool { return other.Key == f.Key }) {
			findings = append(findings, f)
		}
	}
	return findings
}

// statusLine returns the codes that a line of the system state server lists,
// without those to ignore.
func statusLine(l *Line, s *Thresholds) []string {
	before, list, found := strings.Cut(texts.Said(&l.LogLine), "Errors: ")
	list, _, whole := strings.Cut(list, "!")
	if !found || !whole || !strings.HasSuffix(before, " ") {
		return nil
	}
	return slices.DeleteFunc(strings.Split(list, ","), func(number string) bool {
		code, err := strconv.ParseInt(number, 10, 64)
		return err == nil && slices.Contains(s.IgnoredStatusCodes, code)
	})
}

// certificateLine follows the appliance's own monitoring of its NTLS
// certificate.
func certificateLine(l *Line, _ *Thresholds) []alarms.Finding {
	f := alarms.Finding{Key: alarms.Key{Group: "ntls-certificate"}, Severity: alarms.Warning, Text: l.Message}
	switch {
	case strings.Contains(l.Message, "NTLS certificate is missing"):
		f.Condition, f.Severity = alarms.Bad, alarms.Major
	case strings.Contains(l.Message, "NTLS certificate will be expire on"):
		f.Condition = alarms.Bad
	case !strings.Contains(l.Message, "New NTLS certificate detected"):
		return nil
	}
	return []alarms.Finding{f}
}

// diskFull follows the appliance's own monitoring of its disks: at 95 % it
// stops NTLS.
func diskFull(l *Line, _ *Thresholds) []alarms.Finding {
	if !strings.HasPrefix(texts.Said(&l.LogLine), "DISK FULL:") {
		return nil
	}
	f := alarms.Finding{Key: alarms.Key{Group: "log-disk"}, Condition: alarms.Bad, Severity: alarms.Major, Text: l.Message}
	if strings.Contains(l.Message, "95%") || strings.Contains(l.Message, "95 %") {
		f.Severity = alarms.Critical
	}
	return []alarms.Finding{f}
}
