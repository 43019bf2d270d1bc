package alarms

import (
	"time"
)

// A Condition is the state that a finding reports.
type Condition int

// The conditions. Between is the band in which an active alarm stays active and
// a new one is not raised; it is also that of what is there but could not be
// read.
const (
	Good Condition = iota
	Between
	Bad
)

// A Finding is the condition of one thing, and why.
type Finding struct {
	Key
	Condition Condition
	Severity  Severity // of a Bad one
	Again     Severity // of one that is seen again while it is active; None: the same
	Text      string
	Code      string        // the ALM code, if one was seen
	Clears    []string      // a Good one of a clear code: the codes that it clears
	Evidence  Evidence      // its time orders findings; see Eval
	Happened  time.Time     // as the line says; zero: not known
	Age       time.Duration // how long a Bad one keeps the alarm active; 0: until cleared
	Serial    string
}

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
