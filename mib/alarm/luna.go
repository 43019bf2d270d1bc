package alarm

import (
	"iter"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/mib"
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

var lunaAgentScalars = mib.Table[mib.Alarms]{
	Entry: lunaAgent,
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{1, "lunaAgentVersion", func(a mib.Alarms) agentx.Value { return mib.Admin(a.Version) }},
		{2, "lunaAgentStarted", func(a mib.Alarms) agentx.Value { return mib.Moment(a.Started) }},
		{3, "lunaAlarmActiveCount", func(a mib.Alarms) agentx.Value { return mib.Unsigned32(int64(len(a.Active))) }},
		{4, "lunaAlarmUnacknowledgedCount", func(a mib.Alarms) agentx.Value {
			n := int64(0)
			for _, x := range a.Active {
				if x.AckAt.IsZero() {
					n++
				}
			}
			return mib.Unsigned32(n)
		}},
		{5, "lunaAlarmWorst", func(a mib.Alarms) agentx.Value { return agentx.Integer(worst(a).Perceived()) }},
		{6, "lunaAlarmLastNumber", func(a mib.Alarms) agentx.Value { return agentx.Gauge32(uint32(a.LastNumber)) }},
	},
}

// lastTrapColumn is the last column of lunaAlarmTable in notifications, which also have
// all before it.
const lastTrapColumn = 21

func field(get func(mib.Alarm) string) func(mib.Alarm) agentx.Value {
	return func(a mib.Alarm) agentx.Value { return mib.Admin(get(a)) }
}

func flag(get func(mib.Alarm) bool) func(mib.Alarm) agentx.Value {
	return func(a mib.Alarm) agentx.Value { return mib.Truth(get(a)) }
}

var lunaAlarmColumns = []mib.Column[mib.Alarm]{
	{2, "lunaAlarmKey", field(func(a mib.Alarm) string { return a.Key })},
	{3, "lunaAlarmDevice", field(func(a mib.Alarm) string { return a.Device })},
	{4, "lunaAlarmSerial", field(func(a mib.Alarm) string { return a.Serial })},
	{5, "lunaAlarmLabel", field(func(a mib.Alarm) string { return a.Label })},
	{6, "lunaAlarmPartition", field(func(a mib.Alarm) string { return a.Partition })},
	{7, "lunaAlarmObject", field(func(a mib.Alarm) string { return a.Object })},
	{8, "lunaAlarmGroup", field(func(a mib.Alarm) string { return a.Group })},
	{9, "lunaAlarmCodes", field(func(a mib.Alarm) string { return strings.Join(a.Codes, ",") })},
	{10, "lunaAlarmComponent", field(func(a mib.Alarm) string { return a.Component })},
	{severityColumn, "lunaAlarmSeverity", func(a mib.Alarm) agentx.Value { return mib.Perceived(a.Severity) }},
	{12, "lunaAlarmEventType", func(a mib.Alarm) agentx.Value { return eventType(a.EventType) }},
	{13, "lunaAlarmCause", func(a mib.Alarm) agentx.Value { return probableCause(a.Cause) }},
	{14, "lunaAlarmText", field(func(a mib.Alarm) string { return a.Text })},
	{15, "lunaAlarmAction", field(func(a mib.Alarm) string { return a.Action })},
	{16, "lunaAlarmValue", field(func(a mib.Alarm) string { return a.Value })},
	{17, "lunaAlarmThreshold", field(func(a mib.Alarm) string { return a.Threshold })},
	{18, "lunaAlarmUnit", field(func(a mib.Alarm) string { return a.Unit })},
	{19, "lunaAlarmRaisedAt", func(a mib.Alarm) agentx.Value { return mib.Moment(a.Raised) }},
	{20, "lunaAlarmCount", func(a mib.Alarm) agentx.Value { return mib.Unsigned32(int64(a.Count)) }},
	{lastTrapColumn, "lunaAlarmAcknowledgedBy", field(func(a mib.Alarm) string { return a.AckBy })},
	{22, "lunaAlarmAcknowledgedAt", func(a mib.Alarm) agentx.Value { return mib.Moment(a.AckAt) }},
	{23, "lunaAlarmComment", field(func(a mib.Alarm) string { return a.AckText })},
	{24, "lunaAlarmLastAt", func(a mib.Alarm) agentx.Value { return mib.Moment(a.Last) }},
	{25, "lunaAlarmSilenced", flag(func(a mib.Alarm) bool { return a.Silenced })},
	{26, "lunaAlarmRelatedTo", field(func(a mib.Alarm) string { return a.RelatedTo })},
	{27, "lunaAlarmFlapping", flag(func(a mib.Alarm) bool { return a.Flapping })},
	{28, "lunaAlarmInStorm", flag(func(a mib.Alarm) bool { return a.InStorm })},
	{29, "lunaAlarmTest", flag(func(a mib.Alarm) bool { return a.Test })},
}

