package zabbix

// A table is what is discovered in a table of LUNAWATCH-MIB.
type table struct {
	name  string   // of the table
	about string   // what a row is, as the beginning of names: "HSM {#HSM}"
	rows  []string // columns, one of which each row has at least
	index []string // macros for the parts of the index
	// macros are columns that names need, by macro; they are not in the index.
	macros   []column
	triggers []condition
}

type column struct{ macro, name string }

// A condition is a trigger. In its expression the name of a column stands for the item.
type condition struct {
	when, name, priority string
	why                  string // a column whose text the event has
}

// tables are in the order of the template. The first condition of a table suppresses its others.
var tables = []table{
	{"lunaHsmTable", "HSM {#HSM}", []string{"lunaHsmName"}, []string{"{#HSM}"}, nil, []condition{
		{"last(lunaHsmReach)>2", "cannot be read", high, "lunaHsmReason"},
		{"last(lunaHsmState)=4", "is not watched", average, "lunaHsmReason"},
		{"last(lunaHsmState)=3", "is critical", high, "lunaHsmReason"},
		{"last(lunaHsmState)=2", "has warnings", warning, "lunaHsmReason"},
		{"last(lunaHsmBattery)<last(lunaHsmBatteryThreshold)", "battery is below the HSM's threshold", average, ""},
		{"last(lunaHsmTemperature)>=last(lunaHsmTemperatureThreshold)", "temperature is at the HSM's threshold", average, ""},
		{"last(lunaHsmTamper)=2", "tamper", disaster, "lunaHsmTampers"},
		{"last(lunaHsmZeroized)=1", "is zeroized", high, ""},
		{"last(lunaHsmTransportMode)=1", "is in secure transport mode", warning, ""},
		{`last(lunaHsmSoAttemptsLeft)<={$LUNAWATCH.SO.ATTEMPTS.MIN:"{#HSM}"}`, "few logins of the SO are left", high, ""},
		{`last(lunaHsmAge)>{$LUNAWATCH.AGE.MAX:"{#HSM}"}`, "values are old", average, ""},
	}},
	{"lunaPartitionTable", "HSM {#HSM} partition {#NAME}", []string{"lunaPartitionVendorRow"}, []string{"{#HSM}", "{#PARTITION}"}, []column{{"{#NAME}", "lunaPartitionName"}}, []condition{
		{"last(lunaPartitionZeroized)=1", "is zeroized", high, ""},
		{"last(lunaPartitionActivated)=2", "is not activated", high, ""},
		{`last(lunaPartitionStorageUsed)>last(lunaPartitionStorageTotal)*{$LUNAWATCH.STORAGE.MAX:"{#HSM}"}/100`, "storage is nearly full", warning, ""},
	}},
	{"lunaRoleTable", "HSM {#HSM} partition {#PARTITION} role {#ROLE}", []string{"lunaRoleInitialized", "lunaRoleLockedOut", "lunaRoleAttemptsLeft", "lunaRoleActivated"}, []string{"{#HSM}", "{#PARTITION}", "{#ROLE}"}, nil, []condition{
		{"last(lunaRoleLockedOut)=1", "is locked out", high, ""},
	}},
	{"lunaSensorTable", "HSM {#HSM} sensor {#SENSOR}", []string{"lunaSensorLabel"}, []string{"{#HSM}", "{#PART}", "{#SENSOR}"}, []column{{"{#UNIT}", "lunaSensorUnit"}}, []condition{
		{"last(lunaSensorState)=3" + ofNoOther, "is critical", high, "lunaSensorStatus"},
		{"last(lunaSensorState)=2" + ofNoOther, "is at its limit", warning, "lunaSensorStatus"},
	}},
	{"lunaHaGroupTable", "HA group {#GROUP} of {#HOST}", []string{"lunaHaGroupMembers"}, []string{"{#HOST}", "{#GROUP}"}, nil, []condition{
		{"last(lunaHaGroupOffline)=1", "no member is alive", disaster, ""},
		{"last(lunaHaGroupRecoveryDisabled)=1", "members are lost, and recovery is off", high, ""},
		{"last(lunaHaGroupRedundancy)=0", "no member may be lost any more", warning, ""},
	}},
	{"lunaHaMemberTable", "HA group {#GROUP} of {#HOST} member {#MEMBER}", []string{"lunaHaMemberState", "lunaHaMemberStandby"}, []string{"{#HOST}", "{#GROUP}", "{#MEMBER}"}, nil, []condition{
		{"last(lunaHaMemberState)>2", "is not alive", average, "lunaHaMemberCode"},
	}},
	{"lunaSourceTable", "Source {#SOURCE} of {#DEVICE}", []string{"lunaSourceLabel"}, []string{"{#DEVICE}", "{#SOURCE}"}, nil, []condition{
		{"last(lunaSourceFailure)>2 and last(lunaSourceFailure)<>5", "fails", average, "lunaSourceError"},
	}},
	{"lunaOperationTable", "HSM {#HSM} partition {#PARTITION} requests {#KIND}", []string{"lunaOperationRequests"}, []string{"{#HSM}", "{#PARTITION}", "{#KIND}"}, nil, nil},
	{"lunaReceiverTable", "Receiver {#RECEIVER}", []string{"lunaReceiverLastSequence"}, []string{"{#RECEIVER}"}, nil, []condition{
		{"last(lunaReceiverLost)>0", "notifications were given up", warning, ""},
		{`min(lunaReceiverWaiting,{$LUNAWATCH.WAITING.TIME})>0`, "notifications wait", average, ""},
	}},
}

