package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// logDisk warns long before the appliance stops NTLS at 95 %.
var logDisk = Rule{"log-disk", func(p Poll, emit func(Result)) {
	d, ok := p.Disk.Get(p.Now)
	if !ok {
		return
	}
	for _, f := range d.Filesystems {
		if f.Mount != "/var/log" {
			continue
		}
		text := fmt.Sprintf("%s is %.0f %% full; NTLS stops at 95 %%", f.Mount, 100*f.UsedRatio)
		switch r := f.UsedRatio; {
		case r >= max(0.9, p.LogDiskRatio):
			emit(bad(alarms.Critical, p.Disk.Asked(), "%s", text))
		case r >= max(0.8, p.LogDiskRatio):
			emit(bad(alarms.Major, p.Disk.Asked(), "%s", text))
		case r >= p.LogDiskRatio:
			emit(bad(alarms.Minor, p.Disk.Asked(), "%s", text))
		case r < p.LogDiskRatio-0.03:
			emit(good(p.Disk.Asked(), "%s is %.0f %% full", f.Mount, 100*r))
		}
	}
}}

// auditDisk warns before the file system of the audit log is full: then the
// HSM may refuse to work.
var auditDisk = Rule{"audit-log", func(p Poll, emit func(Result)) {
	d, ok := p.Disk.Get(p.Now)
	if !ok {
		return
	}
	for _, f := range d.Filesystems {
		if f.Mount != "/var/audit" && f.Mount != "/var/log/audit" {
			continue
		}
		r := fill(f.UsedRatio, p.LogDiskRatio, alarms.Minor, alarms.Major)
		r.At, r.Text = p.Disk.Asked(), f.Mount+": "+r.Text
		emit(r.on(f.Mount))
	}
}}

// diskHealth warns of a disk that fails its self-assessment.
var diskHealth = Rule{"disk", func(p Poll, emit func(Result)) {
	d, ok := p.Disk.Get(p.Now)
	switch word := strings.ToUpper(d.SMART); {
	case !ok || word == "":
	case word == "PASSED", word == "OK":
		emit(good(p.Disk.Asked(), "SMART self-assessment passed"))
	case strings.Contains(word, "FAIL"):
		emit(bad(alarms.Major, p.Disk.Asked(), "SMART self-assessment: %s", d.SMART))
	default:
		emit(bad(alarms.Indeterminate, p.Disk.Asked(), "SMART self-assessment: %s, a word that Lunawatch does not know", d.SMART))
	}
}}

// statusCodes has the meaning and severity of system status codes. Codes of a
// service that may not be wanted (SNMP, webserver, STC, unused interfaces)
// raise no alarm, nor does 20, NTLS not running, which the rule ntlsDown
// covers.
var statusCodes = map[int64]struct {
	severity alarms.Severity
	text     string
}{
	15:  {alarms.Critical, "cluster service is not running"},
	25:  {alarms.Critical, "NTLS is not bound to an interface"},
	30:  {alarms.Critical, "HSM service has errors"},
	40:  {alarms.Critical, "cobradb service is not running"},
	50:  {alarms.Critical, "no network interface is connected"},
	70:  {alarms.Major, "logging service is not running"},
	90:  {alarms.Major, "SSH service is not running"},
	110: {alarms.Major, "a disk partition is nearly full"},
}

// codeStates has the state that each system status code stands for.
var codeStates = map[int64]string{
	0: "ISO", 60: "ISO", 61: "ISO", 62: "ISO", 63: "ISO", 80: "ISO", 95: "ISO", 100: "ISO",
	70: "IST", 90: "IST", 110: "IST",
	15: "OOS", 20: "OOS", 25: "OOS", 30: "OOS", 40: "OOS",
	50: "OFL",
}

