package rules

import (
	"fmt"
	"slices"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// logDisk warns long before the appliance stops NTLS at 95 %.
var logDisk = Rule{"log-disk", func(p Poll, say func(Result)) {
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
			say(bad(alarms.Critical, p.Disk.Asked(), "%s", text))
		case r >= max(0.8, p.LogDiskRatio):
			say(bad(alarms.Major, p.Disk.Asked(), "%s", text))
		case r >= p.LogDiskRatio:
			say(bad(alarms.Minor, p.Disk.Asked(), "%s", text))
		case r < p.LogDiskRatio-0.03:
			say(good(p.Disk.Asked(), "%s is %.0f %% full", f.Mount, 100*r))
		}
	}
}}

// auditDisk warns before the file system of the audit log is full: then the
// HSM may refuse to work.
var auditDisk = Rule{"audit-log", func(p Poll, say func(Result)) {
	d, ok := p.Disk.Get(p.Now)
	if !ok {
		return
	}
	for _, f := range d.Filesystems {
		if f.Mount != "/var/audit" && f.Mount != "/var/log/audit" {
			continue
		}
		o := fill(f.UsedRatio, p.LogDiskRatio, alarms.Minor, alarms.Major)
		o.At, o.Text = p.Disk.Asked(), f.Mount+": "+o.Text
		say(o.on(f.Mount))
	}
}}

// diskHealth tells of a disk that fails its own test.
var diskHealth = Rule{"disk", func(p Poll, say func(Result)) {
	d, ok := p.Disk.Get(p.Now)
	switch {
	case !ok || d.SMART == "":
	case d.SMART == "PASSED":
		say(good(p.Disk.Asked(), "SMART self-assessment passed"))
	default:
		say(bad(alarms.Major, p.Disk.Asked(), "SMART self-assessment: %s", d.SMART))
	}
}}

// statusCodes gives the meaning and severity of system status codes. Codes
// that tell of a service which may not be wanted (SNMP, webserver, STC, unused
// interfaces) do not alarm, nor does 20, NTLS not running, which is the rule
// ntls's to tell.
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

// systemStatus tells of services of the appliance that do not work.
var systemStatus = Rule{"system-status", func(p Poll, say func(Result)) {
	s, ok := p.System.Get(p.Now)
	if !ok || len(s.Codes) == 0 || hsm.Is(s.Running, false) {
		return // what a stopped monitor says is old
	}
	for _, code := range s.Codes {
		if c, known := statusCodes[code]; known && !slices.Contains(p.IgnoredStatusCodes, code) {
			say(bad(c.severity, p.System.Asked(), "code %d: %s", code, c.text).on(fmt.Sprint(code)))
		}
	}
	say(Result{All: true, At: p.System.Asked()})
}}

// services tells of services that start with the appliance and do not run. Of
// NTLS its own rule tells.
var services = Rule{"service", func(p Poll, say func(Result)) {
	all, ok := p.Services.Get(p.Now)
	if !ok {
		return
	}
	for _, s := range all {
		switch {
		case s.Name == "ntls":
		case s.Missing():
			say(bad(alarms.Major, p.Services.Asked(), "service %s is to start with the appliance and is %s", s.Name, s.Status).on(s.Name))
		case s.OnBoot.Known && s.Running().Known:
			say(good(p.Services.Asked(), "service %s is %s", s.Name, s.Status).on(s.Name))
		default:
			say(Result{Condition: alarms.Between, At: p.Services.Asked()}.on(s.Name))
		}
	}
	say(Result{All: true, At: p.Services.Asked()})
}}
