// Package snmp makes traps, informs and rows of SNMP tables of alarms and
// notifications, and sends them. It knows nothing of queues or retries.
package snmp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/alarm"
)

// A Notifier sends traps or informs to one manager.
type Notifier struct {
	target Target
	engine journal.Engine

	mu   sync.Mutex     // one message at a time
	conn *gosnmp.GoSNMP // nil: none is open; a failed inform leaves it unusable
}

// New returns a Notifier to t with j's SNMP engine. An error says what is wrong
// with t, or with the files of its secrets.
func New(t Target, j *journal.Journal) (*Notifier, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	engine, err := j.Engine()
	if err != nil {
		return nil, err
	}
	s := &Notifier{target: t, engine: engine}
	if _, err := s.client(); err != nil {
		return nil, err
	}
	return s, nil
}

// Notify implements [notify.Notifier].
func (s *Notifier) Notify(ctx context.Context, n alarms.Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.send(ctx, n); err != nil {
		if s.conn != nil {
			s.conn.Close()
			s.conn = nil
		}
		return fmt.Errorf("%s: %w", s.target.Address, err)
	}
	return nil
}

func (s *Notifier) send(ctx context.Context, n alarms.Notification) error {
	if s.conn == nil {
		conn, err := s.client()
		if err != nil {
			return err
		}
		conn.Context = ctx
		if err := conn.Connect(); err != nil {
			return err
		}
		s.conn = conn
	}
	s.conn.Context = ctx
	uptime := time.Since(s.engine.Started)
	if usm, ok := s.conn.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && !s.target.Inform {
		usm.AuthoritativeEngineTime = uint32(uptime.Seconds())
	}
	for _, t := range s.target.Form.Traps(n) {
		if _, err := s.conn.SendTrap(gosnmp.SnmpTrap{IsInform: s.target.Inform, Variables: variables(uptime, t)}); err != nil {
			return err
		}
	}
	return nil
}

// variables returns those of a trap: sysUpTime, snmpTrapOID and its objects.
func variables(uptime time.Duration, t alarm.Trap) []gosnmp.SnmpPDU {
	list := []gosnmp.SnmpPDU{
		{Name: ".1.3.6.1.2.1.1.3.0", Type: gosnmp.TimeTicks, Value: uint32(uptime / (10 * time.Millisecond))},
		{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: "." + t.OID.String()},
	}
	for _, vb := range t.Objects {
		pdu := gosnmp.SnmpPDU{Name: "." + vb.OID.String()}
		switch v := vb.Value; v.Type {
		case agentx.TypeInteger:
			pdu.Type, pdu.Value = gosnmp.Integer, int(v.Int())
		case agentx.TypeGauge32:
			pdu.Type, pdu.Value = gosnmp.Gauge32, uint32(v.Number)
		case agentx.TypeObjectIdentifier:
			pdu.Type, pdu.Value = gosnmp.ObjectIdentifier, "."+v.OID.String()
		default:
			pdu.Type, pdu.Value = gosnmp.OctetString, v.Octets
		}
		list = append(list, pdu)
	}
	return list
}

// client returns a new client, with secrets read from their files.
func (s *Notifier) client() (*gosnmp.GoSNMP, error) {
	g, usm, err := s.target.Client()
	if err != nil {
		return nil, err
	}
	g.Timeout, g.MaxOids = 3*time.Second, gosnmp.MaxOids
	if usm != nil && !s.target.Inform { // the sender of a trap is its authoritative engine
		usm.AuthoritativeEngineID, usm.AuthoritativeEngineBoots = s.engine.ID, s.engine.Boots
		g.ContextEngineID = s.engine.ID
	}
	return g, nil
}