// stateWords has the severity and meaning of system states, as the command
// and the log write them.
var stateWords = map[string]struct {
	severity alarms.Severity
	text     string
}{
	"ISO":      {alarms.None, "in service"},
	"IST":      {alarms.Major, "in service, with trouble"},
	"INSRVTRB": {alarms.Major, "in service, with trouble"},
	"OOS":      {alarms.Critical, "out of service"},
	"OFL":      {alarms.Critical, "off line"},
	"OFT":      {alarms.Critical, "off line, with trouble"},
}

// systemStatus warns of services of the appliance that do not work, and of a
// state that none of the codes explains.
var systemStatus = Rule{"system-status", func(p Poll, emit func(Result)) {
	s, ok := p.System.Get(p.Now)
	if !ok || s.State == "" && len(s.Codes) == 0 || hsm.Is(s.Running, false) {
		return // what a stopped monitor says is old
	}
	at := p.System.Asked()
	emit(systemState(s, at).on("state"))
	for _, code := range s.Codes {
		c, raises := statusCodes[code]
		switch {
		case slices.Contains(p.IgnoredStatusCodes, code):
		case raises:
			emit(bad(c.severity, at, "code %d: %s", code, c.text).on(fmt.Sprint(code)))
		case codeStates[code] == "":
			emit(bad(alarms.Indeterminate, at, "code %d, which Lunawatch does not know", code).on(fmt.Sprint(code)))
		}
	}
	if len(s.Codes) > 0 {
		emit(allOf(p.System))
	}
}}

// systemState judges the state. One that a code explains is covered by that.
func systemState(s hsm.System, at time.Time) Result {
	state, known := stateWords[s.State]
	explained := slices.ContainsFunc(s.Codes, func(code int64) bool { return codeStates[code] == s.State })
	switch {
	case s.State == "":
		return Result{Condition: alarms.Between, At: at}
	case !known:
		return bad(alarms.Indeterminate, at, "system status %s, which Lunawatch does not know", s.State)
	case state.severity > alarms.None && !explained:
		return bad(state.severity, at, "system status %s: %s", s.State, state.text)
	}
	return good(at, "system status %s", s.State)
}

// services warns of services that should start with the appliance but do not
// run. NTLS has a rule of its own.
var services = Rule{"service", func(p Poll, emit func(Result)) {
	all, ok := p.Services.Get(p.Now)
	if !ok {
		return
	}
	for _, s := range all {
		switch {
		case s.Name == "ntls":
		case s.Missing():
			emit(bad(alarms.Major, p.Services.Asked(), "service %s should start with the appliance but is %s", s.Name, s.Status).on(s.Name))
		case s.OnBoot.Known && s.Running().Known:
			emit(good(p.Services.Asked(), "service %s is %s", s.Name, s.Status).on(s.Name))
		case hsm.Is(s.OnBoot, true):
			emit(bad(alarms.Indeterminate, p.Services.Asked(), "service %s is %s, a word that Lunawatch does not know", s.Name, s.Status).on(s.Name))
		default:
			emit(Result{Condition: alarms.Between, At: p.Services.Asked()}.on(s.Name))
		}
	}
	emit(allOf(p.Services))
}}

// checkTimeAge is how long the status monitor may leave its check time as it
// is: it checks three times a minute.
const checkTimeAge = 10 * time.Minute

// statusMonitor warns of a status monitor that does not run, or does not check
// any more: what it says is old. The check time has no zone, so it is judged by
// whether it moves.
var statusMonitor = Rule{"status-monitor", func(p Poll, emit func(Result)) {
	s, ok := ofUnit(p, p.System)
	switch at := p.System.Asked(); {
	case !ok:
	case hsm.Is(s.Running, false):
		emit(bad(alarms.Minor, at, "the status monitor of the appliance does not run"))
	case s.CheckTime == "":
	case s.CheckTime != p.Memory.CheckTime:
		emit(good(at, "the status monitor checked at %s", s.CheckTime))
	case at.Sub(p.Memory.CheckedAt) >= checkTimeAge:
		emit(bad(alarms.Minor, at, "the status monitor has not checked since %s, its own time", s.CheckTime))
	}
}}
