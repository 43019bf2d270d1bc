package alarm

import (
	"iter"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// The tables of ALARM-MIB, RFC 3877. There is one list of alarms, whose
// alarmListName is empty. Objects that are writable in the RFC are read-only here.

var (
	alarmMIB     = agentx.OID{1, 3, 6, 1, 2, 1, 118}
	alarmObjects = alarmMIB.Append(1)
	alarmModel   = alarmObjects.Append(1)
	alarmActive  = alarmObjects.Append(2)
	alarmClear   = alarmObjects.Append(3)
)

// defaultList is the index of the list whose name is empty.
const defaultList = 0

// A modelState is one state of a model.
type modelState struct {
	mib.Model
	state mib.Severity
}

// modelRows makes a row of every state of every model, which are the same as long as the
// agent runs; state returns the last component of the index.
func modelRows(states []mib.Severity, last func(mib.Severity) uint32) func(mib.Source) iter.Seq[mib.Part[modelState]] {
	return func(src mib.Source) iter.Seq[mib.Part[modelState]] {
		return func(yield func(mib.Part[modelState]) bool) {
			if src.Alarms == nil {
				return
			}
			yield(mib.Part[modelState]{Unchanged: true, Rows: func(yield func(agentx.OID, modelState) bool) {
				for _, m := range src.Alarms.Models {
					for _, s := range states {
						if !yield(agentx.OID{defaultList, m.Index, last(s)}, modelState{m, s}) {
							return
						}
					}
				}
			}})
		}
	}
}

var alarmModelScalars = mib.Table[mib.Alarms]{
	Entry: alarmModel,
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{1, "alarmModelLastChanged", func(mib.Alarms) agentx.Value { return agentx.TimeTicks(0) }},
	},
}

var alarmModelTable = mib.Table[modelState]{
	Name:  "alarmModelTable",
	Entry: alarmModel.Append(2, 1),
	Parts: modelRows(severities, func(s mib.Severity) uint32 { return uint32(s) }),
	Columns: []mib.Column[modelState]{
		{3, "alarmModelNotificationId", func(m modelState) agentx.Value {
			if m.state == mib.Cleared {
				return agentx.ObjectIdentifier(lunaNotification(LunaCleared))
			}
			return agentx.ObjectIdentifier(lunaNotification(LunaRaised))
		}},
		{4, "alarmModelVarbindIndex", func(modelState) agentx.Value { return agentx.Gauge32(severityVarbind) }},
		{5, "alarmModelVarbindValue", func(m modelState) agentx.Value { return agentx.Integer(m.state.Perceived()) }},
		{6, "alarmModelDescription", func(m modelState) agentx.Value { return mib.Admin(m.Title) }},
		{7, "alarmModelSpecificPointer", func(m modelState) agentx.Value { return agentx.ObjectIdentifier(ituModelPointer(m.Index, m.state)) }},
		{8, "alarmModelVarbindSubtree", func(modelState) agentx.Value { return agentx.ObjectIdentifier(vendor.SerialNumbers()) }},
		{9, "alarmModelResourcePrefix", func(modelState) agentx.Value { return zeroDotZero }},
		{10, "alarmModelRowStatus", func(modelState) agentx.Value { return agentx.Integer(1) }},
	},
}

// modelPointer is the OID of the first object of a row of alarmModelTable.
func modelPointer(model uint32, s mib.Severity) agentx.OID {
	return alarmModelTable.Entry.Append(3, defaultList, model, uint32(s))
}

var alarmActiveScalars = mib.Table[mib.Alarms]{
	Entry: alarmActive,
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{1, "alarmActiveLastChanged", func(a mib.Alarms) agentx.Value {
			if a.LastClear.After(a.LastRaise) {
				return mib.Ticks(a.Started, a.LastClear)
			}
			return mib.Ticks(a.Started, a.LastRaise)
		}},
	},
}

// alarmActiveOverflow is the scalar behind the tables.
var alarmActiveOverflow = mib.Table[mib.Alarms]{
	Entry: alarmActive,
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{5, "alarmActiveOverflow", func(mib.Alarms) agentx.Value { return agentx.Counter32(0) }},
	},
}

