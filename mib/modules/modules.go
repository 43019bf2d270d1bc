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
