package rules

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms/sensors"
	"github.com/lunawatch/lunawatch/hsm"
)

// The sensors of an appliance's baseboard controller, by group.
var (
	applianceFans = sensorRule("appliance-fan")
	powerSupplies = sensorRule("power-supply")
	motherboard   = sensorRule("motherboard")
)

// sensorRule evaluates the sensors of one group by their own thresholds and by
// what the controller says of them.
func sensorRule(group string) Rule {
	return Rule{group, func(p Poll, emit func(Result)) {
		s, ok := p.Sensors.Get(p.Now)
		if !ok {
			return
		}
		for _, r := range sensors.Judge(s) {
			if r.Group == group {
				emit(ofReading(r, p.Sensors.Asked()))
			}
		}
		if len(s.Sensors) > 0 {
			emit(allOf(p.Sensors))
		}
	}}
}

// applianceChassis warns of faults in the chassis status.
var applianceChassis = Rule{"appliance-chassis", func(p Poll, emit func(Result)) {
	s, ok := p.Sensors.Get(p.Now)
	if !ok {
		return
	}
	for _, r := range sensors.Chassis(s) {
		emit(ofReading(r, p.Sensors.Asked()))
	}
}}

func ofReading(r sensors.Reading, at time.Time) Result {
	return Result{Object: r.Object, Condition: r.Condition, Severity: r.Severity, Text: r.Text, Measure: r.Measure, At: at}
}

// What lines of the log name and state, as polls do.
var sensorName, sensorKey = sensors.Name, sensors.Key

func measured(x hsm.Sensor) Result { return ofReading(sensors.Measured(x), time.Time{}) }
