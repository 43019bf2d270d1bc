package setting

import (
	"fmt"
	"net"
	"strconv"
)

// HostPort splits an address of the form host:port; port is 0 to 65535.
func HostPort(address string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not a number from 0 to 65535", text)
	}
	return host, uint16(n), nil
}

// ValidateAddress returns what is wrong with an address, host:port. "" is none.
func ValidateAddress(address string) error {
	if address == "" {
		return nil
	}
	_, _, err := HostPort(address)
	return err
}
