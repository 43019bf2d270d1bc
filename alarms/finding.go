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