// ofNoOther leaves out the two sensors that are triggers of the HSM already.
const ofNoOther = ` and "{#PART} {#SENSOR}"<>"1 Battery" and "{#PART} {#SENSOR}"<>"1 Temperature"`

const (
	disaster = "DISASTER"
	high     = "HIGH"
	average  = "AVERAGE"
	warning  = "WARNING"
)

// silent suppresses all other triggers: without the agent, nothing that it said last is so.
var silent = condition{"nodata(lunaAgentUpTime,{$LUNAWATCH.NODATA})=1", "Lunawatch does not answer by SNMP", high, ""}

// of the agent are triggers about scalars.
var ofAgent = []condition{
	silent,
	{"max(lunaAgentUpTime,{$LUNAWATCH.NODATA})=min(lunaAgentUpTime,{$LUNAWATCH.NODATA})", "Lunawatch shows values that stand still", high, ""},
	{"last(lunaAgentHsms)=0", "Lunawatch watches no HSM", average, ""},
	{"last(ntlsCertExpireDay)-now()<{$LUNAWATCH.CERTIFICATE.DAYS}*86400", "An NTLS certificate expires soon", warning, ""},
	{"last(ntlsOperStatus)=2", "NTLS of an appliance is down", high, ""},
}

// macros are what the HSM does not state.
var macros = []macro{
	{"{$LUNAWATCH.INTERVAL}", "1m", "How often the tables are walked"},
	{"{$LUNAWATCH.NODATA}", "5m", "Without an answer for so long, nothing is known: five intervals"},
	{"{$LUNAWATCH.AGE.MAX}", "15m", "Age of the newest value of an HSM; with a context for one HSM"},
	{"{$LUNAWATCH.STORAGE.MAX}", "90", "Storage of a partition that is used, in percent; with a context for one HSM"},
	{"{$LUNAWATCH.SO.ATTEMPTS.MIN}", "1", "Failed logins of the security officer that are left; with a context for one HSM"},
	{"{$LUNAWATCH.CERTIFICATE.DAYS}", "30", "Days until the next NTLS certificate expires"},
	{"{$LUNAWATCH.WAITING.TIME}", "15m", "How long notifications may wait to be delivered"},
}

// A plot is a graph of some columns of a row.
type plot struct {
	table, name string
	columns     []string
}

// plots are also the widgets of the dashboard.
var plots = []plot{
	{"lunaHsmTable", "battery", []string{"lunaHsmBattery", "lunaHsmBatteryThreshold"}},
	{"lunaHsmTable", "temperature", []string{"lunaHsmTemperature", "lunaHsmTemperatureThreshold"}},
	{"lunaHsmTable", "utilization", []string{"lunaHsmUtilization", "lunaHsmUtilizationInterval"}},
	{"lunaHsmTable", "requests", []string{"lunaHsmOperationRequests", "lunaHsmOperationErrors", "lunaHsmCryptoRequests", "lunaHsmCryptoErrors"}},
	{"lunaPartitionTable", "storage", []string{"lunaPartitionStorageUsed", "lunaPartitionStorageTotal"}},
	{"lunaHaGroupTable", "members", []string{"lunaHaGroupMembers", "lunaHaGroupAlive", "lunaHaGroupStandby"}},
}

// colours are those of the lines of a graph.
var colours = []string{"1A7C11", "F63100", "2774A4", "A54F10"}
