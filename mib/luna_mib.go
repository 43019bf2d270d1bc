package mib

import (
	"iter"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

// LUNAWATCH-MIB is below netSnmpPlaypen, whose numbers are for experiments. It moves
// when an enterprise number is assigned.

var (
	lunawatchMIB = agentx.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 5862}
	lunaAgent    = lunawatchMIB.Append(1, 1)
	lunaEvent    = lunawatchMIB.Append(1, 3)
)

// A LunaTrap is the last sub-identifier of a notification of LUNAWATCH-MIB.
type LunaTrap uint32

// The notifications.
const (
	LunaRaised       LunaTrap = 1
	LunaChanged      LunaTrap = 2
	LunaCleared      LunaTrap = 3
	LunaAcknowledged LunaTrap = 4
	LunaHeartbeat    LunaTrap = 5
)

func lunaNotification(t LunaTrap) agentx.OID { return lunawatchMIB.Append(0, uint32(t)) }

var lunaAgentScalars = table[Alarms]{
	entry: lunaAgent,
	parts: withAlarms,
	columns: []column[Alarms]{
		{1, "lunaAgentVersion", func(a Alarms) agentx.Value { return admin(a.Version) }},
		{2, "lunaAgentStarted", func(a Alarms) agentx.Value { return moment(a.Started) }},
		{3, "lunaAlarmActiveCount", func(a Alarms) agentx.Value { return unsigned32(int64(len(a.Active))) }},
		{4, "lunaAlarmUnacknowledgedCount", func(a Alarms) agentx.Value {
			n := int64(0)
			for _, x := range a.Active {
				if x.AckAt.IsZero() {
					n++
				}
			}
			return unsigned32(n)
		}},
		{5, "lunaAlarmWorst", func(a Alarms) agentx.Value { return agentx.Integer(perceived[a.worst()]) }},
		{6, "lunaAlarmLastNumber", func(a Alarms) agentx.Value { return agentx.Gauge32(uint32(a.LastNumber)) }},
	},
}

// lastTrapColumn is the last column of lunaAlarmTable in notifications, which also have
// all before it.
const lastTrapColumn = 21

func field(get func(Alarm) string) func(Alarm) agentx.Value {
	return func(a Alarm) agentx.Value { return admin(get(a)) }
}

func flag(get func(Alarm) bool) func(Alarm) agentx.Value {
	return func(a Alarm) agentx.Value { return truth(get(a)) }
}

var lunaAlarmColumns = []column[Alarm]{
	{2, "lunaAlarmKey", field(func(a Alarm) string { return a.Key })},
	{3, "lunaAlarmDevice", field(func(a Alarm) string { return a.Device })},
	{4, "lunaAlarmSerial", field(func(a Alarm) string { return a.Serial })},
	{5, "lunaAlarmLabel", field(func(a Alarm) string { return a.Label })},
	{6, "lunaAlarmPartition", field(func(a Alarm) string { return a.Partition })},
	{7, "lunaAlarmObject", field(func(a Alarm) string { return a.Object })},
	{8, "lunaAlarmGroup", field(func(a Alarm) string { return a.Group })},
	{9, "lunaAlarmCodes", field(func(a Alarm) string { return strings.Join(a.Codes, ",") })},
	{10, "lunaAlarmComponent", field(func(a Alarm) string { return a.Component })},
	{severityColumn, "lunaAlarmSeverity", func(a Alarm) agentx.Value { return enum(a.Severity, perceived) }},
	{12, "lunaAlarmEventType", func(a Alarm) agentx.Value { return eventType(a.EventType) }},
	{13, "lunaAlarmCause", func(a Alarm) agentx.Value { return probableCause(a.Cause) }},
	{14, "lunaAlarmText", field(func(a Alarm) string { return a.Text })},
	{15, "lunaAlarmAction", field(func(a Alarm) string { return a.Action })},
	{16, "lunaAlarmValue", field(func(a Alarm) string { return a.Value })},
	{17, "lunaAlarmThreshold", field(func(a Alarm) string { return a.Threshold })},
	{18, "lunaAlarmUnit", field(func(a Alarm) string { return a.Unit })},
	{19, "lunaAlarmRaisedAt", func(a Alarm) agentx.Value { return moment(a.Raised) }},
	{20, "lunaAlarmCount", func(a Alarm) agentx.Value { return unsigned32(int64(a.Count)) }},
	{lastTrapColumn, "lunaAlarmAcknowledgedBy", field(func(a Alarm) string { return a.AckBy })},
	{22, "lunaAlarmAcknowledgedAt", func(a Alarm) agentx.Value { return moment(a.AckAt) }},
	{23, "lunaAlarmComment", field(func(a Alarm) string { return a.AckText })},
	{24, "lunaAlarmLastAt", func(a Alarm) agentx.Value { return moment(a.Last) }},
	{25, "lunaAlarmSilenced", flag(func(a Alarm) bool { return a.Silenced })},
	{26, "lunaAlarmRelatedTo", field(func(a Alarm) string { return a.RelatedTo })},
	{27, "lunaAlarmFlapping", flag(func(a Alarm) bool { return a.Flapping })},
	{28, "lunaAlarmInStorm", flag(func(a Alarm) bool { return a.InStorm })},
	{29, "lunaAlarmTest", flag(func(a Alarm) bool { return a.Test })},
}

