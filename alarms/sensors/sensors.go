// Package sensors judges what the baseboard controller of an appliance says of
// its fans, power supplies, board and chassis.
package sensors

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Reading is how one object is.
type Reading struct {
	Group, Object string // of the alarm
	Condition     alarms.Condition
	Severity      alarms.Severity
	Text          string
	Measure       *alarms.Measure // nil: it is not a number
}

// Name returns the name of a sensor in one spelling.
func Name(name string) string { return hsm.PartName(name) }

var supplyName = regexp.MustCompile(`^PSU\d+`)

// Key returns the group of a sensor and the object of its alarm, whatever
// the source writes: sources differ in case, blanks, underscores and dots. All
// sensors of a power supply are one object: it fails as a whole.
func Key(name string) (group, object string) {
	object = Name(name)
	switch supply := supplyName.FindString(object); {
	case supply != "":
		return "power-supply", supply
	case strings.HasPrefix(object, "FAN"):
		return "appliance-fan", object
	}
	return "motherboard", object
}

// Judge returns the worst Reading of each object, in the order of the source.
func Judge(s hsm.Sensors) []Reading {
	var all []Reading
	at := make(map[[2]string]int)
	add := func(name string, r Reading) {
		r.Group, r.Object = Key(name)
		i, known := at[[2]string{r.Group, r.Object}]
		switch {
		case !known:
			at[[2]string{r.Group, r.Object}] = len(all)
			all = append(all, r)
		case r.worse(all[i]):
			all[i] = r
		}
	}
	for _, x := range s.Sensors {
		add(x.Name, Measured(x))
	}
	for _, x := range slices.Concat(s.PowerSupplies, s.Fans) {
		add(x.Name, Stated(x))
	}
	return all
}

// worse orders results for the sensors of one object. A value in the band keeps
// an alarm active; a sensor that could not be read counts less than the others.
func (r Reading) worse(than Reading) bool {
	rank := func(r Reading) int {
		switch {
		case r.Condition == alarms.Bad:
			return 2 + int(r.Severity)
		case r.Condition == alarms.Between && r.Text != "":
			return 2
		case r.Condition == alarms.Good:
			return 1
		}
		return 0
	}
	return rank(r) > rank(than)
}

// partWords are the words of the baseboard controller for a power supply or a
// fan, in lower case: how bad each is.
var partWords = map[string]alarms.Severity{
	"ok": alarms.None, "presence detected": alarms.None,
	"predictive failure": alarms.Minor,
	"failure detected":   alarms.Major, "failed": alarms.Major, "failure": alarms.Major, "fault": alarms.Major,
	"power supply ac lost": alarms.Major, "ac lost or out-of-range": alarms.Major, "ac out-of-range": alarms.Major,
	"config error": alarms.Major, "configuration error": alarms.Major, "power supply inactive": alarms.Major,
	"cr": alarms.Major, "nr": alarms.Major,
}

// unreadWords are the words for a part that the controller cannot read.
var unreadWords = []string{"no reading", "na", "n/a", ""}

// Stated returns the condition that the controller states of a part: "Presence
// detected", "Failure detected", "OK", "No Reading". Of several words, joined
// by commas, the worst counts.
func Stated(x hsm.Fan) Reading {
	r := Reading{Condition: alarms.Good, Text: x.Name + ": " + x.Status}
	for word := range strings.SplitSeq(strings.ToLower(x.Status), ",") {
		word = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(word), "*"))
		severity, known := partWords[word]
		switch {
		case slices.Contains(unreadWords, word), !known && stateless(x.Name):
			r.Condition = max(r.Condition, alarms.Between)
		case !known:
			r.Condition, r.Severity = alarms.Bad, max(r.Severity, alarms.Indeterminate)
		case severity > alarms.None:
			r.Condition, r.Severity = alarms.Bad, max(r.Severity, severity)
		}
	}
	if r.Condition == alarms.Between {
		r.Text = "" // it could not be read
	}
	return r
}

// fanWords are the states of a fan on the card of an HSM, in lower case; true: it works.
var fanWords = map[string]bool{
	"active": true, "standby": true, "ok": true, "running": true,
	"failed": false, "failure": false, "fail": false, "fault": false, "faulty": false, "stopped": false, "not running": false,
}

