package rules

import (
	"fmt"
	"regexp"
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

// sensorRule judges the sensors of one group by their own thresholds and by
// what the controller says of them. An object is as bad as its worst sensor,
// and good when at least one sensor is and no other tells otherwise.
func sensorRule(group string) Rule {
	return Rule{group, func(p Poll, say func(Result)) {
		s, ok := p.Sensors.Get(p.Now)
		if !ok || len(s.Sensors) == 0 {
			return
		}
		worst := make(map[string]Result)
		var objects []string
		add := func(name string, o Result) {
			g, object := sensorKey(name)
			if g != group {
				return
			}
			old, known := worst[object]
			if !known {
				objects = append(objects, object)
			}
			if !known || o.worse(old) {
				worst[object] = o
			}
		}
		for _, x := range s.Sensors {
			add(x.Name, measured(x))
		}
		for _, x := range s.PowerSupplies {
			add(x.Name, stated(x))
		}
		for _, object := range objects {
			o := worst[object]
			o.At = p.Sensors.Asked()
			say(o.on(object))
		}
		say(Result{All: true, At: p.Sensors.Asked()})
	}}
}

// worse orders opinions on sensors of one object. A value in the band holds an
// alarm; a sensor that could not be read leaves the word to the others.
func (o Result) worse(than Result) bool {
	rank := func(o Result) int {
		switch {
		case o.Condition == alarms.Bad:
			return 2 + int(o.Severity)
		case o.Condition == alarms.Between && o.Text != "":
			return 2
		case o.Condition == alarms.Good:
			return 1
		}
		return 0
	}
	return rank(o) > rank(than)
}

// stated judges what the controller says of a part: "Presence detected",
// "Failure detected", "OK", "No Reading".
func stated(x hsm.Fan) Result {
	switch {
	case strings.EqualFold(x.Status, "Failure detected"):
		return Result{Condition: alarms.Bad, Severity: alarms.Major, Text: x.Name + ": failure detected"}
	case strings.EqualFold(x.Status, "Presence detected"), strings.EqualFold(x.Status, "OK"):
		return Result{Condition: alarms.Good, Text: x.Name + ": " + x.Status}
	}
	return Result{Condition: alarms.Between}
}

// measured compares a reading with the sensor's own thresholds, the outer
// first. At a threshold it is passed already, as in the controller's log.
func measured(x hsm.Sensor) Result {
	if !x.Reading.Known {
		return Result{Condition: alarms.Between}
	}
	group, _ := sensorKey(x.Name)
	v, verdict := x.Reading.Value, alarms.Good
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
			verdict = alarms.Between
		}
	}
	return Result{Condition: verdict, Text: fmt.Sprintf("%s at %g %s", x.Name, v, x.Unit)}
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
