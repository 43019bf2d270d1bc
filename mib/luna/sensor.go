package luna

import (
	"iter"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A sensor is one row of lunaSensorTable.
type sensor struct {
	mib.Sensor
	unit   string
	value  hsm.Opt[float64]
	status string
	limits mib.Limits
	device mib.Device
}

var sensorTable = mib.Table[sensor]{
	Name:  "lunaSensorTable",
	Entry: lunaObjects.Append(8, 1),
	Parts: mib.ByDevice(func(d mib.Device) []any { return []any{mib.StampOf(d, d.Show), mib.StampOf(d, d.Sensors), d.Condition} }, sensors),
	Columns: []mib.Column[sensor]{
		{3, "lunaSensorLabel", func(s sensor) agentx.Value { return text(s.Name) }},
		{4, "lunaSensorUnit", func(s sensor) agentx.Value { return known(s.unit) }},
		{5, "lunaSensorValue", func(s sensor) agentx.Value { return milli(s.value) }},
		{6, "lunaSensorLowerLimit", func(s sensor) agentx.Value { return milli(s.limits.Lower) }},
		{7, "lunaSensorUpperLimit", func(s sensor) agentx.Value { return milli(s.limits.Upper) }},
		{8, "lunaSensorLowerFatal", func(s sensor) agentx.Value { return milli(s.limits.LowerFatal) }},
		{9, "lunaSensorUpperFatal", func(s sensor) agentx.Value { return milli(s.limits.UpperFatal) }},
		{10, "lunaSensorStatus", func(s sensor) agentx.Value { return known(s.status) }},
		{11, "lunaSensorState", func(s sensor) agentx.Value {
			if judged, ok := s.device.Condition.Sensors[s.Sensor]; ok {
				return state(judged)
			}
			return state(mib.StateUnknown)
		}},
	},
}

// sensors yields those of the card and of the appliance.
func sensors(d mib.Device) iter.Seq2[agentx.OID, sensor] {
	return func(yield func(agentx.OID, sensor) bool) {
		for _, s := range slices.Concat(ofCard(d), ofAppliance(d)) {
			s.device = d
			if s.Name != "" && !yield(mib.Text(d.Index.Append(uint32(s.Part)), s.Name[:min(len(s.Name), 46)]), s) {
				return
			}
		}
	}
}

// ofCard returns the battery, the temperature and the fans of the card, which has no
// battery or temperature where none is printed.
func ofCard(d mib.Device) (list []sensor) {
	s, fresh := d.Show.Get(d.Source.Now)
	if !fresh || s.Environment == nil {
		return nil
	}
	e := s.Environment
	if e.BatteryVolts.Known || e.BatteryLow {
		list = append(list, sensor{Sensor: mib.CardBattery, unit: "V", value: e.BatteryVolts, limits: d.Condition.Battery})
	}
	if e.TemperatureCelsius.Known || e.TemperatureHigh {
		list = append(list, sensor{Sensor: mib.CardTemperature, unit: "C", value: e.TemperatureCelsius, limits: d.Condition.Temperature})
	}
	return append(list, named(mib.CardSensor, e.Fans)...)
}

func ofAppliance(d mib.Device) (list []sensor) {
	s, fresh := d.Sensors.Get(d.Source.Now)
	if !fresh {
		return nil
	}
	for _, x := range s.Sensors {
		list = append(list, sensor{
			Sensor: mib.Sensor{Part: mib.BoardSensor, Name: x.Name}, unit: x.Unit, value: x.Reading, status: x.Status,
			limits: mib.Limits{Lower: x.LowerCritical, Upper: x.UpperCritical, LowerFatal: x.LowerNonrecoverable, UpperFatal: x.UpperNonrecoverable},
		})
	}
	return slices.Concat(list, named(mib.PowerSupply, s.PowerSupplies), named(mib.ApplianceFan, s.Fans))
}

// named returns fans and power supplies, which have a word for their state.
func named(part mib.SensorPart, fans []hsm.Fan) (list []sensor) {
	for _, f := range fans {
		s := sensor{Sensor: mib.Sensor{Part: part, Name: f.Name}, value: f.RPM, status: f.Status}
		if f.RPM.Known {
			s.unit = "RPM"
		}
		list = append(list, s)
	}
	return list
}