// activeIndex is the index of alarmActiveTable.
func activeIndex(a mib.Alarm) agentx.OID {
	return append(timeIndex(mib.DateAndTime(a.Raised)), index(a))
}

// timeIndex is the beginning of an index: the list and a time.
func timeIndex(t string) agentx.OID { return mib.Text(agentx.OID{defaultList}, t) }

var alarmActiveTable = mib.Table[mib.Alarm]{
	Name:  "alarmActiveTable",
	Entry: alarmActive.Append(2, 1),
	Parts: alarmRows(active, activeIndex),
	Columns: []mib.Column[mib.Alarm]{
		{4, "alarmActiveEngineID", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{5, "alarmActiveEngineAddressType", func(mib.Alarm) agentx.Value { return agentx.Integer(0) }},
		{6, "alarmActiveEngineAddress", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{7, "alarmActiveContextName", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{8, "alarmActiveVariables", func(a mib.Alarm) agentx.Value {
			if a.InStorm {
				return agentx.Gauge32(0)
			}
			return agentx.Gauge32(uint32(len(variables(a, mib.Alarms{}))))
		}},
		{9, "alarmActiveNotificationID", func(mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(lunaNotification(LunaRaised)) }},
		{10, "alarmActiveResourceId", func(a mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(resource(a)) }},
		{11, "alarmActiveDescription", func(a mib.Alarm) agentx.Value { return mib.Admin(a.Device + ": " + a.Text) }},
		{12, "alarmActiveLogPointer", func(mib.Alarm) agentx.Value { return zeroDotZero }},
		{13, "alarmActiveModelPointer", func(a mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(modelPointer(a.Model, a.Severity)) }},
		{14, "alarmActiveSpecificPointer", func(a mib.Alarm) agentx.Value {
			return agentx.ObjectIdentifier(ituAlarmActiveTable.Entry.Append(1).Append(activeIndex(a)...))
		}},
	},
}

// resource is the serial number of the HSM in hsmTable, or 0.0.
func resource(a mib.Alarm) agentx.OID {
	if a.Serial == "" || len(a.Serial) > 64 {
		return zeroDotZero.OID
	}
	return vendor.SerialNumber(a.Serial)
}

// A variable is one variable of the notification of an alarm.
type variable agentx.Varbind

// The values of alarmActiveVariableValueType.
const (
	variableCounter32 = iota + 1
	variableUnsigned32
	variableTimeTicks
	variableInteger32
	variableIPAddress
	variableOctetString
	variableObjectID
	variableCounter64
	variableOpaque
)

var variableTypes = map[agentx.Type]int32{
	agentx.TypeGauge32: variableUnsigned32, agentx.TypeTimeTicks: variableTimeTicks, agentx.TypeInteger: variableInteger32,
	agentx.TypeOctetString: variableOctetString, agentx.TypeObjectIdentifier: variableObjectID,
}

// ofType returns the value of a variable of that type, none for another type.
func ofType(t agentx.Type) func(variable) agentx.Value {
	return func(v variable) agentx.Value {
		if v.Value.Type != t {
			return agentx.Value{}
		}
		return v.Value
	}
}

// alarmActiveVariableTable has the variables of each alarm's notification that describe
// the alarm itself, not those that number the notification.
var alarmActiveVariableTable = mib.Table[variable]{
	Name:  "alarmActiveVariableTable",
	Entry: alarmActive.Append(3, 1),
	Parts: byAlarm(active, func(a mib.Alarm) agentx.OID { return agentx.OID{index(a)} }, func(all mib.Alarms, a mib.Alarm, yield func(agentx.OID, variable) bool) bool {
		if a.InStorm {
			return true // no notification is sent for it
		}
		for i, v := range variables(a, all) {
			if !yield(agentx.OID{defaultList, index(a), uint32(i + 1)}, variable(v)) {
				return false
			}
		}
		return true
	}),
	Columns: []mib.Column[variable]{
		{2, "alarmActiveVariableID", func(v variable) agentx.Value { return agentx.ObjectIdentifier(v.OID) }},
		{3, "alarmActiveVariableValueType", func(v variable) agentx.Value { return mib.Enum(v.Value.Type, variableTypes) }},
		{4, "alarmActiveVariableCounter32Val", ofType(agentx.TypeCounter32)},
		{5, "alarmActiveVariableUnsigned32Val", ofType(agentx.TypeGauge32)},
		{6, "alarmActiveVariableTimeTicksVal", ofType(agentx.TypeTimeTicks)},
		{7, "alarmActiveVariableInteger32Val", ofType(agentx.TypeInteger)},
		{8, "alarmActiveVariableOctetStringVal", ofType(agentx.TypeOctetString)},
		{9, "alarmActiveVariableIpAddressVal", ofType(agentx.TypeIPAddress)},
		{10, "alarmActiveVariableOidVal", ofType(agentx.TypeObjectIdentifier)},
		{11, "alarmActiveVariableCounter64Val", ofType(agentx.TypeCounter64)},
		{12, "alarmActiveVariableOpaqueVal", ofType(agentx.TypeOpaque)},
	},
}

var (
	sysUpTime = agentx.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}
	trapOID   = agentx.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}
)

// variables returns sysUpTime and snmpTrapOID of the alarm's notification, and the
// objects of the alarm in it.
func variables(a mib.Alarm, all mib.Alarms) []agentx.Varbind {
	return append([]agentx.Varbind{
		{OID: sysUpTime, Value: mib.Ticks(all.Started, a.Raised)},
		{OID: trapOID, Value: agentx.ObjectIdentifier(lunaNotification(LunaRaised))},
	}, objects(a)...)
}

var alarmActiveStatsTable = mib.Table[mib.Alarms]{
	Name:  "alarmActiveStatsTable",
	Entry: alarmActive.Append(4, 1),
	Parts: withAlarms, // the index of the only list is that of a scalar
	Columns: []mib.Column[mib.Alarms]{
		{1, "alarmActiveStatsActiveCurrent", func(a mib.Alarms) agentx.Value { return mib.Unsigned32(int64(len(a.Active))) }},
		{2, "alarmActiveStatsActives", func(a mib.Alarms) agentx.Value {
			n := uint64(0)
			for _, raised := range a.Raised {
				n += raised
			}
			return agentx.Gauge32(uint32(n))
		}},
		{3, "alarmActiveStatsLastRaise", func(a mib.Alarms) agentx.Value { return mib.Ticks(a.Started, a.LastRaise) }},
		{4, "alarmActiveStatsLastClear", func(a mib.Alarms) agentx.Value { return mib.Ticks(a.Started, a.LastClear) }},
	},
}

var alarmClearScalars = mib.Table[mib.Alarms]{
	Entry: alarmClear,
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{1, "alarmClearMaximum", func(mib.Alarms) agentx.Value { return agentx.Gauge32(mib.MaxCleared) }},
	},
}

