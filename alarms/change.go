package alarms

// A Change is one step in the life of an alarm.
type Change struct {
	Kind  Kind  `json:"kind"`
	Alarm Alarm `json:"alarm,omitzero"` // zero for a heartbeat
}

// A Kind is what happened to an alarm.
type Kind string

// The kinds of change. Updated is a worse severity, that it flaps, or why a
// link was lost. Seen, Pending and Dropped concern the engine only: nobody is
// notified of them.
const (
	Raised         Kind = "raised"
	Updated        Kind = "updated"
	Acknowledged   Kind = "acknowledged"
	Unacknowledged Kind = "unacknowledged"
	Cleared        Kind = "cleared"
	Seen           Kind = "seen"
	Pending        Kind = "pending" // it will be raised unless its cause ends before
	Dropped        Kind = "dropped" // its cause ended before
)
