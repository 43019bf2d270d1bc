package alarms

import "strings"

// battery warns against the device's own threshold, and clears a margin above
// it, so that a voltage on the edge does not flap.
var battery = Rule{"battery", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil || !s.Environment.BatteryVolts.Known {
		return
	}
	e, at := s.Environment, p.Show.At
	limit := 2.75 // the documented threshold, where the device does not print its own
	if e.BatteryWarning.Known {
		limit = e.BatteryWarning.Value
	}
	switch v := e.BatteryVolts.Value; {
	case v < 2.5:
		say(bad(Critical, at, "battery at %.3f V, depleted below 2.500 V", v))
	case v < limit || e.BatteryLow:
		say(bad(Minor, at, "battery at %.3f V, threshold %.3f V", v, limit))
	case v >= limit+p.BatteryMargin:
		say(good(at, "battery at %.3f V", v))
	}
}}

// temperature warns against the device's own threshold, and clears a margin
// below it.
var temperature = Rule{"temp-warn", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil || !s.Environment.TemperatureCelsius.Known {
		return
	}
	e, at := s.Environment, p.Show.At
	limit := 75.0
	if e.TemperatureWarning.Known {
		limit = e.TemperatureWarning.Value
	}
	switch c := e.TemperatureCelsius.Value; {
	case c >= 80:
		say(bad(Major, at, "card at %.0f C, stops above 80 C", c))
	case c >= limit || e.TemperatureHigh:
		say(bad(Minor, at, "card at %.0f C, threshold %.0f C", c, limit))
	case c < limit-p.TemperatureMargin:
		say(good(at, "card at %.0f C", c))
	}
}}

// cardFans tells of a failed fan on the card; both failed is worse.
var cardFans = Rule{"fan", func(p Poll, say func(Opinion)) {
	s, ok := p.Show.Get(p.Now)
	if !ok || s.Environment == nil || len(s.Environment.Fans) == 0 {
		return
	}
	var failed []string
	for _, f := range s.Environment.Fans {
		if strings.EqualFold(f.Status, "failed") {
			failed = append(failed, f.Name)
		}
	}
	switch len(failed) {
	case 0:
		say(good(p.Show.At, "fans run"))
	case 1:
		say(bad(Minor, p.Show.At, "%s failed", failed[0]))
	default:
		say(bad(Major, p.Show.At, "%s failed", strings.Join(failed, ", ")))
	}
}}
