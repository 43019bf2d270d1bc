// Package alarms is the model of alarms, and the pure engine that turns
// findings into changes. It knows nothing of rules, storage or receivers.
//
// The data flows one way: a rule evaluates a Snapshot or a line, [Eval] turns
// its findings into changes, the journal stores them together with the log's
// cursor and the notifications that they cause, and a notifier delivers those.
package alarms

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Severity is the perceived severity of X.733, mildest first.
type Severity int

// The perceived severities. None is that of events that raise nothing.
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

// String returns the name of s: none, cleared, indeterminate ... critical.
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

// Self is the device of the alarms that Lunawatch raises on itself.
const Self = "lunawatch"

// A Key identifies an alarm: there is at most one of a group on one object.
type Key struct {
	Device string `json:"device"`
	Group  string `json:"group"`            // of [Groups]
	Object string `json:"object,omitempty"` // partition, sensor, source, card; "" for the device
	Test   bool   `json:"test,omitempty"`   // from a line that "sysconf snmp trap test" made
}

// String returns DEVICE/GROUP or DEVICE/GROUP/OBJECT, with " (test)" for a test.
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

// Compare orders keys as their texts do, but for separators.
func (k Key) Compare(other Key) int {
	test := func(k Key) int {
		if k.Test {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(k.Device, other.Device), strings.Compare(k.Group, other.Group),
		strings.Compare(k.Object, other.Object), cmp.Compare(test(k), test(other)))
}

// SortedKeys returns the keys of m in order.
func SortedKeys[T any](m map[Key]T) []Key { return slices.SortedFunc(maps.Keys(m), Key.Compare) }

// An Alarm is one problem, from when it was raised until it is cleared.
type Alarm struct {
	Key
	Number   uint64     `json:"number,omitzero"` // counts alarms as they are raised; 0 before that
	Severity Severity   `json:"severity"`        // the worst since it was raised
	Type     string     `json:"type"`            // X.733 event type
	Cause    string     `json:"cause"`           // X.733 probable cause
	Text     string     `json:"text"`
	Codes    []string   `json:"codes,omitempty"`    // ALM codes that took part
	Happened time.Time  `json:"happened,omitzero"`  // when it began, as the line says that it was raised by; zero: not known
	Raised   time.Time  `json:"raised,omitzero"`    // when that was read
	Last     time.Time  `json:"last,omitzero"`      // time of the newest evidence that it is active
	Cleared  time.Time  `json:"cleared,omitzero"`   // zero while it is active
	Expires  time.Time  `json:"expires,omitzero"`   // when it clears by itself
	RaisesAt time.Time  `json:"raises_at,omitzero"` // not raised yet: when it will be, unless its cause ends before
	EndsAt   time.Time  `json:"ends_at,omitzero"`   // its cause has ended: when it clears, unless it comes back
	Count    int        `json:"count,omitzero"`     // times it was seen while active
	Evidence []Evidence `json:"evidence,omitempty"` // the first and the newest, oldest first
	Serial   string     `json:"serial,omitempty"`   // of the HSM
	Ack      *Ack       `json:"ack,omitempty"`      // nil: nobody has acknowledged it
	Flapping bool       `json:"flapping,omitempty"` // it comes and goes, and stays active meanwhile
	InStorm  bool       `json:"in_storm,omitempty"` // raised in a storm: not notified before that ends
	// AfterStorm: it was held in a storm, and is notified together with others.
	AfterStorm bool `json:"after_storm,omitempty"`

	Begun    []time.Time `json:"begun,omitempty"`    // when it lately began or came back
	SteadyAt time.Time   `json:"steady_at,omitzero"` // when it no longer flaps, unless it begins again
}

// Anchor returns where the status page shows the active alarm of a number.
func Anchor(number uint64) string { return fmt.Sprintf("#alarm-%d", number) }

// Since returns when a began, as well as it is known.
func (a Alarm) Since() time.Time {
	if a.Happened.IsZero() {
		return a.Raised
	}
	return a.Happened
}

// Newest returns the newest time that a states of what has happened.
func (a Alarm) Newest() time.Time {
	newest := Later(Later(a.Raised, a.Last), a.Cleared)
	for _, e := range a.Evidence {
		newest = Later(newest, e.At)
	}
	return newest
}

// Shifted returns a with every time d earlier.
func (a Alarm) Shifted(d time.Duration) Alarm {
	for _, at := range []*time.Time{&a.Happened, &a.Raised, &a.Last, &a.Cleared, &a.Expires, &a.RaisesAt, &a.EndsAt, &a.SteadyAt} {
		if !at.IsZero() {
			*at = at.Add(-d)
		}
	}
	a.Evidence, a.Begun = slices.Clone(a.Evidence), slices.Clone(a.Begun)
	for i := range a.Evidence {
		a.Evidence[i].At = a.Evidence[i].At.Add(-d)
	}
	for i := range a.Begun {
		a.Begun[i] = a.Begun[i].Add(-d)
	}
	if a.Ack != nil {
		ack := *a.Ack
		ack.At = ack.At.Add(-d)
		a.Ack = &ack
	}
	return a
}

// Measure returns the newest value that led to the alarm; nil: it was not a
// number.
func (a Alarm) Measure() *Measure {
	for _, e := range slices.Backward(a.Evidence) {
		if e.Measure != nil {
			return e.Measure
		}
	}
	return nil
}

// DeadLayer returns where the way to the HSM is dead, by the evidence that the text of a
// is of; [hsm.LayerUnknown]: it does not say so.
func (a Alarm) DeadLayer() hsm.Layer {
	for _, e := range slices.Backward(a.Evidence) {
		if e.Text == a.Text {
			return e.Layer
		}
	}
	return hsm.LayerUnknown
}

// LastEvidence returns the newest evidence of a; the zero Evidence: there is
// none.
func (a Alarm) LastEvidence() Evidence {
	if len(a.Evidence) == 0 {
		return Evidence{}
	}
	return a.Evidence[len(a.Evidence)-1]
}

// IsTest reports whether a was raised to test the receivers.
func (a Alarm) IsTest() bool { return a.Device == Self && a.Group == "test" }

// Compare orders alarms for people: worst first, then oldest first.
func (a Alarm) Compare(b Alarm) int {
	return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Raised.Compare(b.Raised), a.Key.Compare(b.Key))
}

