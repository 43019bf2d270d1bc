package setup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/internal/check"
)

const fingerprint = "SHA256:0000000000000000000000000000000000000000000"

// TestFind finds what is there, and nothing on a bare host.
func TestFind(t *testing.T) {
	root := t.TempDir()
	if diff := cmp.Diff(Host{}, Find(root)); diff != "" {
		t.Errorf("a bare host:\n%s", diff)
	}
	for name, text := range map[string]string{
		"/etc/Chrystoki.conf":                "LunaSA Client = {\n   ServerName00 = 192.0.2.10;\n   ServerPort00 = 1792;\n}\nVirtualToken = {\n   VirtualToken00Label = pay;\n   VirtualToken00SN = 1154438865297;\n   VirtualToken00Members = 154438865297,154438865298;\n}\n",
		"/usr/safenet/lunaclient/bin/lunacm": "", "/var/agentx/master": "", "/dev/kmsg": "", "/dev/k7pf0": "",
		"/var/log/luna/luna-a/messages": "", "/var/log/luna/192.0.2.11.log": "", "/var/log/messages": "",
	} {
		check.Must(t, os.MkdirAll(filepath.Dir(root+name), 0o700))
		check.Must(t, os.WriteFile(root+name, []byte(text), 0o600))
	}
	want := Host{ClientConfig: "/etc/Chrystoki.conf", Groups: 1, Servers: []string{"192.0.2.10"}, LunaCM: "/usr/safenet/lunaclient/bin/lunacm", Cards: []string{"/dev/k7pf0"},
		AgentX: "/var/agentx/master", KernelLog: true, Logs: []string{"/var/log/luna/luna-a/messages", "/var/log/luna/192.0.2.11.log"}}
	h := Find(root)
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
	for text, logs := range map[string][]string{
		"luna-a=192.0.2.10":             want.Logs[:1],
		"b=192.0.2.11":                  want.Logs[1:],
		"c=luna-a.example.net:2222":     want.Logs[:1],
		"luna=192.0.2.1":                nil,
		"d=192.0.2.110":                 nil,
		"luna-b=luna-b.example.net":     nil,
		"192.0.2.11=luna-c.example.net": want.Logs[1:],
	} {
		a, err := Parse(text)
		check.Must(t, err)
		if got := h.LogsOf(a); !slices.Equal(got, logs) {
			t.Errorf("%s has the logs %q, want %q", text, got, logs)
		}
	}
}

// TestConfig: what is written is valid whatever is found, and names what was found.
func TestConfig(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	check.Must(t, os.WriteFile(password, []byte("secret\n"), 0o600))
	old := Appliance{Name: "old", Address: "192.0.2.1:22", Key: lunash.HostKey{Fingerprint: fingerprint, Local: "192.0.2.9", Algorithms: lunash.Algorithms{Ciphers: []string{"aes128-cbc"}, HostKeys: []string{"ssh-rsa"}}}}
	logged := Appliance{Name: "logged", Address: "[2001:db8::1]:22", Logs: []string{"/var/log/luna/logged/messages"}, Key: lunash.HostKey{Fingerprint: fingerprint, Local: "2001:db8::9"},
		REST: "[2001:db8::1]:8443", Certificate: "SHA256:" + strings.Repeat("0", 64)}
	full := Host{ClientConfig: "/etc/Chrystoki.conf", Groups: 2, LunaCM: "/usr/safenet/lunaclient/bin/lunacm", Cards: []string{"/dev/k7pf0"}, AgentX: "/var/agentx/master", KernelLog: true, Listen: "0.0.0.0:5514"}
	for _, x := range []struct {
		name  string
		plan  Plan
		is    func(c config.Config) bool
		types []string // what to type at each appliance
	}{
		{"one, and nothing else", Plan{Appliances: []Appliance{old}, User: "monitor"}, func(c config.Config) bool {
			return !c.SNMP.Enabled && c.Syslog.UDP == "" && c.HSMs[0].Algorithms.Ciphers[0] == "aes128-cbc" && c.HSMs[0].Algorithms.HostKeys[0] == "ssh-rsa" && c.HSMs[0].Algorithms.KeyExchanges == nil
		}, []string{"user enable -username monitor\n"}},
		{"everything", Plan{Appliances: []Appliance{old, logged}, User: "lunawatch", Host: full}, func(c config.Config) bool {
			return c.SNMP.Enabled && c.Syslog.UDP == "0.0.0.0:5514" && c.LunaCM.Enabled && c.HA.Enabled && c.HSMs[1].REST.User == "lunawatch" && c.HSMs[1].Logs[0] == logged.Logs[0]
		}, []string{
			"user add -username lunawatch\nuser role add -role monitor -username lunawatch\nsyslog remotehost add -host 192.0.2.9 -protocol udp -port 5514\n",
			"user add -username lunawatch\nuser role add -role monitor -username lunawatch\nsyslog remotehost add -host 2001:db8::9\n",
		}},
		{"a log daemon for all", Plan{Appliances: []Appliance{logged}, User: "monitor", Host: full}, func(c config.Config) bool { return c.Syslog.UDP == "" }, nil},
		{"cards only", Plan{Host: full}, func(c config.Config) bool { return len(c.HSMs) == 0 && c.LunaCM.Enabled }, nil},
	} {
		x.plan.PasswordFile, x.plan.Directory = password, dir
		text := x.plan.Config()
		c, err := config.Parse([]byte(text))
		if err != nil || !x.is(c) {
			t.Errorf("%s: %v\n%s", x.name, err, text)
		}
		if strings.Contains(text, "secret") {
			t.Errorf("%s: it holds the password\n%s", x.name, text)
		}
		for i, want := range x.types {
			if got := x.plan.Account() + x.plan.Forwarding(x.plan.Appliances[i]); got != want {
				t.Errorf("%s: type\n%swant\n%s", x.name, got, want)
			}
		}
	}
}

// TestWriteWhole: a file is there whole or not at all, and the one that was there stays.
func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lunawatch.yaml")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	good := "hsms: [{name: a, replay: /tmp}]\n"
	for _, x := range []struct {
		ctx        context.Context
		text, says string
	}{{ended, good, "context canceled"}, {t.Context(), "hsms: []\n", "nothing is watched"}, {t.Context(), "hsms: {", "1:7: the closing } is missing"}} {
		if err := Write(x.ctx, file, x.text); err == nil || !strings.Contains(err.Error(), x.says) {
			t.Errorf("%q: %v", x.text, err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%q leaves %v", x.text, left)
		}
	}
	check.Must(t, Write(t.Context(), file, good))
	if err := Write(t.Context(), file, good); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a second time: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("there are %v", left)
	}
}
