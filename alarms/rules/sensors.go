package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// The sensors of an appliance's baseboard controller, by group.
var (
	applianceFans = sensorRule("appliance-fan")
	powerSupplies = sensorRule("power-supply")
	motherboard   = sensorRule("motherboard")
)

func sensorName(name string) string {
	return strings.NewReplacer(" ", "", "_", "", ".", "").Replace(strings.ToUpper(name))
}

var supplyName = regexp.MustCompile(`^PSU\d+`)

// sensorKey returns the group of a sensor and the object of its alarm, whatever
// the source writes: sources differ in case, blanks, underscores and dots. All
// sensors of a power supply are one object: it fails as a whole.
func sensorKey(name string) (group, object string) {
	object = sensorName(name)
	switch supply := supplyName.FindString(object); {
	case supply != "":
		return "power-supply", supply
	case strings.HasPrefix(object, "FAN"):
		return "appliance-fan", object
	}
	return "motherboard", object
}

// sensorRule evaluates the sensors of one group by their own thresholds and by
// what the controller says of them. An object is as bad as its worst sensor,
// and good when at least one sensor is good and none is worse.
func sensorRule(group string) Rule {
	return Rule{group, func(p Poll, emit func(Result)) {
		s, ok := p.Sensors.Get(p.Now)
		if !ok || len(s.Sensors)+len(s.PowerSupplies)+len(s.Fans) == 0 {
			return
		}
		worst := make(map[string]Result)
		var objects []string
		add := func(name string, r Result) {
			g, object := sensorKey(name)
			if g != group {
				return
			}
			old, known := worst[object]
			if !known {
				objects = append(objects, object)
			}
			if !known || r.worse(old) {
				worst[object] = r
			}
		}
		for _, x := range s.Sensors {
			add(x.Name, measured(x))
		}
		for _, x := range slices.Concat(s.PowerSupplies, s.Fans) {
			add(x.Name, stated(x))
		}
		for _, object := range objects {
			r := worst[object]
			r.At = p.Sensors.Asked()
			emit(r.on(object))
		}
		if len(s.Sensors) > 0 {
			emit(Result{All: true, At: p.Sensors.Asked()})
		}
	}}
}

// worse orders results for the sensors of one object. A value in the band keeps
// an alarm active; a sensor that could not be read counts less than the others.
func (r Result) worse(than Result) bool {
	rank := func(r Result) int {
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

// stated returns the condition that the controller states of a part: "Presence
// detected", "Failure detected", "OK", "No Reading". Of several words, joined
// by commas, the worst counts.
func stated(x hsm.Fan) Result {
	r := Result{Condition: alarms.Good, Text: x.Name + ": " + x.Status}
	for word := range strings.SplitSeq(strings.ToLower(x.Status), ",") {
		word = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(word), "*"))
		severity, known := partWords[word]
		switch {
		case slices.Contains(unreadWords, word):
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

// chassisWords are the lines of the chassis status that tell of a fault: the
// word when all is well, the word of the fault, and how bad that is.
var chassisWords = []struct {
	name, well, fault string
	severity          alarms.Severity
}{
	{"Chassis Intrusion", "inactive", "active", alarms.Critical},
	{"Main Power Fault", "false", "true", alarms.Major},
	{"Power Control Fault", "false", "true", alarms.Major},
	{"Power Overload", "false", "true", alarms.Major},
	{"Drive Fault", "false", "true", alarms.Major},
	{"Cooling/Fan Fault", "false", "true", alarms.Major},
}

// applianceChassis warns of faults in the chassis status.
var applianceChassis = Rule{"appliance-chassis", func(p Poll, emit func(Result)) {
	s, ok := p.Sensors.Get(p.Now)
	if !ok {
		return
	}
	for _, x := range chassisWords {
		at := p.Sensors.Asked()
		switch word, stated := s.Chassis[x.name]; {
		case !stated:
		case strings.EqualFold(word, x.well):
			emit(good(at, "%s: %s", x.name, word).on(x.name))
		case strings.EqualFold(word, x.fault):
			emit(bad(x.severity, at, "%s: %s", x.name, word).on(x.name))
		default:
			emit(bad(alarms.Indeterminate, at, "%s: %s, a word that Lunawatch does not know", x.name, word).on(x.name))
		}
	}
}}

// measured compares a reading with the sensor's own thresholds, the outer ones
// first. A reading at a threshold is past it, as in the controller's log.
func measured(x hsm.Sensor) Result {
	if !x.Reading.Known {
		return Result{Condition: alarms.Between}
	}
	group, _ := sensorKey(x.Name)
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
			return Result{Condition: alarms.Bad, Severity: sensorSeverity(group, limit.nonrecoverable),
				Text: fmt.Sprintf("%s at %g %s, threshold %g", x.Name, v, x.Unit, limit.at.Value)}.of(v, limit.at.Value, x.Unit)
		case -limit.over < sensorBand(group, x.Unit):
			condition = alarms.Between
		}
	}
	return Result{Condition: condition, Text: fmt.Sprintf("%s at %g %s", x.Name, v, x.Unit)}
}

// sensorSeverity is how bad a passed threshold is.
func sensorSeverity(group string, nonrecoverable bool) alarms.Severity {
	switch {
	case group == "appliance-fan" && !nonrecoverable:
		return alarms.Minor // one of a pair
	case group == "motherboard" && nonrecoverable:
		return alarms.Critical
	}
	return alarms.Major
}

// sensorBand is the controller's own hysteresis, in the sensor's unit.
func sensorBand(group, unit string) float64 {
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
