package mib

import (
	"iter"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

// An Alarm is an alarm as the alarm tables and the notifications show it. An unknown
// text is "".
type Alarm struct {
	Number    uint64 // counts alarms as they are raised; the index of every alarm table
	Model     uint32 // alarmModelIndex of its group
	Key       string // the same for the same problem at any time
	Device    string
	Serial    string // of the HSM
	Label     string // of the HSM
	Partition string
	Object    string // the part of the device that it is about
	Group     string
	Codes     []string // ALM codes
	Component string   // that reported it: host-driver, bootloader, firmware
	Severity  Severity
	EventType string // X.733
	Cause     string // X.733
	Text      string
	Action    string
	Value     string // a decimal number
	Threshold string // a decimal number
	Unit      string
	Raised    time.Time
	Last      time.Time
	Cleared   time.Time // zero while it is active
	Count     int
	AckBy     string // "": not acknowledged
	AckText   string
	AckAt     time.Time
	Silenced  bool
	RelatedTo string // key of the alarm that explains it
	Flapping  bool
	InStorm   bool
	Test      bool
}

// A Severity is a perceived severity of X.733. Its number is alarmModelState.
type Severity uint32

// The perceived severities, mildest first.
const (
	Cleared Severity = iota + 1
	Indeterminate
	Warning
	Minor
	Major
	Critical
)

var severities = []Severity{Cleared, Indeterminate, Warning, Minor, Major, Critical}

// perceived are the severities as ItuPerceivedSeverity of ITU-ALARM-TC-MIB.
var perceived = map[Severity]int32{Cleared: 1, Indeterminate: 2, Critical: 3, Major: 4, Minor: 5, Warning: 6}

// A Model is one kind of alarm.
type Model struct {
	Index     uint32 // the same in every release
	Title     string
	EventType string // X.733
	Cause     string // X.733
	Action    string
}

// Alarms are the source of the alarm tables.
type Alarms struct {
	Started    time.Time // when the agent started, from which all TimeTicks count
	Version    string
	Active     []*Alarm // an Alarm that has not changed is at the same address as before
	Cleared    []*Alarm // the newest cleared alarms, at most MaxCleared
	Models     []Model
	Raised     map[Severity]uint64 // since Started, by the first severity
	LastNumber uint64              // of the alarm that was raised last; 0: there was none
	LastRaise  time.Time           // zero: none since Started
	LastClear  time.Time           // zero: none since Started
	Receivers  []AlarmReceiver
}

// An AlarmReceiver is a receiver of notifications.
type AlarmReceiver struct {
	Name      string
	Sequence  uint64 // of the last notification that was made for it
	Waiting   int
	Delivered uint64
	Failed    uint64 // attempts
	Lost      uint64 // notifications whose delivery was abandoned
}

// MaxCleared is how many cleared alarms are shown.
const MaxCleared = 100

// worst returns the severity of the worst active alarm, or Cleared.
func (a Alarms) worst() Severity {
	worst := Cleared
	for _, x := range a.Active {
		worst = max(worst, x.Severity)
	}
	return worst
}

// ticks returns a time as sysUpTime, counted from the start of this agent. A time before
// that is 0, as in RFC 3877.
func (a Alarms) ticks(t time.Time) agentx.Value {
	if t.Before(a.Started) {
		return agentx.TimeTicks(0)
	}
	return agentx.TimeTicks(uint32(t.Sub(a.Started) / (10 * time.Millisecond)))
}

// withAlarms is the part of a group of scalars about src.Alarms.
func withAlarms(src Source) iter.Seq[part[Alarms]] {
	return func(yield func(part[Alarms]) bool) {
		if src.Alarms != nil {
			yield(part[Alarms]{rows: func(yield func(agentx.OID, Alarms) bool) { yield(agentx.OID{0}, *src.Alarms) }})
		}
	}
}

// alarmRows makes a row of each alarm of a list.
func alarmRows(list func(Alarms) []*Alarm, index func(Alarm) agentx.OID) func(Source) iter.Seq[part[Alarm]] {
	return byAlarm(list, index, func(_ Alarms, a Alarm, yield func(agentx.OID, Alarm) bool) bool { return yield(index(a), a) })
}

func active(a Alarms) []*Alarm { return a.Active }

// index returns the number of an alarm as an index, which starts again at 1 after 32
// bits; 0 for an alarm without a number.
func (a Alarm) index() uint32 {
	if a.Number == 0 {
		return 0
	}
	return uint32((a.Number-1)%(1<<32-1)) + 1
}

// dateAndTime returns DateAndTime of RFC 2579, with the time zone: 11 octets.
func dateAndTime(t time.Time) string {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	return string([]byte{
		byte(t.Year() >> 8), byte(t.Year()), byte(t.Month()), byte(t.Day()),
		byte(t.Hour()), byte(t.Minute()), byte(t.Second()), byte(t.Nanosecond() / 1e8),
		sign, byte(offset / 3600), byte(offset / 60 % 60),
	})
}

func moment(t time.Time) agentx.Value {
	if t.IsZero() {
		return none
	}
	return agentx.Text(dateAndTime(t))
}

// admin cuts s to the 255 octets of an SnmpAdminString, which is UTF-8, at the end of a
// character. It is one line: snmptrapd prints others as they are, and what is behind the
// end of a line would be a variable to the programs that it hands them to.
func admin(s string) agentx.Value {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > 255 {
		end := 255
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return agentx.Text(s)
}

// zeroDotZero is the null pointer.
var zeroDotZero = agentx.ObjectIdentifier(agentx.OID{0, 0})
