// Package modules lists what Lunawatch serves: the tables of every MIB module.
package modules

import (
	"slices"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/alarm"
	"github.com/lunawatch/lunawatch/mib/entity"
	"github.com/lunawatch/lunawatch/mib/vendor"
)

// Tables returns all tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = slices.Concat(alarm.Tables(), vendor.Tables(), entity.Tables()).Sorted()

// Subtrees returns the subtrees that a subagent registers to serve every table but those of
// [Shared].
func Subtrees() []agentx.OID { return slices.Concat(alarm.Subtrees(), vendor.Subtrees()) }

// Shared returns the subtrees of modules that other subagents of the host may serve, too.
func Shared() []agentx.OID { return entity.Subtrees() }
