package snmp

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// A Target is a manager that takes traps or informs.
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

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA224": gosnmp.SHA224, "SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES": gosnmp.AES, "AES128": gosnmp.AES, "AES192": gosnmp.AES192, "AES256": gosnmp.AES256,
}

// protocol accepts SHA-256 and sha256 alike.
func protocol(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "")) }

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
