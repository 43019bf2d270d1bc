package mib

import (
	"iter"

	"github.com/lunawatch/lunawatch/mib/agentx"
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
	Model
	state Severity
}

// modelRows makes a row of every state of every model, which are the same as long as the
// agent runs; state returns the last component of the index.
func modelRows(states []Severity, last func(Severity) uint32) func(Source) iter.Seq[part[modelState]] {
	return func(src Source) iter.Seq[part[modelState]] {
		return func(yield func(part[modelState]) bool) {
			if src.Alarms == nil {
				return
			}
			yield(part[modelState]{unchanged: true, rows: func(yield func(agentx.OID, modelState) bool) {
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

var alarmModelScalars = table[Alarms]{
	entry: alarmModel,
	parts: withAlarms,
	columns: []column[Alarms]{
		{1, "alarmModelLastChanged", func(Alarms) agentx.Value { return agentx.TimeTicks(0) }},
	},
}

var alarmModelTable = table[modelState]{
	name:  "alarmModelTable",
	entry: alarmModel.Append(2, 1),
	parts: modelRows(severities, func(s Severity) uint32 { return uint32(s) }),
	columns: []column[modelState]{
		{3, "alarmModelNotificationId", func(m modelState) agentx.Value {
			if m.state == Cleared {
				return agentx.ObjectIdentifier(lunaNotification(LunaCleared))
			}
			return agentx.ObjectIdentifier(lunaNotification(LunaRaised))
		}},
		{4, "alarmModelVarbindIndex", func(modelState) agentx.Value { return agentx.Gauge32(severityVarbind) }},
		{5, "alarmModelVarbindValue", func(m modelState) agentx.Value { return agentx.Integer(perceived[m.state]) }},
		{6, "alarmModelDescription", func(m modelState) agentx.Value { return admin(m.Title) }},
		{7, "alarmModelSpecificPointer", func(m modelState) agentx.Value { return agentx.ObjectIdentifier(ituModelPointer(m.Index, m.state)) }},
		{8, "alarmModelVarbindSubtree", func(modelState) agentx.Value { return zeroDotZero }},
		{9, "alarmModelResourcePrefix", func(modelState) agentx.Value { return zeroDotZero }},
		{10, "alarmModelRowStatus", func(modelState) agentx.Value { return agentx.Integer(1) }},
	},
}

// modelPointer is the OID of the first object of a row of alarmModelTable.
func modelPointer(model uint32, s Severity) agentx.OID {
	return alarmModelTable.entry.Append(3, defaultList, model, uint32(s))
}

var alarmActiveScalars = table[Alarms]{
	entry: alarmActive,
	parts: withAlarms,
	columns: []column[Alarms]{
		{1, "alarmActiveLastChanged", func(a Alarms) agentx.Value {
			if a.LastClear.After(a.LastRaise) {
				return a.ticks(a.LastClear)
			}
			return a.ticks(a.LastRaise)
		}},
	},
}

// alarmActiveOverflow is the scalar behind the tables.
var alarmActiveOverflow = table[Alarms]{
	entry: alarmActive,
	parts: withAlarms,
	columns: []column[Alarms]{
		{5, "alarmActiveOverflow", func(Alarms) agentx.Value { return agentx.Counter32(0) }},
	},
}

// activeIndex is the index of alarmActiveTable.
func (a Alarm) activeIndex() agentx.OID { return append(timeIndex(dateAndTime(a.Raised)), a.index()) }

// timeIndex is the beginning of an index: the list and a time.
func timeIndex(t string) agentx.OID { return text(agentx.OID{defaultList}, t) }

var alarmActiveTable = table[Alarm]{
	name:  "alarmActiveTable",
	entry: alarmActive.Append(2, 1),
	parts: alarmRows(active, Alarm.activeIndex),
	columns: []column[Alarm]{
		{4, "alarmActiveEngineID", func(Alarm) agentx.Value { return agentx.Text("") }},
		{5, "alarmActiveEngineAddressType", func(Alarm) agentx.Value { return agentx.Integer(0) }},
		{6, "alarmActiveEngineAddress", func(Alarm) agentx.Value { return agentx.Text("") }},
		{7, "alarmActiveContextName", func(Alarm) agentx.Value { return agentx.Text("") }},
		{8, "alarmActiveVariables", func(a Alarm) agentx.Value {
			if a.InStorm {
				return agentx.Gauge32(0)
			}
			return agentx.Gauge32(alarmVariables)
		}},
		{9, "alarmActiveNotificationID", func(Alarm) agentx.Value { return agentx.ObjectIdentifier(lunaNotification(LunaRaised)) }},
		{10, "alarmActiveResourceId", func(a Alarm) agentx.Value { return agentx.ObjectIdentifier(a.resource()) }},
		{11, "alarmActiveDescription", func(a Alarm) agentx.Value { return admin(a.Device + ": " + a.Text) }},
		{12, "alarmActiveLogPointer", func(Alarm) agentx.Value { return zeroDotZero }},
		{13, "alarmActiveModelPointer", func(a Alarm) agentx.Value { return agentx.ObjectIdentifier(modelPointer(a.Model, a.Severity)) }},
		{14, "alarmActiveSpecificPointer", func(a Alarm) agentx.Value {
			return agentx.ObjectIdentifier(ituAlarmActiveTable.entry.Append(1).Append(a.activeIndex()...))
		}},
	},
}

// resource is the serial number of the HSM in hsmTable, or 0.0.
func (a Alarm) resource() agentx.OID {
	if a.Serial == "" || len(a.Serial) > 64 {
		return zeroDotZero.OID
	}
	return hsmTable.entry.Append(1).Append(text(nil, a.Serial)...)
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
			return none
		}
		return v.Value
	}
}

// alarmActiveVariableTable has the variables of each alarm's notification that describe
// the alarm itself, not those that number the notification.
var alarmActiveVariableTable = table[variable]{
	name:  "alarmActiveVariableTable",
	entry: alarmActive.Append(3, 1),
	parts: byAlarm(active, func(a Alarm) agentx.OID { return agentx.OID{a.index()} }, func(all Alarms, a Alarm, yield func(agentx.OID, variable) bool) bool {
		if a.InStorm {
			return true // no notification is sent for it
		}
		for i, v := range a.variables(all) {
			if !yield(agentx.OID{defaultList, a.index(), uint32(i + 1)}, variable(v)) {
				return false
			}
		}
		return true
	}),
	columns: []column[variable]{
		{2, "alarmActiveVariableID", func(v variable) agentx.Value { return agentx.ObjectIdentifier(v.OID) }},
		{3, "alarmActiveVariableValueType", func(v variable) agentx.Value { return enum(v.Value.Type, variableTypes) }},
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
func (a Alarm) variables(all Alarms) []agentx.Varbind {
	return append([]agentx.Varbind{
		{OID: sysUpTime, Value: all.ticks(a.Raised)},
		{OID: trapOID, Value: agentx.ObjectIdentifier(lunaNotification(LunaRaised))},
	}, a.objects()...)
}

var alarmActiveStatsTable = table[Alarms]{
	name:  "alarmActiveStatsTable",
	entry: alarmActive.Append(4, 1),
	parts: withAlarms, // the index of the only list is that of a scalar
	columns: []column[Alarms]{
		{1, "alarmActiveStatsActiveCurrent", func(a Alarms) agentx.Value { return unsigned32(int64(len(a.Active))) }},
		{2, "alarmActiveStatsActives", func(a Alarms) agentx.Value {
			n := uint64(0)
			for _, raised := range a.Raised {
				n += raised
			}
			return agentx.Gauge32(uint32(n))
		}},
		{3, "alarmActiveStatsLastRaise", func(a Alarms) agentx.Value { return a.ticks(a.LastRaise) }},
		{4, "alarmActiveStatsLastClear", func(a Alarms) agentx.Value { return a.ticks(a.LastClear) }},
	},
}

var alarmClearScalars = table[Alarms]{
	entry: alarmClear,
	parts: withAlarms,
	columns: []column[Alarms]{
		{1, "alarmClearMaximum", func(Alarms) agentx.Value { return agentx.Gauge32(MaxCleared) }},
	},
}

var alarmClearTable = table[Alarm]{
	name:  "alarmClearTable",
	entry: alarmClear.Append(2, 1),
	parts: alarmRows(func(a Alarms) []*Alarm { return a.Cleared[:min(len(a.Cleared), MaxCleared)] },
		func(a Alarm) agentx.OID { return append(timeIndex(dateAndTime(a.Cleared)), a.index()) }),
	columns: []column[Alarm]{
		{3, "alarmClearEngineID", func(Alarm) agentx.Value { return agentx.Text("") }},
		{4, "alarmClearEngineAddressType", func(Alarm) agentx.Value { return agentx.Integer(0) }},
		{5, "alarmClearEngineAddress", func(Alarm) agentx.Value { return agentx.Text("") }},
		{6, "alarmClearContextName", func(Alarm) agentx.Value { return agentx.Text("") }},
		{7, "alarmClearNotificationID", func(Alarm) agentx.Value { return agentx.ObjectIdentifier(lunaNotification(LunaCleared)) }},
		{8, "alarmClearResourceId", func(a Alarm) agentx.Value { return agentx.ObjectIdentifier(a.resource()) }},
		{9, "alarmClearLogIndex", func(Alarm) agentx.Value { return agentx.Gauge32(0) }},
		{10, "alarmClearModelPointer", func(a Alarm) agentx.Value { return agentx.ObjectIdentifier(modelPointer(a.Model, Cleared)) }},
	},
}