var lunaAlarmTable = table[Alarm]{
	name:    "lunaAlarmTable",
	entry:   lunawatchMIB.Append(1, 2, 1),
	parts:   alarmRows(active, func(a Alarm) agentx.OID { return agentx.OID{a.index()} }),
	columns: lunaAlarmColumns,
}

const (
	severityColumn = 11
	firstColumn    = 2
	eventObjects   = 4 // objects of lunaEvent, which come first in a notification
	// severityVarbind is the position of lunaAlarmSeverity in a notification,
	// whose first two variables are sysUpTime and snmpTrapOID.
	severityVarbind = 2 + eventObjects + severityColumn - firstColumn + 1
	// alarmVariables is the number of variables in alarmActiveVariableTable.
	alarmVariables = 2 + lastTrapColumn - firstColumn + 1
)

// objects are the columns in a notification; all have an instance.
func (a Alarm) objects() []agentx.Varbind {
	list := make([]agentx.Varbind, 0, lastTrapColumn)
	for _, c := range lunaAlarmColumns {
		if c.id > lastTrapColumn {
			break
		}
		v := c.value(a)
		if v.Type == 0 {
			v = agentx.Text("")
		}
		list = append(list, agentx.Varbind{OID: lunaAlarmTable.entry.Append(c.id, a.index()), Value: v})
	}
	return list
}

// A Notice is what distinguishes one notification from another.
type Notice struct {
	Sequence uint64 // for its receiver; a gap means a loss
	At       time.Time
	Kind     NoticeKind
	ID       string // the same at every retry
}

// A NoticeKind is lunaEventKind.
type NoticeKind int32

// The kinds of notice.
const (
	NoticeRaised NoticeKind = iota + 1
	NoticeChanged
	NoticeCleared
	NoticeAcknowledged
	NoticeUnacknowledged
	NoticeRepeated
	NoticeStarted
	NoticeHeartbeat
)

func (n Notice) objects() []agentx.Varbind {
	return []agentx.Varbind{
		{OID: lunaEvent.Append(1, 0), Value: agentx.Gauge32(uint32(n.Sequence))},
		{OID: lunaEvent.Append(2, 0), Value: agentx.Text(dateAndTime(n.At))},
		{OID: lunaEvent.Append(3, 0), Value: agentx.Integer(int32(n.Kind))},
		{OID: lunaEvent.Append(4, 0), Value: admin(n.ID)},
	}
}

