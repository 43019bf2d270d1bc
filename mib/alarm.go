package mib

import (
	"time"
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

// Perceived returns s as ItuPerceivedSeverity of ITU-ALARM-TC-MIB; 0 if it is no severity.
func (s Severity) Perceived() int32 {
	return map[Severity]int32{Cleared: 1, Indeterminate: 2, Critical: 3, Major: 4, Minor: 5, Warning: 6}[s]
}

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
