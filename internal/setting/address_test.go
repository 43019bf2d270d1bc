package setting

import (
	"strings"
	"testing"
)

// TestPorts: a port that cannot be is refused wherever one is given, and no error has a
// user or a password.
func TestPorts(t *testing.T) {
	for _, c := range []struct {
		name     string
		validate func(string) error
		value    string
		want     string // "": it is good
	}{
		{"listener", ValidateAddress, "", ""},
		{"listener", ValidateAddress, ":0", ""},
		{"listener", ValidateAddress, "[2001:db8::1]:514", ""},
		{"listener", ValidateAddress, ":99999", `port "99999" is not a number from 0 to 65535`},
		{"listener", ValidateAddress, "514", `"514" is not an address of the form host:port`},
		{"listener", ValidateAddress, "user:hunter2@host:514", "not shown"},
		{"listener", ValidateAddress, "[user:hunter2@host]:514", "without a user"},
		{"URL", ValidateURL, "https://host:9477/x", ""},
		{"URL", ValidateURL, "https://host:99999", "its port is out of range; 1 to 65535 is allowed"},
		{"URL", ValidateURL, "https://host:0", "its port is out of range"},
		{"URL", ValidateURL, "https://:9477", "not a URL"},
		{"URL", ValidateURL, "https://user:hunter2@host", "holds a user or a password"},
		{"peer", ValidatePeer, "host:22", ""},
		{"peer", ValidatePeer, "host:0", "port 0 is out of range; 1 to 65535 is allowed"},
		{"peer", ValidatePeer, ":22", "a host name or an IP address is missing"},
		{"peer", ValidatePeer, "[a:b:c]:22", "neither a host name nor an IP address"},
	} {
		err := c.validate(c.value)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s %q: %v, want %s", c.name, c.value, err, c.want)
		}
	}
}