// A Trap is a notification: its OID, and its objects in order.
type Trap struct {
	OID     agentx.OID
	Objects []agentx.Varbind
}

// lunaTraps are the notifications that are sent, by kind of notice.
var lunaTraps = map[NoticeKind]LunaTrap{
	NoticeRaised: LunaRaised, NoticeRepeated: LunaRaised, NoticeChanged: LunaChanged, NoticeCleared: LunaCleared,
	NoticeAcknowledged: LunaAcknowledged, NoticeUnacknowledged: LunaAcknowledged,
}

var coldStart = agentx.OID{1, 3, 6, 1, 6, 3, 1, 1, 5, 1}

// ColdStart is coldStart of SNMPv2-MIB.
func ColdStart() Trap { return Trap{OID: coldStart} }

// LunaNotification returns notice n of alarm a as a notification of LUNAWATCH-MIB. That
// of the agent's start is coldStart of SNMPv2-MIB, with the objects of the notice.
func LunaNotification(n Notice, a Alarm) Trap {
	switch n.Kind {
	case NoticeStarted:
		return Trap{coldStart, n.objects()}
	case NoticeHeartbeat:
		return Trap{lunaNotification(LunaHeartbeat), n.objects()}
	case NoticeCleared:
		a.Severity = Cleared
	default:
	}
	return Trap{lunaNotification(lunaTraps[n.Kind]), append(n.objects(), a.objects()...)}
}

// AlarmNotification returns notice n of alarm a as alarmActiveState or alarmClearState
// of ALARM-MIB, with the alarm's description after its objects. ok is false for a kind
// of notice that ALARM-MIB does not have.
func AlarmNotification(n Notice, a Alarm) (t Trap, ok bool) {
	state, severity := uint32(2), a.Severity
	switch n.Kind {
	case NoticeRaised, NoticeChanged, NoticeRepeated:
	case NoticeCleared:
		state, severity = 3, Cleared
	case NoticeStarted:
		return ColdStart(), true
	default:
		return Trap{}, false
	}
	entry, index := alarmActiveTable.entry, a.activeIndex()
	return Trap{alarmMIB.Append(0, state), []agentx.Varbind{
		{OID: entry.Append(13).Append(index...), Value: agentx.ObjectIdentifier(modelPointer(a.Model, severity))},
		{OID: entry.Append(10).Append(index...), Value: agentx.ObjectIdentifier(a.resource())},
		{OID: entry.Append(11).Append(index...), Value: admin(a.Device + ": " + a.Text)},
	}}, true
}

// lunaReceiverTable shows which notifications were made for which receiver.
var lunaReceiverTable = table[AlarmReceiver]{
	name:  "lunaReceiverTable",
	entry: lunawatchMIB.Append(1, 4, 1),
	parts: all(func(src Source) iter.Seq2[agentx.OID, AlarmReceiver] {
		return func(yield func(agentx.OID, AlarmReceiver) bool) {
			if src.Alarms == nil {
				return
			}
			for _, r := range src.Alarms.Receivers {
				if !yield(text(nil, r.Name[:min(len(r.Name), 64)]), r) {
					return
				}
			}
		}
	}),
	columns: []column[AlarmReceiver]{
		{2, "lunaReceiverLastSequence", func(r AlarmReceiver) agentx.Value { return agentx.Gauge32(uint32(r.Sequence)) }},
		{3, "lunaReceiverWaiting", func(r AlarmReceiver) agentx.Value { return unsigned32(int64(r.Waiting)) }},
		{4, "lunaReceiverDelivered", func(r AlarmReceiver) agentx.Value { return agentx.Counter64(r.Delivered) }},
		{5, "lunaReceiverFailed", func(r AlarmReceiver) agentx.Value { return agentx.Counter64(r.Failed) }},
		{6, "lunaReceiverLost", func(r AlarmReceiver) agentx.Value { return agentx.Counter64(r.Lost) }},
	},
}
