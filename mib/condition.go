package mib

import (
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// A Condition is how a device is: what its values alone do not say. It is not changed once
// it is in a [Source]: one that differs is at another address.
type Condition struct {
	State    State
	Reason   string    // "": it is ok
	Since    time.Time // zero: not known
	Alarms   int       // active, without tests
	Severity Severity  // of the worst of them; Cleared: there is none

	Battery, Temperature Limits           // of the HSM card, in volts and degrees Celsius
	Sensors              map[Sensor]State // what cannot be read is unknown
	Discontinuity        time.Time        // when its counters were last seen to begin again; zero: never
}

// A Sensor is a sensor of a device, by its name there.
type Sensor struct {
	Part SensorPart
	Name string
}

// A SensorPart is what a sensor is a part of, with its number in lunaSensorPart.
type SensorPart int32

// The parts.
const (
	CardSensor SensorPart = iota + 1
	BoardSensor
	PowerSupply
	ApplianceFan
)

// The sensors of an HSM card that have no name of their own.
var (
	CardBattery     = Sensor{CardSensor, "Battery"}
	CardTemperature = Sensor{CardSensor, "Temperature"}
)

// A State is how well a device or a sensor is.
type State int32

// The states, with their numbers in LunaState of LUNAWATCH-MIB.
const (
	StateOK State = iota + 1
	StateWarning
	StateCritical
	StateUnknown
)

// Limits are where alarms on a value are raised, and beyond which the device cannot go on.
type Limits struct{ Lower, Upper, LowerFatal, UpperFatal hsm.Opt[float64] }

// Ticks returns t in hundredths of a second since the agent started, modulo 2^32; 0 for
// a time before that, as RFC 3877 has it.
func Ticks(started, t time.Time) agentx.Value {
	if t.Before(started) {
		return agentx.TimeTicks(0)
	}
	return agentx.TimeTicks(uint32(t.Sub(started) / (10 * time.Millisecond)))
}