var alarmClearTable = mib.Table[mib.Alarm]{
	Name:  "alarmClearTable",
	Entry: alarmClear.Append(2, 1),
	Parts: alarmRows(func(a mib.Alarms) []*mib.Alarm { return a.Cleared[:min(len(a.Cleared), mib.MaxCleared)] },
		func(a mib.Alarm) agentx.OID { return append(timeIndex(mib.DateAndTime(a.Cleared)), index(a)) }),
	Columns: []mib.Column[mib.Alarm]{
		{3, "alarmClearEngineID", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{4, "alarmClearEngineAddressType", func(mib.Alarm) agentx.Value { return agentx.Integer(0) }},
		{5, "alarmClearEngineAddress", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{6, "alarmClearContextName", func(mib.Alarm) agentx.Value { return agentx.Text("") }},
		{7, "alarmClearNotificationID", func(mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(lunaNotification(LunaCleared)) }},
		{8, "alarmClearResourceId", func(a mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(resource(a)) }},
		{9, "alarmClearLogIndex", func(mib.Alarm) agentx.Value { return agentx.Gauge32(0) }},
		{10, "alarmClearModelPointer", func(a mib.Alarm) agentx.Value { return agentx.ObjectIdentifier(modelPointer(a.Model, mib.Cleared)) }},
	},
}
