package alarms

import (
	"context"

	"github.com/lunawatch/lunawatch/mib/agentx"
)

// AgentX has the host's snmpd send traps, to its own sinks and with its own
// users. snmpd accepts a notification before it is on its way.
type AgentX struct{ Session *agentx.Session }

var snmpTrapOID = agentx.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}

// Notify implements [Notifier].
func (a AgentX) Notify(ctx context.Context, n Notification) error {
	oid, object, reference := VendorTrap(n)
	trap, err := agentx.ParseOID(oid)
	if err != nil {
		return err
	}
	name, err := agentx.ParseOID(object)
	if err != nil {
		return err
	}
	return a.Session.Notify(ctx, []agentx.Varbind{
		{OID: snmpTrapOID, Value: agentx.ObjectIdentifier(trap)},
		{OID: name, Value: agentx.Text(reference)},
	})
}
