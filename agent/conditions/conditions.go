// Package conditions says how every device is, for SNMP, as "lunawatch status" does.
package conditions

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/sensors"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
)

// Conditions are how all devices are, as [glance.Of] says. Only what has changed is judged
// anew. The zero value is ready; its methods are safe for concurrent use.
type Conditions struct {
	mu   sync.Mutex
	seen map[string]judged
}

// A judged device is what its condition was made from.
type judged struct {
	device    *hsm.Device
	until     time.Time    // when something of it becomes stale; zero: never
	alarms    []*mib.Alarm // equal pointers are equal alarms
	condition *mib.Condition
	counted   counted
}

// Of returns the condition of every device of a snapshot, and of what else has alarms, by
// name. active returns the alarms of rows, and is called only if something has changed.
func (c *Conditions) Of(snap *hsm.Snapshot, rows []*mib.Alarm, active func() []alarms.Active, now time.Time) map[string]*mib.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	byDevice, all := make(map[string][]*mib.Alarm), make(map[string]*mib.Condition, len(snap.Devices))
	for _, a := range rows {
		byDevice[a.Device] = append(byDevice[a.Device], a)
	}
	full := sync.OnceValue(func() map[string][]alarms.Active {
		m := make(map[string][]alarms.Active)
		for _, a := range active() {
			m[a.Device] = append(m[a.Device], a)
		}
		return m
	})
	next := make(map[string]judged, len(snap.Devices))
	judge := func(name string, d *hsm.Device) {
		j, list := c.seen[name], byDevice[name]
		if delete(byDevice, name); j.condition == nil || j.device != d || !slices.Equal(j.alarms, list) || !j.until.IsZero() && now.After(j.until) {
			j.judge(d, full()[name], now)
			j.alarms = list
		}
		if j.condition != nil {
			next[name], all[name] = j, j.condition
		}
	}
	for _, d := range snap.Devices {
		judge(d.Name, d)
	}
	for name := range byDevice {
		judge(name, nil)
	}
	c.seen = next
	return all
}

// judge replaces the condition of j if it has changed. d is nil for what is no device, or
// none any more.
func (j *judged) judge(d *hsm.Device, active []alarms.Active, now time.Time) {
	one := &hsm.Snapshot{}
	if d != nil {
		one.Devices = []*hsm.Device{d}
	}
	list := glance.Of(one, active, now).Rows
	if len(list) == 0 { // its alarms are tests, or have just cleared
		j.condition = nil
		return
	}
	if d == nil {
		d = new(hsm.Device)
	} else {
		j.device, j.until = d, d.NextExpiry(now)
	}
	next := conditionOf(list[0], d, now)
	if j.condition != nil {
		next.Discontinuity = j.condition.Discontinuity
	}
	if at := j.counted.take(d); !at.IsZero() {
		next.Discontinuity = at
	}
	if j.condition == nil || !reflect.DeepEqual(*j.condition, next) {
		j.condition = &next
	}
}

var shownStates = map[glance.State]mib.State{glance.OK: mib.StateOK, glance.Warning: mib.StateWarning, glance.Critical: mib.StateCritical, glance.Unknown: mib.StateUnknown}

func conditionOf(r glance.Row, d *hsm.Device, now time.Time) mib.Condition {
	return mib.Condition{
		State: shownStates[r.State], Reason: r.Reason, Since: r.Since, Alarms: r.Alarms, Severity: max(mib.Severity(r.Severity), mib.Cleared),
		Battery:     mib.Limits{Lower: r.BatteryLow, LowerFatal: hsm.Some(rules.BatteryDepleted)},
		Temperature: mib.Limits{Upper: r.TemperatureHigh, UpperFatal: hsm.Some(rules.TemperatureStops)},
		Sensors:     sensorStates(r, d, now),
	}
}

