package snmp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// Validate returns every fault of the settings of a, by their keys in the
// configuration.
func (a *Agent) Validate() error {
	err := a.Peer.Validate()
	if a.Interval < time.Second {
		err = errors.Join(err, setting.Faultf("interval", "%s is out of range; 1s or more is allowed", a.Interval))
	}
	return err
}

// A session asks one agent in one poll. Each poll has a new one, because the agent may
// have restarted with another engine.
type session struct {
	agent    *Agent
	conn     *gosnmp.GoSNMP
	usm      *gosnmp.UsmSecurityParameters // nil for 2c
	answered bool                          // the agent accepts requests
	stop     func() bool                   // detaches conn from the context
}

// connect opens a session with the secrets of the files. It sends nothing.
func (a *Agent) connect(ctx context.Context) (*session, error) {
	conn, usm, err := a.Client()
	if err != nil {
		return nil, collectors.Failf(hsm.Login, "SNMP agent %s: %w", a.Address, err)
	}
	conn.Context, conn.Timeout, conn.MaxOids = ctx, cmp.Or(a.Timeout, requestTimeout), 1
	c := &session{agent: a, conn: conn, usm: usm}
	if err := c.conn.Connect(); err != nil {
		return nil, c.failed(err)
	}
	// A read ends at its deadline, not with the context.
	udp := c.conn.Conn
	c.stop = context.AfterFunc(ctx, func() { udp.SetDeadline(time.Unix(1, 0)) })
	return c, nil
}

func (c *session) close() {
	c.stop()
	c.conn.Close()
}

func (c *session) getBulk(after oid, repetitions uint32) (*gosnmp.SnmpPacket, error) {
	packet, err := c.conn.GetBulk([]string{after.String()}, 0, repetitions)
	if err != nil {
		return nil, c.failed(err)
	}
	return packet, nil
}

// refusals are the answers of agents to an unknown user or to wrong keys. Which one it
// is means nothing: agents differ.
var refusals = []error{
	gosnmp.ErrUnknownUsername, gosnmp.ErrWrongDigest, gosnmp.ErrDecryption,
	gosnmp.ErrUnknownSecurityLevel, gosnmp.ErrUnknownSecurityModels, gosnmp.ErrNotInTimeWindow,
}

// failed returns why a request got no answer. It does not use the texts of the
// library, which can contain parts of what was received.
func (c *session) failed(err error) *collectors.Failed {
	at := c.agent.Address
	refused := strings.Contains(err.Error(), "not authentic") || slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) })
	late := errors.Is(err, gosnmp.ErrMaxRetriesExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	dns := (*net.DNSError)(nil)
	switch {
	case errors.As(err, &dns):
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s: %w", at, dns)
	case errors.Is(err, syscall.ECONNREFUSED):
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s: nothing listens there", at).At(hsm.LayerPortRefused)
	case refused || late && !c.answered && c.discovered():
		return collectors.Failf(hsm.Login, "SNMP agent %s refuses requests of user %q: the user name, a password or a protocol is wrong; SNMPv3 does not tell which", at, c.agent.User)
	case late && c.answered:
		return collectors.Failf(hsm.Timeout, "SNMP agent %s answers, but not requests for the HSM's objects: the HSM or luna-snmp may hang", at).At(hsm.LayerCard)
	case late && c.usm == nil:
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s does not answer: the address or the community is wrong, a firewall blocks it, or it is down; SNMPv2c does not tell which", at).At(hsm.LayerNoAnswer)
	case late:
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s does not answer: the address is wrong, a firewall blocks it, or it is down", at).At(hsm.LayerNoAnswer)
	case errors.As(err, new(net.Error)):
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s: network error", at).At(collectors.LayerOf(err))
	}
	return collectors.Failf(hsm.Unrecognised, "SNMP agent %s answers with what is not SNMP", at)
}

// discovered reports whether the agent has sent its engine ID, which it sends to
// anybody.
func (c *session) discovered() bool { return c.usm != nil && c.usm.AuthoritativeEngineID != "" }