// FanWorks returns whether a fan on the card works; unknown if its state is no known word.
func FanWorks(f hsm.Fan) hsm.Opt[bool] {
	works, known := fanWords[strings.ToLower(f.Status)]
	return hsm.Opt[bool]{Value: works, Known: known}
}

// stateless reports whether a part has no state to be bad: what a button or a
// watchdog prints is what last happened.
func stateless(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "button") || strings.Contains(name, "watchdog")
}

// chassisWords are the lines of the chassis status that tell of a fault: the
// word when all is well, the word of the fault, and how bad that is.
var chassisWords = []struct {
	name, well, fault string
	severity          alarms.Severity
	coveredBy         string // group whose alarms say it better; "": none
}{
	{"Chassis Intrusion", "inactive", "active", alarms.Critical, ""},
	{"Main Power Fault", "false", "true", alarms.Major, "power-supply"},
	{"Power Control Fault", "false", "true", alarms.Major, "power-supply"},
	{"Power Overload", "false", "true", alarms.Major, ""},
	{"Drive Fault", "false", "true", alarms.Major, ""},
	{"Cooling/Fan Fault", "false", "true", alarms.Major, "appliance-fan"},
}

// Chassis returns a Reading of each line of the chassis status that tells of a
// fault.
func Chassis(s hsm.Sensors) (all []Reading) {
	bad := make(map[string]bool) // by group
	for _, r := range Judge(s) {
		bad[r.Group] = bad[r.Group] || r.Condition == alarms.Bad
	}
	for _, x := range chassisWords {
		word, stated := s.Chassis[x.name]
		r := Reading{Object: x.name, Condition: alarms.Bad, Text: x.name + ": " + word}
		switch {
		case !stated:
			continue
		case strings.EqualFold(word, x.well):
			r.Condition = alarms.Good
		case strings.EqualFold(word, x.fault) && bad[x.coveredBy]:
			r.Condition = alarms.Between
		case strings.EqualFold(word, x.fault):
			r.Severity = x.severity
		default:
			r.Severity, r.Text = alarms.Indeterminate, r.Text+", a word that Lunawatch does not know"
		}
		all = append(all, r)
	}
	return all
}

// Measured compares a reading with the sensor's own thresholds, the outer ones
// first. A reading at a threshold is past it, as in the controller's log.
func Measured(x hsm.Sensor) Reading {
	if !x.Reading.Known {
		return Reading{Condition: alarms.Between}
	}
	group, _ := Key(x.Name)
	v, condition := x.Reading.Value, alarms.Good
	for _, limit := range []struct {
		at             hsm.Opt[float64]
		over           float64 // how far v is on the bad side
		nonrecoverable bool
	}{
		{x.LowerNonrecoverable, x.LowerNonrecoverable.Value - v, true},
		{x.UpperNonrecoverable, v - x.UpperNonrecoverable.Value, true},
		{x.LowerCritical, x.LowerCritical.Value - v, false},
		{x.UpperCritical, v - x.UpperCritical.Value, false},
	} {
		switch {
		case !limit.at.Known:
		case limit.over >= 0:
			return Reading{Condition: alarms.Bad, Severity: passedSeverity(group, limit.nonrecoverable),
				Text:    fmt.Sprintf("%s at %g %s, threshold %g", x.Name, v, x.Unit, limit.at.Value),
				Measure: &alarms.Measure{Value: v, Threshold: limit.at.Value, Unit: x.Unit}}
		case -limit.over < band(group, x.Unit):
			condition = alarms.Between
		}
	}
	return Reading{Condition: condition, Text: fmt.Sprintf("%s at %g %s", x.Name, v, x.Unit)}
}

// passedSeverity is how bad a passed threshold is.
func passedSeverity(group string, nonrecoverable bool) alarms.Severity {
	switch {
	case group == "appliance-fan" && !nonrecoverable:
		return alarms.Minor // one of a pair
	case group == "motherboard" && nonrecoverable:
		return alarms.Critical
	}
	return alarms.Major
}

// band is the controller's own hysteresis, in the sensor's unit.
func band(group, unit string) float64 {
	switch {
	case strings.EqualFold(unit, "RPM") && group == "appliance-fan":
		return 500
	case strings.EqualFold(unit, "RPM"):
		return 100
	case strings.HasPrefix(unit, "degrees"):
		return 3
	}
	return 0
}
