package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
)

// An Target is a manager that takes traps or informs.
type Target struct {
	Address          string       `yaml:"address"`        // host:port
	Version          string       `yaml:"version"`        // "2c" or "3"
	Inform           bool         `yaml:"inform"`         // confirmed; a trap to a closed port counts as sent
	CommunityFile    setting.File `yaml:"community_file"` // 2c
	User             string       `yaml:"user"`           // 3, always authPriv
	AuthProtocol     string       `yaml:"auth_protocol"`  // SHA224, SHA256, SHA384 or SHA512; "" is SHA256
	AuthPasswordFile setting.File `yaml:"auth_password_file"`
	PrivProtocol     string       `yaml:"priv_protocol"` // AES, AES192 or AES256; "" is AES
	PrivPasswordFile setting.File `yaml:"priv_password_file"`
	Form             Forms        `yaml:"form"`
}

// Notifier sends traps or informs to one manager.
type Notifier struct {
	target Target
	engine journal.Engine

	mu   sync.Mutex     // one message at a time
	conn *gosnmp.GoSNMP // nil: to be made; an inform that failed leaves it unusable
}

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES": gosnmp.AES, "AES128": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// Validate returns all that is wrong with t.
func (t Target) Validate() error {
	errs := []error{
		setting.At("form", t.Form.Validate()), setting.At("community_file", t.CommunityFile.Validate()),
		setting.At("auth_password_file", t.AuthPasswordFile.Validate()), setting.At("priv_password_file", t.PrivPasswordFile.Validate()),
	}
	if t.Address == "" {
		errs = append(errs, setting.Faultf("address", "is needed"))
	} else if _, _, err := t.hostPort(); err != nil {
		errs = append(errs, setting.At("address", err))
	}
	switch {
	case t.Version == "2c" && t.CommunityFile == "":
		errs = append(errs, errors.New("version 2c needs community_file"))
	case t.Version == "3" && (t.User == "" || t.AuthPasswordFile == "" || t.PrivPasswordFile == ""):
		errs = append(errs, errors.New("version 3 needs user, auth_password_file and priv_password_file"))
	case t.Version != "2c" && t.Version != "3":
		errs = append(errs, setting.Faultf("version", "%q is neither 2c nor 3", t.Version))
	}
	if _, ok := authProtocols[protocol(t.AuthProtocol)]; !ok {
		errs = append(errs, setting.Faultf("auth_protocol", "%q is none of SHA224, SHA256, SHA384, SHA512", t.AuthProtocol))
	}
	if _, ok := privProtocols[protocol(t.PrivProtocol)]; !ok {
		errs = append(errs, setting.Faultf("priv_protocol", "%q is none of AES, AES192, AES256", t.PrivProtocol))
	}
	return errors.Join(errs...)
}

// New returns a sender to t by j's engine. An error tells what is wrong
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

// protocol accepts SHA-256 and sha256 alike.
func protocol(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }

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

// variables are those of a trap: sysUpTime, snmpTrapOID and its objects.
func variables(uptime time.Duration, t mib.Trap) []gosnmp.SnmpPDU {
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

func (t Target) hostPort() (string, uint16, error) {
	host, text, err := net.SplitHostPort(t.Address)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number from 0 to 65535", text)
	}
	return host, uint16(port), nil
}

// client returns a fresh client with the secrets of the files.
func (s *Notifier) client() (*gosnmp.GoSNMP, error) {
	host, port, err := s.target.hostPort()
	if err != nil {
		return nil, err
	}
	g := &gosnmp.GoSNMP{
		Target: host, Port: port, Transport: "udp", Timeout: 3 * time.Second, Retries: 1,
		MaxOids: gosnmp.MaxOids, Version: gosnmp.Version2c,
	}
	if s.target.Version == "2c" {
		g.Community, err = s.target.CommunityFile.Secret("community_file", 1)
		return g, err
	}
	auth, err := s.target.AuthPasswordFile.Secret("auth_password_file", 8)
	if err != nil {
		return nil, err
	}
	priv, err := s.target.PrivPasswordFile.Secret("priv_password_file", 8)
	if err != nil {
		return nil, err
	}
	usm := &gosnmp.UsmSecurityParameters{
		UserName:                 s.target.User,
		AuthenticationProtocol:   authProtocols[protocol(s.target.AuthProtocol)],
		AuthenticationPassphrase: auth,
		PrivacyProtocol:          privProtocols[protocol(s.target.PrivProtocol)],
		PrivacyPassphrase:        priv,
	}
	g.Version, g.SecurityModel, g.MsgFlags, g.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthPriv, usm
	if !s.target.Inform { // the sender of a trap is its authoritative engine
		usm.AuthoritativeEngineID, usm.AuthoritativeEngineBoots = s.engine.ID, s.engine.Boots
		g.ContextEngineID = s.engine.ID
	}
	return g, nil
}
