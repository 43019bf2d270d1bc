package alarms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// logDisk warns long before the appliance stops NTLS at 95 %.
var logDisk = Rule{"log-disk", func(p Poll, say func(Opinion)) {
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
		case r >= 0.9:
			say(bad(Critical, p.Disk.At, "%s", text))
		case r >= max(0.8, p.LogDiskRatio):
			say(bad(Major, p.Disk.At, "%s", text))
		case r >= p.LogDiskRatio:
			say(bad(Minor, p.Disk.At, "%s", text))
		case r < p.LogDiskRatio-0.03:
			say(good(p.Disk.At, "%s is %.0f %% full", f.Mount, 100*r))
		}
	}
}}

// diskHealth tells of a disk that fails its own test.
var diskHealth = Rule{"disk", func(p Poll, say func(Opinion)) {
	d, ok := p.Disk.Get(p.Now)
	switch {
	case !ok || d.SMART == "":
	case d.SMART == "PASSED":
		say(good(p.Disk.At, "SMART self-assessment passed"))
	default:
		say(bad(Major, p.Disk.At, "SMART self-assessment: %s", d.SMART))
	}
}}

// statusCodes gives the meaning and severity of system status codes. Codes
// that tell of a service which may not be wanted (SNMP, webserver, STC, unused
// interfaces) do not alarm.
var statusCodes = map[int64]struct {
	severity Severity
	text     string
}{
	15:  {Critical, "cluster service is not running"},
	20:  {Critical, "NTLS service is not running"},
	25:  {Critical, "NTLS is not bound to an interface"},
	30:  {Critical, "HSM service has errors"},
	40:  {Critical, "cobradb service is not running"},
	50:  {Critical, "no network interface is connected"},
	70:  {Major, "logging service is not running"},
	90:  {Major, "SSH service is not running"},
	110: {Major, "a disk partition is nearly full"},
}

// systemStatus tells of services of the appliance that do not work.
var systemStatus = Rule{"system-status", func(p Poll, say func(Opinion)) {
	s, ok := p.System.Get(p.Now)
	if !ok || hsm.Is(s.Running, false) {
		return // what a stopped monitor says is old
	}
	for _, code := range s.Codes {
		if c, known := statusCodes[code]; known && !slices.Contains(p.IgnoredStatusCodes, code) {
			say(bad(c.severity, p.System.At, "code %d: %s", code, c.text).on(fmt.Sprint(code)))
		}
	}
	say(Opinion{All: true, At: p.System.At})
}}

var (
	applianceFans = sensorRule("appliance-fan")
	powerSupplies = sensorRule("power-supply")
	motherboard   = sensorRule("motherboard")
)

// sensorGroup tells which group a sensor of the baseboard controller is of.
func sensorGroup(name string) string {
	switch n := strings.ToUpper(name); {
	case strings.HasPrefix(n, "PSU") || strings.Contains(n, "POWER SUPPLY"):
		return "power-supply"
	case strings.HasPrefix(n, "FAN"):
		return "appliance-fan"
	}
	return "motherboard"
}

// sensorKey is how a sensor is named whatever the source writes: upper case,
// without the blanks, underscores and dots in which sources differ.
func sensorKey(name string) string {
	return strings.NewReplacer(" ", "", "_", "", ".", "").Replace(strings.ToUpper(name))
}

// sensorRule judges the sensors of one group by their own thresholds, and
// power supplies by what the controller says of them.
func sensorRule(group string) Rule {
	return Rule{group, func(p Poll, say func(Opinion)) {
		s, ok := p.Sensors.Get(p.Now)
		if !ok {
			return
		}
		for _, x := range s.Sensors {
			if sensorGroup(x.Name) == group && x.Reading.Known {
				o := outside(group, x)
				o.At = p.Sensors.At
				say(o.on(sensorKey(x.Name)))
			}
		}
		if group != "power-supply" {
			return
		}
		for _, x := range s.PowerSupplies {
			switch key := sensorKey(x.Name); {
			case sensorGroup(x.Name) != group:
			case strings.EqualFold(x.Status, "Failure detected"):
				say(bad(Major, p.Sensors.At, "%s: failure detected", x.Name).on(key))
			case strings.EqualFold(x.Status, "Presence detected"), strings.EqualFold(x.Status, "OK"):
				say(good(p.Sensors.At, "%s: %s", x.Name, x.Status).on(key))
			}
		}
	}}
}

// outside compares a reading with the sensor's thresholds, the outer first.
func outside(group string, s hsm.Sensor) Opinion {
	v := s.Reading.Value
	for _, limit := range []struct {
		at             hsm.Opt[float64]
		passed         bool
		nonrecoverable bool
	}{
		{s.LowerNonrecoverable, v <= s.LowerNonrecoverable.Value, true},
		{s.UpperNonrecoverable, v >= s.UpperNonrecoverable.Value, true},
		{s.LowerCritical, v <= s.LowerCritical.Value, false},
		{s.UpperCritical, v >= s.UpperCritical.Value, false},
	} {
		if limit.at.Known && limit.passed {
			return bad(sensorSeverity(group, limit.nonrecoverable), time.Time{}, "%s at %g %s, threshold %g", s.Name, v, s.Unit, limit.at.Value)
		}
	}
	return good(time.Time{}, "%s at %g %s", s.Name, v, s.Unit)
}