// An Active is an active alarm, and what suppresses its notifications.
type Active struct {
	Alarm
	RelatedTo *Key     `json:"related_to,omitempty"` // the alarm that explains it
	Silence   *Silence `json:"silence,omitempty"`
	Title     string   `json:"title"`  // of its group
	Action    string   `json:"action"` // what to do
	// Layer is that of [Alarm.DeadLayer].
	Layer hsm.Layer `json:"layer,omitempty"`
}

// An Ack is an acknowledgement: somebody looks after the alarm. A worse
// severity ends it.
type Ack struct {
	By      string    `json:"by"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// An Evidence is what led to a finding.
type Evidence struct {
	At      time.Time `json:"at"`
	Text    string    `json:"text"`              // the log line, or the value and its threshold
	Measure *Measure  `json:"measure,omitempty"` // nil: it is not a number
	Log     *LogPlace `json:"log,omitempty"`     // nil: not from a log
	Layer   hsm.Layer `json:"layer,omitempty"`   // where the way to the HSM is dead; "": it is not, or it is not known where
}

// A Measure is a value that was compared with a threshold.
type Measure struct {
	Value     float64 `json:"value"`
	Threshold float64 `json:"threshold"`
	Unit      string  `json:"unit"` // V, C, ratio, RPM, ...
}

// A LogPlace is where a line is in an appliance's log.
type LogPlace struct {
	Host    string `json:"host"`
	File    string `json:"file"`    // base name
	Time    string `json:"time"`    // as printed: 2026 Mar  1 12:00:00
	Process string `json:"process"` // with [pid] where printed
	// Peer is who sent the line over the network, "192.0.2.7 (udp)"; "": it is
	// from a file.
	Peer      string `json:"peer,omitempty"`
	Untrusted bool   `json:"untrusted,omitempty"` // anybody could have sent it
}

// LogTime formats a time as the appliances' logs do.
func LogTime(t time.Time) string { return t.Format("2006 Jan _2 15:04:05") }

// MaxEvidence bounds how much evidence an alarm keeps: the first and the
// newest.
const MaxEvidence = 6

// WithEvidence returns list with e, at most MaxEvidence of them. It does not
// change list.
func WithEvidence(list []Evidence, e Evidence) []Evidence {
	if len(list) == MaxEvidence {
		list = append(list[:1:1], list[2:]...)
	}
	return append(slices.Clip(list), e)
}

// MaxText bounds the text of an alarm or of its evidence, in bytes.
const MaxText = 500

// Clip cuts a text of any length, such as a log line, to MaxText bytes and an
// ellipsis.
func Clip(s string) string {
	if len(s) <= MaxText {
		return s
	}
	end := MaxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + " ..."
}
