// Package snmppeer describes an SNMP agent or manager in the configuration: where it
// is, and with which secrets it is spoken to.
package snmppeer

import (
	"errors"
	"strings"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Peer is an SNMP agent that is polled, or a manager that is notified.
type Peer struct {
	Address          string       `yaml:"address"`                                                            // host:port
	Version          string       `yaml:"version" words:"2c 3"`                                               // "2c", or "3", always authPriv
	CommunityFile    setting.File `yaml:"community_file"`                                                     // 2c
	User             string       `yaml:"user"`                                                               // 3
	AuthProtocol     string       `yaml:"auth_protocol" names:"SHA224 SHA256 SHA384 SHA512" default:"SHA256"` // SHA224, SHA256, SHA384 or SHA512; "" is SHA256
	AuthPasswordFile setting.File `yaml:"auth_password_file"`
	PrivProtocol     string       `yaml:"priv_protocol" names:"AES AES192 AES256" default:"AES"` // AES, AES192 or AES256; "" is AES
	PrivPasswordFile setting.File `yaml:"priv_password_file"`
}

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES": gosnmp.AES, "AES128": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// protocol accepts SHA-256 and sha256 alike.
func protocol(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }

// Validate returns all that is wrong with p, by keys of the configuration.
func (p Peer) Validate() error {
	errs := []error{
		setting.At("address", setting.ValidatePeer(p.Address)), setting.At("community_file", p.CommunityFile.Validate()),
		setting.At("auth_password_file", p.AuthPasswordFile.Validate()), setting.At("priv_password_file", p.PrivPasswordFile.Validate()),
	}
	if p.Address == "" {
		errs = append(errs, setting.Faultf("address", "is needed"))
	}
	switch {
	case p.Version == "2c" && p.CommunityFile == "":
		errs = append(errs, errors.New("version 2c needs community_file"))
	case p.Version == "3" && (p.User == "" || p.AuthPasswordFile == "" || p.PrivPasswordFile == ""):
		errs = append(errs, errors.New("version 3 needs user, auth_password_file and priv_password_file"))
	case p.Version != "2c" && p.Version != "3":
		errs = append(errs, setting.Faultf("version", "%q is neither 2c nor 3", p.Version))
	}
	if _, ok := authProtocols[protocol(p.AuthProtocol)]; !ok {
		errs = append(errs, setting.Faultf("auth_protocol", "%q is none of SHA224, SHA256, SHA384, SHA512", p.AuthProtocol))
	}
	if _, ok := privProtocols[protocol(p.PrivProtocol)]; !ok {
		errs = append(errs, setting.Faultf("priv_protocol", "%q is none of AES, AES192, AES256", p.PrivProtocol))
	}
	return errors.Join(errs...)
}

// Client returns a new client, not connected, with the secrets as the files have them
// now; usm is nil for 2c.
func (p Peer) Client() (g *gosnmp.GoSNMP, usm *gosnmp.UsmSecurityParameters, err error) {
	host, port, err := setting.HostPort(p.Address)
	if err != nil {
		return nil, nil, err
	}
	g = &gosnmp.GoSNMP{Target: host, Port: port, Transport: "udp", Version: gosnmp.Version2c, Retries: 1}
	if p.Version == "2c" {
		g.Community, err = p.CommunityFile.Secret("community_file", 1)
		return g, nil, err
	}
	auth, err := p.AuthPasswordFile.Secret("auth_password_file", 8)
	if err != nil {
		return nil, nil, err
	}
	priv, err := p.PrivPasswordFile.Secret("priv_password_file", 8)
	if err != nil {
		return nil, nil, err
	}
	usm = &gosnmp.UsmSecurityParameters{
		UserName:                 p.User,
		AuthenticationProtocol:   authProtocols[protocol(p.AuthProtocol)],
		AuthenticationPassphrase: auth,
		PrivacyProtocol:          privProtocols[protocol(p.PrivProtocol)],
		PrivacyPassphrase:        priv,
	}
	g.Version, g.SecurityModel, g.MsgFlags, g.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthPriv, usm
	return g, usm, nil
}
