package senders

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// TestMay: an address speaks for its HSM, for all behind it by their host names, as
// a relay for those listed; a certificate speaks by its names, wherever it comes
// from; nobody else does.
func TestMay(t *testing.T) {
	c := config.Default()
	c.HSMs = []config.HSM{
		{Name: "a", Address: "192.0.2.1:22", SyslogCertificates: []string{"a.example.net"}},
		{Name: "b", Address: "192.0.2.2:22", SyslogSenders: []string{"192.0.2.3", "vault-b"}},
		{Name: "c", Address: "192.0.2.9:22"}, {Name: "d", Address: "192.0.2.9:2222"},
		{Name: "e", Address: "e.example.net:22"},
	}
	c.Syslog.Relays = []config.Relay{{Address: "192.0.2.20", HSMs: []string{"a", "b"}}, {Certificate: "relay.example.net", HSMs: []string{"b"}}}
	s := New(c)
	hostsOfB := []string{"b", "192.0.2.2", "192.0.2.3", "vault-b"}
	for name, x := range map[string]struct {
		address string
		names   []string
		want    []syslog.Speaker
	}{
		"the HSM":                       {"192.0.2.1", nil, []syslog.Speaker{{Device: "a"}}},
		"another address of it":         {"192.0.2.3", nil, []syslog.Speaker{{Device: "b"}}},
		"one address for two":           {"192.0.2.9", nil, []syslog.Speaker{{Device: "c", Hosts: []string{"c", "192.0.2.9"}}, {Device: "d", Hosts: []string{"d", "192.0.2.9"}}}},
		"a relay":                       {"192.0.2.20", nil, []syslog.Speaker{{Device: "a", Hosts: []string{"a", "192.0.2.1"}}, {Device: "b", Hosts: hostsOfB}}},
		"a stranger":                    {"192.0.2.66", nil, nil},
		"a certificate":                 {"192.0.2.66", []string{"a.example.net"}, []syslog.Speaker{{Device: "a"}}},
		"a relay's certificate":         {"192.0.2.66", []string{"relay.example.net"}, []syslog.Speaker{{Device: "b", Hosts: hostsOfB}}},
		"a stranger's, from an address": {"192.0.2.1", []string{"somebody"}, nil},
	} {
		got := s.May(syslog.Peer{Address: netip.MustParseAddr(x.address), Names: x.names})
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	s.set(func(host string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.5")} })
	if got := s.May(syslog.Peer{Address: netip.MustParseAddr("192.0.2.5")}); len(got) == 0 {
		t.Error("an HSM that is configured by its name is not known by its address")
	}
}