var lunaAlarmTable = mib.Table[mib.Alarm]{
	Name:    "lunaAlarmTable",
	Entry:   lunawatchMIB.Append(1, 2, 1),
	Parts:   alarmRows(active, func(a mib.Alarm) agentx.OID { return agentx.OID{index(a)} }),
	Columns: lunaAlarmColumns,
}

const (
	severityColumn = 11
	firstColumn    = 2
	eventObjects   = 4 // objects of lunaEvent, which come first in a notification
	// severityVarbind is the position of lunaAlarmSeverity in a notification,
	// whose first two variables are sysUpTime and snmpTrapOID.
	severityVarbind = 2 + eventObjects + severityColumn - firstColumn + 1
)

// objects are the columns in a notification; all have an instance. Where the HSM is known
// its hsmSerialNumber follows: by that a manager finds alarmActiveResourceId, as
// alarmModelVarbindSubtree says.
func objects(a mib.Alarm) []agentx.Varbind {
	list := make([]agentx.Varbind, 0, lastTrapColumn+1)
	for _, c := range lunaAlarmColumns {
		if c.ID > lastTrapColumn {
			break
		}
		v := c.Value(a)
		if v.Type == 0 {
			v = agentx.Text("")
		}
		list = append(list, agentx.Varbind{OID: lunaAlarmTable.Entry.Append(c.ID, index(a)), Value: v})
	}
	if id := resource(a); id.Compare(zeroDotZero.OID) != 0 {
		list = append(list, agentx.Varbind{OID: id, Value: mib.Display(a.Serial)})
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
		{OID: lunaEvent.Append(2, 0), Value: agentx.Text(mib.DateAndTime(n.At))},
		{OID: lunaEvent.Append(3, 0), Value: agentx.Integer(int32(n.Kind))},
		{OID: lunaEvent.Append(4, 0), Value: mib.Admin(n.ID)},
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
func LunaNotification(n Notice, a mib.Alarm) Trap {
	switch n.Kind {
	case NoticeStarted:
		return Trap{coldStart, n.objects()}
	case NoticeHeartbeat:
		return Trap{lunaNotification(LunaHeartbeat), n.objects()}
	case NoticeCleared:
		a.Severity = mib.Cleared
	default:
	}
	return Trap{lunaNotification(lunaTraps[n.Kind]), append(n.objects(), objects(a)...)}
}

// StandardNotification returns notice n of alarm a as alarmActiveState or alarmClearState
// of ALARM-MIB, with the alarm's description after its objects. ok is false for a kind
// of notice that ALARM-MIB does not have.
func StandardNotification(n Notice, a mib.Alarm) (t Trap, ok bool) {
	state, severity := uint32(2), a.Severity
	switch n.Kind {
	case NoticeRaised, NoticeChanged, NoticeRepeated:
	case NoticeCleared:
		state, severity = 3, mib.Cleared
	case NoticeStarted:
		return ColdStart(), true
	default:
		return Trap{}, false
	}
	entry, index := alarmActiveTable.Entry, activeIndex(a)
	return Trap{alarmMIB.Append(0, state), []agentx.Varbind{
		{OID: entry.Append(13).Append(index...), Value: agentx.ObjectIdentifier(modelPointer(a.Model, severity))},
		{OID: entry.Append(10).Append(index...), Value: agentx.ObjectIdentifier(resource(a))},
		{OID: entry.Append(11).Append(index...), Value: mib.Admin(a.Device + ": " + a.Text)},
	}}, true
}

// lunaReceiverTable shows which notifications were made for which receiver.
var lunaReceiverTable = mib.Table[mib.AlarmReceiver]{
	Name:  "lunaReceiverTable",
	Entry: lunawatchMIB.Append(1, 4, 1),
	Parts: mib.All(func(src mib.Source) iter.Seq2[agentx.OID, mib.AlarmReceiver] {
		return func(yield func(agentx.OID, mib.AlarmReceiver) bool) {
			if src.Alarms == nil {
				return
			}
			for _, r := range src.Alarms.Receivers {
				if !yield(mib.Text(nil, r.Name[:min(len(r.Name), 64)]), r) {
					return
				}
			}
		}
	}),
	Columns: []mib.Column[mib.AlarmReceiver]{
		{2, "lunaReceiverLastSequence", func(r mib.AlarmReceiver) agentx.Value { return agentx.Gauge32(uint32(r.Sequence)) }},
		{3, "lunaReceiverWaiting", func(r mib.AlarmReceiver) agentx.Value { return mib.Unsigned32(int64(r.Waiting)) }},
		{4, "lunaReceiverDelivered", func(r mib.AlarmReceiver) agentx.Value { return agentx.Counter64(r.Delivered) }},
		{5, "lunaReceiverFailed", func(r mib.AlarmReceiver) agentx.Value { return agentx.Counter64(r.Failed) }},
		{6, "lunaReceiverLost", func(r mib.AlarmReceiver) agentx.Value { return agentx.Counter64(r.Lost) }},
	},
}