// sensorStates judges what the sensors read now: by the limits of the alarms, without the
// margins by which they clear.
func sensorStates(r glance.Row, d *hsm.Device, now time.Time) map[mib.Sensor]mib.State {
	states := make(map[mib.Sensor]mib.State)
	if s, fresh := d.Show.Get(now); fresh && s.Environment != nil {
		e := s.Environment
		states[mib.CardBattery] = cardState(e.BatteryVolts, e.BatteryLow, func(v float64) bool { return v < r.BatteryLow.Value }, func(v float64) bool { return v < rules.BatteryDepleted })
		states[mib.CardTemperature] = cardState(e.TemperatureCelsius, e.TemperatureHigh, func(v float64) bool { return v >= r.TemperatureHigh.Value }, func(v float64) bool { return v >= rules.TemperatureStops })
		for _, f := range e.Fans {
			states[mib.Sensor{Part: mib.CardSensor, Name: f.Name}] = fanState(sensors.FanWorks(f))
		}
	}
	if s, fresh := d.Sensors.Get(now); fresh {
		for _, x := range s.Sensors {
			states[mib.Sensor{Part: mib.BoardSensor, Name: x.Name}] = readState(sensors.Measured(x), x.Reading.Known)
		}
		for _, x := range s.PowerSupplies {
			states[mib.Sensor{Part: mib.PowerSupply, Name: x.Name}] = readState(sensors.Stated(x), false)
		}
		for _, x := range s.Fans {
			states[mib.Sensor{Part: mib.ApplianceFan, Name: x.Name}] = readState(sensors.Stated(x), false)
		}
	}
	return states
}

// cardState is how a value of the card is; warns: the HSM prints its own warning.
func cardState(v hsm.Opt[float64], warns bool, low, fatal func(float64) bool) mib.State {
	switch {
	case v.Known && fatal(v.Value):
		return mib.StateCritical
	case warns, v.Known && low(v.Value):
		return mib.StateWarning
	case v.Known:
		return mib.StateOK
	}
	return mib.StateUnknown
}

func fanState(works hsm.Opt[bool]) mib.State {
	switch {
	case !works.Known:
		return mib.StateUnknown
	case works.Value:
		return mib.StateOK
	}
	return mib.StateWarning
}

// readState is how a sensor of the appliance is. A number within the limits is ok also
// where an alarm on it would not clear yet.
func readState(r sensors.Reading, number bool) mib.State {
	switch {
	case r.Condition == alarms.Bad && r.Severity == alarms.Indeterminate:
		return mib.StateUnknown // a word that Lunawatch does not know
	case r.Condition == alarms.Bad && r.Severity >= alarms.Major:
		return mib.StateCritical
	case r.Condition == alarms.Bad:
		return mib.StateWarning
	case r.Condition == alarms.Good, number:
		return mib.StateOK
	}
	return mib.StateUnknown
}

// counted is what the counters of an HSM were last.
type counted struct {
	serial   string
	counters [4]uint64 // uptime, commands, operation requests, requests by kind
}

// take notes the counters of d. It returns when they were read if one of them has begun
// again, or the unit is another; zero: neither.
func (c *counted) take(d *hsm.Device) (again time.Time) {
	next, at := c.counters, d.Show.At
	if n := len(d.Monitor.Value.Samples); n > 0 {
		s := d.Monitor.Value.Samples[n-1]
		next[0], next[1] = s.UptimeSeconds, s.Commands
		at = alarms.Later(at, d.Monitor.At)
	}
	if r := d.Information.Value.OperationRequests; r.Known {
		next[2], at = r.Value, alarms.Later(at, d.Information.At)
	}
	if !d.Operations.IsZero() {
		next[3], at = 0, alarms.Later(at, d.Operations.At)
		for _, p := range d.Operations.Value.Partitions {
			for _, n := range p.Requests {
				next[3] += n
			}
		}
	}
	fell := c.serial != "" && d.Serial() != c.serial
	for i := range next {
		fell = fell || next[i] < c.counters[i]
	}
	c.serial, c.counters = d.Serial(), next
	if !fell {
		return time.Time{}
	}
	return at
}
