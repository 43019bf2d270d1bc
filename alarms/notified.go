package alarms

import (
	"time"
)

// Notified is what a receiver was last notified of an alarm.
type Notified struct {
	Number uint64 `json:"number"` // of the alarm
	// Occurrence names what raised the alarm for every agent that heard it; "": only its number does.
	Occurrence string    `json:"occurrence,omitempty"`
	Kind       Kind      `json:"kind"`
	Severity   Severity  `json:"severity"`
	Acked      bool      `json:"acked,omitempty"`
	Flapping   bool      `json:"flapping,omitempty"`
	Text       string    `json:"text,omitempty"` // of a storm's summary
	Cause      string    `json:"cause,omitempty"`
	At         time.Time `json:"at"`
	Lost       Kind      `json:"lost,omitempty"` // what was given up; the receiver is notified again once it answers
}

// Active reports whether the receiver takes the alarm to be active.
func (n Notified) Active() bool {
	return n.Number != 0 && n.Kind != Cleared && n.Kind != RaisedAndCleared
}

// Notified returns what a receiver has been notified of once c is queued for
// it.
func (c Change) Notified(now time.Time) Notified {
	a := c.Alarm
	n := Notified{Number: a.Number, Kind: c.Kind, Severity: a.Severity, Acked: a.Ack != nil, Flapping: a.Flapping, Cause: a.Cause, At: now}
	if a.Key == StormKey {
		n.Text = a.Text
	}
	return n
}
