package alarm

import (
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// The tables of ITU-ALARM-MIB, RFC 3877.

var (
	ituAlarmMIB    = agentx.OID{1, 3, 6, 1, 2, 1, 121}
	ituAlarmModel  = ituAlarmMIB.Append(1, 1)
	ituAlarmActive = ituAlarmMIB.Append(1, 2)
)

var ituAlarmTable = mib.Table[modelState]{
	Name:  "ituAlarmTable",
	Entry: ituAlarmModel.Append(1, 1),
	// in the order of the index, which is the number of the severity
	Parts: modelRows([]mib.Severity{mib.Cleared, mib.Indeterminate, mib.Critical, mib.Major, mib.Minor, mib.Warning}, func(s mib.Severity) uint32 { return uint32(s.Perceived()) }),
	Columns: []mib.Column[modelState]{
		{2, "ituAlarmEventType", func(m modelState) agentx.Value { return eventType(m.EventType) }},
		{3, "ituAlarmProbableCause", func(m modelState) agentx.Value { return probableCause(m.Cause) }},
		{4, "ituAlarmAdditionalText", func(m modelState) agentx.Value { return mib.Admin(m.Action) }},
		{5, "ituAlarmGenericModel", func(m modelState) agentx.Value { return agentx.ObjectIdentifier(modelPointer(m.Index, m.state)) }},
	},
}

// ituModelPointer is the OID of the first object of a row of ituAlarmTable.
func ituModelPointer(model uint32, s mib.Severity) agentx.OID {
	return ituAlarmModel.Append(1, 1, 2, defaultList, model, uint32(s.Perceived()))
}

var ituAlarmActiveTable = mib.Table[mib.Alarm]{
	Name:  "ituAlarmActiveTable",
	Entry: ituAlarmActive.Append(1, 1),
	Parts: alarmRows(active, activeIndex),
	Columns: []mib.Column[mib.Alarm]{
		// An alarm retains its worst severity, so the trend is no change or worse.
		{1, "ituAlarmActiveTrendIndication", func(mib.Alarm) agentx.Value { return agentx.Integer(2) }},
		{2, "ituAlarmActiveDetector", func(mib.Alarm) agentx.Value { return zeroDotZero }},
		{3, "ituAlarmActiveServiceProvider", func(mib.Alarm) agentx.Value { return zeroDotZero }},
		{4, "ituAlarmActiveServiceUser", func(mib.Alarm) agentx.Value { return zeroDotZero }},
	},
}

// current counts the active alarms of a severity.
func current(s mib.Severity) func(mib.Alarms) agentx.Value {
	return func(a mib.Alarms) agentx.Value {
		n := int64(0)
		for _, x := range a.Active {
			if x.Severity == s {
				n++
			}
		}
		return mib.Unsigned32(n)
	}
}

// raised counts the alarms of a severity that were raised since the agent started.
func raised(s mib.Severity) func(mib.Alarms) agentx.Value {
	return func(a mib.Alarms) agentx.Value { return agentx.Gauge32(uint32(a.Raised[s])) }
}

var ituAlarmActiveStatsTable = mib.Table[mib.Alarms]{
	Name:  "ituAlarmActiveStatsTable",
	Entry: ituAlarmActive.Append(2, 1),
	Parts: withAlarms,
	Columns: []mib.Column[mib.Alarms]{
		{1, "ituAlarmActiveStatsIndeterminateCurrent", current(mib.Indeterminate)},
		{2, "ituAlarmActiveStatsCriticalCurrent", current(mib.Critical)},
		{3, "ituAlarmActiveStatsMajorCurrent", current(mib.Major)},
		{4, "ituAlarmActiveStatsMinorCurrent", current(mib.Minor)},
		{5, "ituAlarmActiveStatsWarningCurrent", current(mib.Warning)},
		{6, "ituAlarmActiveStatsIndeterminates", raised(mib.Indeterminate)},
		{7, "ituAlarmActiveStatsCriticals", raised(mib.Critical)},
		{8, "ituAlarmActiveStatsMajors", raised(mib.Major)},
		{9, "ituAlarmActiveStatsMinors", raised(mib.Minor)},
		{10, "ituAlarmActiveStatsWarnings", raised(mib.Warning)},
	},
}

// eventTypes is IANAItuEventType.
var eventTypes = map[string]int32{
	"other": 1, "communicationsAlarm": 2, "qualityOfServiceAlarm": 3, "processingErrorAlarm": 4, "equipmentAlarm": 5,
	"environmentalAlarm": 6, "integrityViolation": 7, "operationalViolation": 8, "physicalViolation": 9,
	"securityServiceOrMechanismViolation": 10, "timeDomainViolation": 11,
}

func eventType(name string) agentx.Value {
	n, ok := eventTypes[name]
	if !ok {
		n = eventTypes["other"]
	}
	return agentx.Integer(n)
}

// otherCause is other of IANAItuProbableCause.
const otherCause = 1024

// causes is the part of IANAItuProbableCause that alarms of HSMs have, by the names of
// X.733, X.736 and M.3100. A name that X.733 and M.3100 have with different numbers has
// that of X.733.
var causes = map[string]int32{
	"intrusionDetection": 126, // M.3100

	"applicationSubsystemFailure": 501, "communicationsProtocolError": 504, "communicationsSubsystemFailure": 505,
	"configurationOrCustomizationError": 506, "congestion": 507, "corruptData": 508, "equipmentMalfunction": 514,
	"fileError": 516, "heatingOrVentilationOrCoolingSystemProblem": 519, "performanceDegraded": 532, "powerProblem": 533,
	"resourceAtOrNearingCapacity": 541, "responseTimeExcessive": 542, "softwareError": 544,
	"softwareProgramAbnormallyTerminated": 545, "softwareProgramError": 546, "storageCapacityProblem": 547,
	"temperatureUnacceptable": 548, "thresholdCrossed": 549, "timingProblem": 550, "underlyingResourceUnavailable": 554,
	"versionMismatch": 555,

	"authenticationFailure": 600, "cableTamper": 602, "denialOfService": 604, "duplicateInformation": 605, "informationMissing": 606,
	"informationModificationDetected": 607, "keyExpired": 609, "outOfHoursActivity": 611, "outOfService": 612,
	"proceduralError": 613, "unauthorizedAccessAttempt": 614, "unexpectedInformation": 615,

	"other": otherCause, "indeterminate": otherCause,
}

func probableCause(name string) agentx.Value {
	n, ok := causes[name]
	if !ok {
		n = otherCause
	}
	return agentx.Integer(n)
}

// HasCause reports whether a probable cause has a number in IANAItuProbableCause. One
// that has none is shown as other.
func HasCause(name string) bool { return causes[name] != 0 }
