package alarms

import (
	"time"
)

// Signs of life of the agent itself, without an alarm.
const (
	Started   Kind = "started"
	Heartbeat Kind = "heartbeat"
)

// A Notification is one change that a receiver is told of.
type Notification struct {
	ID       string    `json:"id"`       // the same at every retry
	Sequence uint64    `json:"sequence"` // of its queue
	At       time.Time `json:"at"`
	Change   Change    `json:"change"`
	Address  string    `json:"address"` // of the device; "" if it has none
	Label    string    `json:"label"`   // of the HSM; "" if it is not known
}

// IsHeartbeat reports whether n is a sign of life, without an alarm.
func (n Notification) IsHeartbeat() bool {
	return n.Change.Kind == Started || n.Change.Kind == Heartbeat
}

// Repeated is what was told before, told again.
const Repeated Kind = "repeated"
