// Package alarms decides from Snapshots and log lines what is wrong, remembers
// it, and tells people.
//
// The data walks one way: a rule judges a Snapshot or a line, [Eval] turns
// judgements into changes, the journal stores them together with the log's
// cursor and the notifications they cause, and a notifier delivers those.
package alarms

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Severity is the perceived severity of X.733, mildest first.
type Severity int

// The perceived severities. None is of events that raise nothing.
const (
	None Severity = iota
	SeverityCleared
	Indeterminate
	Warning
	Minor
	Major
	Critical
)

var severityNames = []string{"none", "cleared", "indeterminate", "warning", "minor", "major", "critical"}

func (s Severity) String() string { return severityNames[s] }

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(b []byte) error {
	i := slices.Index(severityNames, string(b))
	if i < 0 {
		return fmt.Errorf("%q is none of indeterminate, warning, minor, major, critical", b)
	}
	*s = Severity(i)
	return nil
}

// A Key identifies an alarm: there is at most one of a group on one object.
type Key struct {
	Device string `json:"device"`
	Group  string `json:"group"`            // of [Groups]
	Object string `json:"object,omitempty"` // partition, sensor, source, card; "" for the device
	Test   bool   `json:"test,omitempty"`   // from a line that "sysconf snmp trap test" made
}

func (k Key) String() string {
	s := k.Device + "/" + k.Group
	if k.Object != "" {
		s += "/" + k.Object
	}
	if k.Test {
		s += " (test)"
	}
	return s
}

// An Alarm is one problem, from when it was raised until it is cleared.
type Alarm struct {
	Key
	Number   uint64     `json:"number,omitzero"` // counts alarms as they are raised; 0 before that
	Severity Severity   `json:"severity"`        // the worst since it was raised
	Type     string     `json:"type"`            // X.733 event type
	Cause    string     `json:"cause"`           // X.733 probable cause
	Text     string     `json:"text"`
	Codes    []string   `json:"codes,omitempty"` // ALM codes that took part
	Raised   time.Time  `json:"raised,omitzero"`
	Last     time.Time  `json:"last,omitzero"`      // time of the newest evidence that it stands
	Cleared  time.Time  `json:"cleared,omitzero"`   // zero while it stands
	Expires  time.Time  `json:"expires,omitzero"`   // when it ends by itself
	RaisesAt time.Time  `json:"raises_at,omitzero"` // not raised yet: when it will be, unless it is over before
	EndsAt   time.Time  `json:"ends_at,omitzero"`   // over, but still standing: when it ends, unless it comes back
	Count    int        `json:"count,omitzero"`     // times it was seen while it stood
	Evidence []Evidence `json:"evidence,omitempty"` // the first and the newest, oldest first
	Serial   string     `json:"serial,omitempty"`   // of the HSM
	Ack      *Ack       `json:"ack,omitempty"`      // nil: nobody has acknowledged it
	Flapping bool       `json:"flapping,omitempty"` // it comes and goes, and stands meanwhile
	InStorm  bool       `json:"in_storm,omitempty"` // raised in a storm: told in its summary only

	Begun    []time.Time `json:"begun,omitempty"`    // when it lately began or came back
	SteadyAt time.Time   `json:"steady_at,omitzero"` // when it no longer flaps, unless it ends and comes back
}

// An Ack is somebody's word that an alarm is being looked after. A worse
// severity ends it.
type Ack struct {
	By      string    `json:"by"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// An Evidence is what led to a judgement.
type Evidence struct {
	At      time.Time `json:"at"`
	Text    string    `json:"text"`              // the log line, or the value and its threshold
	Measure *Measure  `json:"measure,omitempty"` // nil: it is no number
	Log     *LogPlace `json:"log,omitempty"`     // nil: not from a log
}

// A Measure is a value that was compared with a threshold.
type Measure struct {
	Value     float64 `json:"value"`
	Threshold float64 `json:"threshold"`
	Unit      string  `json:"unit"` // V, C, ratio, RPM, ...
}

// Measure returns the newest value that led to the alarm; nil: it was no number.
func (a Alarm) Measure() *Measure {
	for _, e := range slices.Backward(a.Evidence) {
		if e.Measure != nil {
			return e.Measure
		}
	}
	return nil
}

// A LogPlace is where a line stands in an appliance's log.
type LogPlace struct {
	Host    string `json:"host"`
	File    string `json:"file"`    // base name
	Time    string `json:"time"`    // as printed: 2026 Mar  1 12:00:00
	Process string `json:"process"` // with [pid] where printed
}

// A Condition is how a thing stands.
type Condition int

// The verdicts. Between is the band in which a standing alarm stays and a new
// one is not raised, and of what is there but could not be read.
const (
	Good Condition = iota
	Between
	Bad
)

// A Finding says how one thing stands, and why.
type Finding struct {
	Key
	Condition Condition
	Severity  Severity // of a Bad one
	Again     Severity // of one that is seen again while it stands; None: the same
	Text      string
	Code      string        // the ALM code, if one was seen
	Clears    []string      // a Good one of a clear code: the codes that it ends
	Evidence  Evidence      // its time orders judgements; see Eval
	Age       time.Duration // how long a Bad one stands by itself; 0: until cleared
	Serial    string
}

// A Change is one step in the life of an alarm.
type Change struct {
	Kind  Kind  `json:"kind"`
	Alarm Alarm `json:"alarm,omitzero"` // zero of a sign of life
}

// A Kind is what happened to an alarm.
type Kind string

// The kinds of change. Updated is a worse severity, that it flaps, or why a
// link was lost. Seen, Pending and Dropped only move the engine: people are not told.
const (
	Raised         Kind = "raised"
	Updated        Kind = "updated"
	Acknowledged   Kind = "acknowledged"
	Unacknowledged Kind = "unacknowledged"
	Cleared        Kind = "cleared"
	Seen           Kind = "seen"
	Pending        Kind = "pending" // it will be raised unless it is over before
	Dropped        Kind = "dropped" // it was over before
)

// Compare orders alarms for people: worst first, then oldest first.
func (a Alarm) Compare(b Alarm) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Raised.Compare(b.Raised), a.Key.compare(b.Key))
}

func LogTime(t time.Time) string { return t.Format("2006 Jan _2 15:04:05") }

// IsTest reports whether a was raised to test the receivers.
func (a Alarm) IsTest() bool { return a.Device == Self && a.Group == "test" }
