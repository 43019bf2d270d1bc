// Package modules lists what Lunawatch serves: the tables of every MIB module.
package modules

import (
	"slices"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/alarm"
	"github.com/lunawatch/lunawatch/mib/entity"
	"github.com/lunawatch/lunawatch/mib/luna"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// Tables returns all tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = mib.Sorted(alarm.Tables(), luna.Tables(), vendor.Tables(), entity.Tables())

// Registrations returns what a subagent registers to serve every table. Others of the host
// may serve ENTITY-MIB, too: with the last priority, what they have is theirs as long as they
// are there.
func Registrations() (list []agentx.Registration) {
	for _, s := range slices.Concat(alarm.Subtrees(), vendor.Subtrees()) {
		list = append(list, agentx.Registration{Subtree: s})
	}
	for _, s := range entity.Subtrees() {
		list = append(list, agentx.Registration{Subtree: s, Priority: agentx.LastPriority})
	}
	return list
}

// Objects returns the OID of every object.
func Objects() (all []agentx.OID) {
	for _, oid := range tables.Objects() {
		all = append(all, oid)
	}
	return all
}

// lunaCapabilities is LUNAWATCH-CAPABILITIES-MIB.
var lunaCapabilities = agentx.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 5862, 3}

// Capabilities returns the rows of sysORTable: what is implemented of which modules.
func Capabilities() []agentx.Capability {
	return []agentx.Capability{
		{ID: lunaCapabilities.Append(1), Description: "LUNAWATCH-MIB: HSMs, their state and alarms"},
		{ID: lunaCapabilities.Append(2), Description: "ALARM-MIB and ITU-ALARM-MIB of RFC 3877, read-only"},
		{ID: lunaCapabilities.Append(3), Description: "CHRYSALIS-UTSP-MIB, SAFENET-HSM-MIB and SAFENET-APPLIANCE-MIB for several HSMs"},
		{ID: lunaCapabilities.Append(4), Description: "ENTITY-MIB, ENTITY-SENSOR-MIB and ENTITY-STATE-MIB, read-only"},
	}
}
