// Package alarm has the alarms as tables of ALARM-MIB and ITU-ALARM-MIB, RFC 3877, and of
// LUNAWATCH-MIB, and the notifications that have their objects.
package alarm

import (
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// Subtrees returns the subtrees of the tables.
func Subtrees() []agentx.OID { return []agentx.OID{alarmMIB, ituAlarmMIB, lunawatchMIB} }

// Tables returns the tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = mib.Tables{
	alarmModelScalars,
	alarmModelTable,
	alarmActiveScalars,
	alarmActiveTable,
	alarmActiveVariableTable,
	alarmActiveStatsTable,
	alarmActiveOverflow,
	alarmClearScalars,
	alarmClearTable,
	ituAlarmTable,
	ituAlarmActiveTable,
	ituAlarmActiveStatsTable,
	lunaAgentScalars,
	lunaAlarmTable,
	lunaReceiverTable,
}
