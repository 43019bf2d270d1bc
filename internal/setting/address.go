package setting

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// HostPort splits an address of the form host:port; port is 0 to 65535. The error has no
// address that may hold a secret.
func HostPort(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%s is not an address of the form host:port", Shown("", address))
	}
	if err := validateHost(host); err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %s is not a number from 0 to 65535", Shown("", text))
	}
	return host, uint16(n), nil
}

// validateHost returns what is wrong with a name or IP address; "" is none.
func validateHost(host string) error {
	if strings.Contains(host, "@") {
		return errors.New("an address is host or host:port, without a user")
	}
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsAny(host, ":/ \t\n[]") {
		return fmt.Errorf("%s is neither a host name nor an IP address", Shown("", host))
	}
	return nil
}

// ValidateAddress returns what is wrong with an address to listen on, host:port. ""
// is none.
func ValidateAddress(address string) error {
	if address == "" {
		return nil
	}
	_, _, err := HostPort(address)
	return err
}

// ValidatePeer returns what is wrong with an address to connect to, host:port, with a
// port from 1 to 65535. "" is none.
func ValidatePeer(address string) error {
	if address == "" {
		return nil
	}
	switch host, port, err := HostPort(address); {
	case err != nil:
		return err
	case host == "":
		return errors.New("a host name or an IP address is missing before the port")
	case port == 0:
		return errors.New("port 0 is out of range; 1 to 65535 is allowed")
	}
	return nil
}
