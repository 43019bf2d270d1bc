package entity

import (
	"iter"
	"math"
	"slices"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A scale is how a value of a unit is shown: EntitySensorDataType and
// EntitySensorDataScale of RFC 3433, without digits after the point (precision 0),
// which some managers ignore.
type scale struct {
	kind, scale int32
	times       float64 // of the unit for one of the scale
	display     string
}

const (
	typeOther, typeVolts, typeCelsius, typeRPM int32 = 1, 4, 8, 10

	scaleMilli, scaleUnits int32 = 8, 9

	sensorOK, sensorUnavailable int32 = 1, 2
)

var scales = map[string]scale{
	volts:   {typeVolts, scaleMilli, 1000, "mV"},
	celsius: {typeCelsius, scaleUnits, 1, "degrees C"},
	rpm:     {typeRPM, scaleUnits, 1, "RPM"},
}

// scaleOf returns how values of a unit are shown; one that RFC 3433 does not have, in
// thousandths.
func scaleOf(unit string) scale {
	if s, known := scales[unit]; known {
		return s
	}
	return scale{typeOther, scaleMilli, 1000, "0.001 " + unit}
}

// mostValue is the largest EntitySensorValue, which means an overflow.
const mostValue = 1e9

// value returns the reading in the scale, rounded; a type of 0: there is none.
func (m measure) shown() agentx.Value {
	if !m.readable() {
		return agentx.Value{}
	}
	n := math.Round(m.value.Value * scaleOf(m.unit).times)
	return agentx.Integer(int32(min(max(n, -mostValue), mostValue)))
}

func (m measure) readable() bool { return m.value.Known && !math.IsNaN(m.value.Value) }

// sensorTable has what is measured. What is stale has no row. A sensor that the device
// lists and cannot read is unavailable, and has no value.
var sensorTable = mib.Table[row]{
	Name:  "entPhySensorTable",
	Entry: sensorMIB.Append(1, 1, 1),
	Parts: ofDevices(sensorStamp, func(all []row) iter.Seq2[agentx.OID, row] {
		return eachRow(slices.DeleteFunc(all, func(r row) bool { return r.Class != classSensor || r.measure.unit == "" || !r.fresh() }))
	}),
	Columns: []mib.Column[row]{
		{1, "entPhySensorType", func(r row) agentx.Value { return agentx.Integer(scaleOf(r.measure.unit).kind) }},
		{2, "entPhySensorScale", func(r row) agentx.Value { return agentx.Integer(scaleOf(r.measure.unit).scale) }},
		{3, "entPhySensorPrecision", func(row) agentx.Value { return agentx.Integer(0) }},
		{4, "entPhySensorValue", func(r row) agentx.Value { return r.measure.shown() }},
		{5, "entPhySensorOperStatus", func(r row) agentx.Value {
			if !r.measure.readable() {
				return agentx.Integer(sensorUnavailable)
			}
			return agentx.Integer(sensorOK)
		}},
		{6, "entPhySensorUnitsDisplay", func(r row) agentx.Value { return mib.Admin(scaleOf(r.measure.unit).display) }},
		{7, "entPhySensorValueTimeStamp", func(r row) agentx.Value {
			at, _ := r.read(r.device)
			return mib.SinceStart(*r.src, at)
		}},
		{8, "entPhySensorValueUpdateRate", func(r row) agentx.Value {
			_, maxAge := r.read(r.device)
			return mib.Unsigned32(maxAge.Milliseconds())
		}},
	},
}

// sensorStamp is the stamp of values, and of when TimeStamps count from.
func sensorStamp(src *mib.Source, d *hsm.Device) []any {
	stamp := values(src, d)
	if src.Alarms != nil {
		stamp = append(stamp, src.Alarms.Started)
	}
	return stamp
}
