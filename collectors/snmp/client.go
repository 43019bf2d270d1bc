package snmp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// authProtocols and privProtocols are the protocols of SNMPv3 that may be configured,
// by name; "" is the default.
var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES": gosnmp.AES, "AES128": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// protocolName returns the name of a protocol as a key of the tables above: SHA256
// for sha-256.
func protocolName(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }

// Validate returns every fault of the settings of a, by their keys in the
// configuration.
func (a *Agent) Validate() error {
	errs := []error{
		setting.At("community_file", a.CommunityFile.Validate()),
		setting.At("auth_password_file", a.AuthPasswordFile.Validate()), setting.At("priv_password_file", a.PrivPasswordFile.Validate()),
	}
	if a.Address == "" {
		errs = append(errs, setting.Faultf("address", "is needed"))
	}
	switch {
	case a.Version == "2c" && a.CommunityFile == "":
		errs = append(errs, errors.New("version 2c needs community_file"))
	case a.Version == "3" && (a.User == "" || a.AuthPasswordFile == "" || a.PrivPasswordFile == ""):
		errs = append(errs, errors.New("version 3 needs user, auth_password_file and priv_password_file"))
	case a.Version != "2c" && a.Version != "3":
		errs = append(errs, setting.Faultf("version", "%q is neither 3 nor 2c", a.Version))
	}
	if _, ok := authProtocols[protocolName(a.AuthProtocol)]; !ok {
		errs = append(errs, setting.Faultf("auth_protocol", "%q is none of SHA224, SHA256, SHA384, SHA512", a.AuthProtocol))
	}
	if _, ok := privProtocols[protocolName(a.PrivProtocol)]; !ok {
		errs = append(errs, setting.Faultf("priv_protocol", "%q is none of AES, AES192, AES256", a.PrivProtocol))
	}
	if a.Interval < time.Second {
		errs = append(errs, setting.Faultf("interval", "%s is below one second", a.Interval))
	}
	return errors.Join(errs...)
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
	host, text, err := net.SplitHostPort(a.Address)
	if err != nil {
		return nil, collectors.Failf(hsm.Unreachable, "SNMP address: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, collectors.Failf(hsm.Unreachable, "SNMP address %s: port %q is not a number from 0 to 65535", a.Address, text)
	}
	c := &session{agent: a, conn: &gosnmp.GoSNMP{
		Target: host, Port: uint16(port), Transport: "udp", Version: gosnmp.Version2c,
		Context: ctx, Timeout: cmp.Or(a.Timeout, requestTimeout), Retries: 1, MaxOids: 1,
	}}
	if err := c.secrets(); err != nil {
		return nil, collectors.Failf(hsm.Login, "SNMP agent %s: %w", a.Address, err)
	}
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

func (c *session) secrets() (err error) {
	a := c.agent
	if a.Version == "2c" {
		c.conn.Community, err = a.CommunityFile.Secret("community_file", 1)
		return err
	}
	auth, err := a.AuthPasswordFile.Secret("auth_password_file", 8)
	if err != nil {
		return err
	}
	priv, err := a.PrivPasswordFile.Secret("priv_password_file", 8)
	if err != nil {
		return err
	}
	c.usm = &gosnmp.UsmSecurityParameters{
		UserName:               a.User,
		AuthenticationProtocol: authProtocols[protocolName(a.AuthProtocol)], AuthenticationPassphrase: auth,
		PrivacyProtocol: privProtocols[protocolName(a.PrivProtocol)], PrivacyPassphrase: priv,
	}
	c.conn.Version, c.conn.SecurityModel, c.conn.MsgFlags, c.conn.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthPriv, c.usm
	return nil
}

// greet asks for sysUpTime.0, which needs no HSM. An agent that accepts the user
// answers it, if only that there is no such object, even while its HSM hangs.
func (c *session) greet() error {
	if _, err := c.conn.Get([]string{".1.3.6.1.2.1.1.3.0"}); err != nil {
		return c.failed(err)
	}
	c.answered = true
	return nil
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
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s: nothing listens there", at)
	case refused || late && !c.answered && c.discovered():
		return collectors.Failf(hsm.Login, "SNMP agent %s refuses requests of user %q: the user name, a password or a protocol is wrong; SNMPv3 does not tell which", at, c.agent.User)
	case late && c.answered:
		return collectors.Failf(hsm.Timeout, "SNMP agent %s answers, but not requests for the HSM's objects: the HSM or luna-snmp may hang", at)
	case late && c.usm == nil:
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s does not answer: the address or the community is wrong, a firewall blocks it, or it is down; SNMPv2c does not tell which", at)
	case late:
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s does not answer: the address is wrong, a firewall blocks it, or it is down", at)
	case errors.As(err, new(net.Error)):
		return collectors.Failf(hsm.Unreachable, "SNMP agent %s: network error", at)
	}
	return collectors.Failf(hsm.Unrecognised, "SNMP agent %s answers with what is not SNMP", at)
}

// discovered reports whether the agent has sent its engine ID, which it sends to
// anybody.
func (c *session) discovered() bool { return c.usm != nil && c.usm.AuthoritativeEngineID != "" }
