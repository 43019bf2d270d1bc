package rules

import (
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/sensors"
)

// The limits of a card's battery and temperature. BatteryLow and TemperatureHigh are the
// documented ones, where the device prints none of its own.
const (
	BatteryLow       = 2.75 // V
	BatteryDepleted  = 2.5  // V
	TemperatureHigh  = 75.0 // C
	TemperatureStops = 80.0 // C
)

// battery warns against the device's own threshold, and clears a margin above
// it, so that a voltage on the edge does not flap.
var battery = Rule{"battery", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil {
		return
	}
	e, at := s.Environment, p.Show.Asked()
	v, limit := e.BatteryVolts.Value, BatteryLow
	if e.BatteryWarning.Known {
		limit = e.BatteryWarning.Value
	}
	switch {
	case !e.BatteryVolts.Known && e.BatteryLow:
		emit(bad(alarms.Minor, at, "the HSM warns of its battery"))
	case !e.BatteryVolts.Known:
	case v < BatteryDepleted:
		emit(bad(alarms.Critical, at, "battery at %.3f V, depleted below 2.500 V", v).of(v, BatteryDepleted, "V"))
	case v < limit || e.BatteryLow:
		emit(bad(alarms.Minor, at, "battery at %.3f V, threshold %.3f V", v, limit).of(v, limit, "V"))
	case v >= limit+p.BatteryMargin:
		emit(good(at, "battery at %.3f V", v).of(v, limit, "V"))
	}
}}

// temperature warns against the device's own threshold, and clears a margin
// below it.
var temperature = Rule{"temp-warn", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil {
		return
	}
	e, at := s.Environment, p.Show.Asked()
	c, limit := e.TemperatureCelsius.Value, TemperatureHigh
	if e.TemperatureWarning.Known {
		limit = e.TemperatureWarning.Value
	}
	switch {
	case !e.TemperatureCelsius.Known && e.TemperatureHigh:
		emit(bad(alarms.Minor, at, "the HSM warns of its temperature"))
	case !e.TemperatureCelsius.Known:
	case c >= TemperatureStops:
		emit(bad(alarms.Major, at, "card at %.0f C, stops above 80 C", c).of(c, TemperatureStops, "C"))
	case c >= limit || e.TemperatureHigh:
		emit(bad(alarms.Minor, at, "card at %.0f C, threshold %.0f C", c, limit).of(c, limit, "C"))
	case c < limit-p.TemperatureMargin:
		emit(good(at, "card at %.0f C", c).of(c, limit, "C"))
	}
}}

// cold warns of a card below its range: at -2 C it stops.
var cold = Rule{"temp-low", func(p Poll, emit func(Result)) {
	const stops, warning = -2.0, 2.0
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil || !s.Environment.TemperatureCelsius.Known {
		return
	}
	switch c, at := s.Environment.TemperatureCelsius.Value, p.Show.Asked(); {
	case c <= stops:
		emit(bad(alarms.Major, at, "card at %.0f C, stops below %.0f C", c, stops).of(c, stops, "C"))
	case c <= warning:
		emit(bad(alarms.Minor, at, "card at %.0f C, threshold %.0f C", c, warning).of(c, warning, "C"))
	case c > warning+p.TemperatureMargin:
		emit(good(at, "card at %.0f C", c).of(c, warning, "C"))
	}
}}

// cardFans warns of a fan on the card that does not work; both are worse.
var cardFans = Rule{"fan", func(p Poll, emit func(Result)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil {
		return
	}
	var failed, unknown []string
	run := 0
	for _, f := range s.Environment.Fans {
		works := sensors.FanWorks(f)
		switch {
		case f.Status == "":
		case !works.Known:
			unknown = append(unknown, f.Name+" is "+f.Status)
		case works.Value:
			run++
		default:
			failed = append(failed, f.Name)
		}
	}
	switch {
	case len(failed) > 1:
		emit(bad(alarms.Major, p.Show.Asked(), "%s failed", strings.Join(failed, ", ")))
	case len(failed) == 1:
		emit(bad(alarms.Minor, p.Show.Asked(), "%s failed", failed[0]))
	case len(unknown) > 0:
		emit(bad(alarms.Indeterminate, p.Show.Asked(), "%s, a word that Lunawatch does not know", strings.Join(unknown, ", ")))
	case run > 0 && run == len(s.Environment.Fans):
		emit(good(p.Show.Asked(), "fans run"))
	}
}}
