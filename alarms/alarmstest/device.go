package alarmstest

import (
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// Read makes a section that was asked for at the start of a story and may be
// believed for ten minutes.
func Read[T any](v T) hsm.Section[T] { return ReadAt(0, v) }

// ReadAt is [Read] for a section that was asked for at a second.
func ReadAt[T any](second int, v T) hsm.Section[T] {
	return hsm.Section[T]{At: At(second).Add(2 * time.Second), Took: 2 * time.Second, MaxAge: 10 * time.Minute, Value: v}
}

// Sensor returns a sensor with a reading and its thresholds: lower
// non-recoverable, lower critical, upper critical, upper non-recoverable; 0:
// none.
func Sensor(name string, reading float64, unit string, lnr, lc, uc, unr float64) hsm.Sensor {
	s := hsm.Sensor{Name: name, Reading: hsm.Some(reading), Unit: unit}
	for _, x := range []struct {
		to *hsm.Opt[float64]
		v  float64
	}{{&s.LowerNonrecoverable, lnr}, {&s.LowerCritical, lc}, {&s.UpperCritical, uc}, {&s.UpperNonrecoverable, unr}} {
		if x.v != 0 {
			*x.to = hsm.Some(x.v)
		}
	}
	return s
}

// ApplianceFan returns a fan sensor of an appliance at a speed in RPM.
func ApplianceFan(name string, rpm float64) hsm.Sensor {
	return Sensor(name, rpm, "RPM", 1000, 2000, 0, 0)
}
