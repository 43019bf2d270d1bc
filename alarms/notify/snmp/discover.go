package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gosnmp/gosnmp"
)

// ErrSilent says that a manager does not say who it is.
var ErrSilent = errors.New("it does not answer")

// discoverTimeout bounds [Target.Discover].
const discoverTimeout = 4 * time.Second

// Discover asks a manager of SNMPv3 for its engine ID (RFC 3414, section 4), in the name of
// nobody: that is no notification and needs no secret. It returns in words what came back.
// Of one of SNMPv2c it only looks up the address: nothing that it would answer can be sent.
func (t Target) Discover(ctx context.Context) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "udp", t.Address)
	if err != nil {
		return "", err
	}
	conn.Close()
	if t.Version == "2c" {
		return "the address is known; SNMPv2c does not say whether anybody listens", nil
	}
	host, port, err := splitAddress(conn.RemoteAddr())
	if err != nil {
		return "", err
	}
	usm := &gosnmp.UsmSecurityParameters{UserName: "doctor"} // nobody's
	g := &gosnmp.GoSNMP{Context: ctx, Target: host, Port: port, Transport: "udp", Version: gosnmp.Version3, Retries: 1, Timeout: discoverTimeout / 2,
		SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.NoAuthNoPriv, SecurityParameters: usm}
	if err := g.Connect(); err != nil {
		return "", err
	}
	defer g.Conn.Close()
	_, err = g.Get([]string{".1.3.6.1.2.1.1.3.0"}) // which nobody may have without a key
	if id := usm.AuthoritativeEngineID; id != "" {
		return fmt.Sprintf("engine ID %x", id), nil
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && !op.Timeout() {
		return "", op
	}
	return "", ErrSilent
}

func splitAddress(a net.Addr) (host string, port uint16, err error) {
	udp, ok := a.(*net.UDPAddr)
	if !ok {
		return "", 0, fmt.Errorf("%s is not an address of UDP", a)
	}
	return udp.IP.String(), uint16(udp.Port), nil
}
