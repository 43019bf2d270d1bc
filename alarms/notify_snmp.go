package alarms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"
)

// An SNMPTarget is a manager that takes traps or informs.
type SNMPTarget struct {
	Address          string // host:port
	Version          string // "2c" or "3"
	Inform           bool   // confirmed; a trap to a closed port counts as sent
	CommunityFile    string // 2c
	User             string // 3, always authPriv
	AuthProtocol     string // SHA224, SHA256, SHA384 or SHA512; "" is SHA256
	AuthPasswordFile string
	PrivProtocol     string // AES, AES192 or AES256; "" is AES
	PrivPasswordFile string
}

// SNMP sends the vendor's notifications to one manager, as an SNMP engine of
// its own: its engine id is kept, and its boots grow with every start.
type SNMP struct {
	target  SNMPTarget
	engine  string
	boots   uint32
	started time.Time

	mu   sync.Mutex     // one message at a time
	conn *gosnmp.GoSNMP // nil: to be made; an inform that failed leaves it unusable
}

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// NewSNMP returns a sender to t. It counts one boot of its engine in j before
// anything is sent.
func NewSNMP(t SNMPTarget, j *Journal) (*SNMP, error) {
	if _, ok := authProtocols[protocol(t.AuthProtocol)]; !ok {
		return nil, fmt.Errorf("auth_protocol %q is none of SHA224, SHA256, SHA384, SHA512", t.AuthProtocol)
	}
	if _, ok := privProtocols[protocol(t.PrivProtocol)]; !ok {
		return nil, fmt.Errorf("priv_protocol %q is none of AES, AES192, AES256", t.PrivProtocol)
	}
	engine, err := j.Keep("snmp engine id", func() []byte {
		id := append([]byte{0x80, 0x00, 0x1f, 0x88, 5}, make([]byte, 12)...)
		rand.Read(id[5:])
		return id
	})
	if err != nil {
		return nil, fmt.Errorf("engine id: %w", err)
	}
	boots, err := j.Count("snmp engine boots")
	if err != nil {
		return nil, fmt.Errorf("engine boots: %w", err)
	}
	s := &SNMP{target: t, engine: string(engine), boots: uint32(min(boots, 1<<31-1)), started: time.Now()}
	if _, err := s.connection(); err != nil {
		return nil, err
	}
	return s, nil
}

// protocol accepts SHA-256 and sha256 alike.
func protocol(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }

// Notify implements [Notifier].
func (s *SNMP) Notify(ctx context.Context, n Notification) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn := s.conn
	if conn == nil {
		var err error
		if conn, err = s.connection(); err != nil {
			return err
		}
		conn.Context = ctx
		if err := conn.Connect(); err != nil {
			return fmt.Errorf("%s: %w", s.target.Address, err)
		}
		s.conn = conn
	}
	conn.Context = ctx
	uptime := time.Since(s.started)
	if usm, ok := conn.SecurityParameters.(*gosnmp.UsmSecurityParameters); ok && !s.target.Inform {
		usm.AuthoritativeEngineTime = uint32(uptime.Seconds())
	}
	oid, object, reference := VendorTrap(n)
	_, err := conn.SendTrap(gosnmp.SnmpTrap{IsInform: s.target.Inform, Variables: []gosnmp.SnmpPDU{
		{Name: ".1.3.6.1.2.1.1.3.0", Type: gosnmp.TimeTicks, Value: uint32(uptime / (10 * time.Millisecond))},
		{Name: ".1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: "." + oid},
		{Name: "." + object, Type: gosnmp.OctetString, Value: reference},
	}})
	if err != nil {
		conn.Close()
		s.conn = nil
		return fmt.Errorf("%s: %w", s.target.Address, err)
	}
	return nil
}

func (t SNMPTarget) hostPort() (string, uint16, error) {
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

// connection returns a fresh client with the secrets of the files.
func (s *SNMP) connection() (*gosnmp.GoSNMP, error) {
	host, port, err := s.target.hostPort()
	if err != nil {
		return nil, err
	}
	g := &gosnmp.GoSNMP{
		Target: host, Port: port, Transport: "udp", Timeout: 3 * time.Second, Retries: 1,
		MaxOids: gosnmp.MaxOids, Version: gosnmp.Version2c,
	}
	if s.target.Version == "2c" {
		g.Community, err = secret("community_file", s.target.CommunityFile, 1)
		return g, err
	}
	auth, err := secret("auth_password_file", s.target.AuthPasswordFile, 8)
	if err != nil {
		return nil, err
	}
	priv, err := secret("priv_password_file", s.target.PrivPasswordFile, 8)
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
		usm.AuthoritativeEngineID, usm.AuthoritativeEngineBoots = s.engine, s.boots
		g.ContextEngineID = s.engine
	}
	return g, nil
}

// secret reads the first line of a file. An error names the file, never what
// is in it.
func secret(key, file string, shortest int) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	line = strings.TrimRight(line, "\r")
	if len(line) < shortest {
		return "", errors.New(key + ": " + file + " holds fewer than " + strconv.Itoa(shortest) + " characters")
	}
	return line, nil
}
