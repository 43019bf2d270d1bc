package alarms

import (
	"time"
)

// The kinds that only notifications have. Started and Heartbeat are heartbeats
// of the agent itself, without an alarm; Repeated is a change that the receiver
// was notified of before; RaisedAndCleared is an alarm that had cleared before
// the receiver could be notified of it; Batch is several notifications in one.
const (
	Started          Kind = "started"
	Heartbeat        Kind = "heartbeat"
	Repeated         Kind = "repeated"
	RaisedAndCleared Kind = "raised and cleared"
	Batch            Kind = "batch"
)

// A Notification is one change that a receiver is notified of.
type Notification struct {
	ID       string    `json:"id"`       // the same at every retry
	Sequence uint64    `json:"sequence"` // of its queue
	At       time.Time `json:"at"`
	Change   Change    `json:"change"`
	Address  string    `json:"address"` // of the device; "" if it has none
	Label    string    `json:"label"`   // of the HSM; "" if it is not known

	Batch []Notification `json:"batch,omitempty"` // the notifications in it, each as if it were sent alone
}

// IsHeartbeat reports whether n is of the agent itself, without an alarm.
func (n Notification) IsHeartbeat() bool {
	return n.Change.Kind == Started || n.Change.Kind == Heartbeat
}
