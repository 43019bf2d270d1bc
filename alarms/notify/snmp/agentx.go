package snmp

import (
	"context"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// AgentX has the host's snmpd send traps, to its own sinks and with its own
// users. snmpd accepts a notification before it sends it.
type AgentX struct {
	Session *agentx.Session
	Form    Forms
}

var snmpTrapOID = agentx.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}

// Notify implements [notify.Notifier].
func (a AgentX) Notify(ctx context.Context, n alarms.Notification) error {
	for _, t := range a.Form.Traps(n) {
		trap := agentx.Varbind{OID: snmpTrapOID, Value: agentx.ObjectIdentifier(t.OID)}
		if err := a.Session.Notify(ctx, append([]agentx.Varbind{trap}, t.Objects...)); err != nil {
			return err
		}
	}
	return nil
}
