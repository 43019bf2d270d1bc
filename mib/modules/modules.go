// Package modules lists what Lunawatch serves: the tables of every MIB module.
package modules

import (
	"slices"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/alarm"
	"github.com/lunawatch/lunawatch/mib/luna"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// Tables returns all tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = mib.Sorted(alarm.Tables(), luna.Tables(), vendor.Tables())

// Subtrees returns the subtrees that a subagent registers to serve every table.
func Subtrees() []agentx.OID { return slices.Concat(alarm.Subtrees(), vendor.Subtrees()) }
