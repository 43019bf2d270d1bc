package alarms

import (
	"time"
)

// Notified is what a receiver was last told of an alarm.
type Notified struct {
	Number   uint64    `json:"number"` // of the alarm
	Kind     Kind      `json:"kind"`
	Severity Severity  `json:"severity"`
	Acked    bool      `json:"acked,omitempty"`
	Flapping bool      `json:"flapping,omitempty"`
	Text     string    `json:"text,omitempty"` // of a storm
	Cause    string    `json:"cause,omitempty"`
	At       time.Time `json:"at"`
}

// Active reports whether the receiver believes that the alarm stands.
func (t Notified) Active() bool { return t.Number != 0 && t.Kind != Cleared }

// After returns what a receiver has been told once c is on its way.
func (c Change) After(now time.Time) Notified {
	a := c.Alarm
	t := Notified{Number: a.Number, Kind: c.Kind, Severity: a.Severity, Acked: a.Ack != nil, Flapping: a.Flapping, Cause: a.Cause, At: now}
	if a.Key == StormKey {
		t.Text = a.Text
	}
	return t
}
