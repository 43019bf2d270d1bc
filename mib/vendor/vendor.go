// Package vendor has the HSMs as objects of the vendor's modules CHRYSALIS-UTSP-MIB,
// SAFENET-HSM-MIB and SAFENET-APPLIANCE-MIB.
package vendor

import (
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

var (
	chrysalisUTSP    = agentx.OID{1, 3, 6, 1, 4, 1, 12383, 3, 1}
	safenetHSM       = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 1}
	safenetAppliance = agentx.OID{1, 3, 6, 1, 4, 1, 23629, 1, 5, 2}
)

// Subtrees returns the subtrees of the modules, which one HSM's own agent has, too.
func Subtrees() []agentx.OID { return []agentx.OID{chrysalisUTSP, safenetHSM, safenetAppliance} }

// Tables returns the tables, in the order of their OIDs.
func Tables() mib.Tables { return tables }

var tables = mib.Tables{
	chrysalisHSM,
	chrysalisNTLS,
	hsmTable,
	licenseTable,
	partitionTable,
	policyTable,
	partitionPolicyTable,
	clientTable,
	assignmentTable,
	appliance,
}
