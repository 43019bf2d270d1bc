package doctor

import (
	"bufio"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// TestReceivers opens the door of each kind of receiver, to one that is right and to one
// that is not: none is notified, and no secret is in what is printed.
func TestReceivers(t *testing.T) {
	dir := t.TempDir()
	var requests atomic.Int64
	count := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	plain, secured := httptest.NewServer(count), httptest.NewTLSServer(count)
	t.Cleanup(plain.Close)
	t.Cleanup(secured.Close)
	ca := filepath.Join(dir, "ca.pem")
	check.Must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.Certificate().Raw}), 0o600))
	secret := filepath.Join(dir, "url")
	check.Must(t, os.WriteFile(secret, []byte(plain.URL+"/hooks/very-secret-token\n"), 0o600))
	key := filepath.Join(dir, "key")
	check.Must(t, os.WriteFile(key, []byte("very-secret-key\n"), 0o600))
	mail, said := mailServer(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	closed.Close()
	dead := closed.Addr().String()
	program := filepath.Join(dir, "page")
	check.Must(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o600))
	for _, x := range []struct {
		kind, section string
		state         State
		says          string
	}{
		{"alertmanager", fmt.Sprintf("{urls: [%q]}", plain.URL), OK, "connected; lunawatch alarms test"},
		{"alertmanager", fmt.Sprintf("{urls: [%q]}", "http://"+dead), Failed, "port refused"},
		{"webhook", fmt.Sprintf("{url: %q, ca_file: %s}", secured.URL, ca), OK, "TLS 1.3 was agreed on, the certificate is right"},
		{"webhook", fmt.Sprintf("{url: %q}", secured.URL), Failed, "identity not proven"},
		{"webhook", fmt.Sprintf("{url: %q}", "https://"+strings.TrimPrefix(plain.URL, "http://")), Failed, "handshake failed"},
		{"webhook", fmt.Sprintf("{url_file: %s}", secret), OK, "connected"},
		{"webhook", fmt.Sprintf("{url: https://hooks.example.net/x, proxy_url: %q}", plain.URL), OK, "what is behind it was not tried"},
		{"pagerduty", fmt.Sprintf("{url: %q, routing_key_file: %s, insecure: true}", plain.URL, key), OK, "connected"},
		{"opsgenie", fmt.Sprintf("{url: %q, api_key_file: %s}", plain.URL, key), OK, "connected"},
		{"jsm", fmt.Sprintf("{url: %q, api_key_file: %s}", plain.URL, key), OK, "connected"},
		{"chat", fmt.Sprintf("{service: slack, url_file: %s}", secret), OK, "connected"},
		{"servicenow", fmt.Sprintf("{url: %q, user: u, password_file: %s}", plain.URL+"/api/global/em/jsonv2", key), OK, "connected"},
		{"splunk", fmt.Sprintf("{url: %q, token_file: %s}", plain.URL, key), OK, "connected"},
		{"smtp", fmt.Sprintf("{address: %q, security: none, from: a@example.net, to: [b@example.net]}", mail), OK, "the server greets"},
		{"smtp", fmt.Sprintf("{address: %q, from: a@example.net, to: [b@example.net]}", mail), Failed, "offers no STARTTLS"},
		{"syslog", fmt.Sprintf("{address: %q, network: tcp}", dead), Failed, "port refused"},
		{"syslog", fmt.Sprintf("{address: %q, network: udp}", dead), OK, "UDP does not say"},
		{"syslog", fmt.Sprintf("{address: %q, network: tls, ca_file: %s}", strings.TrimPrefix(secured.URL, "https://"), ca), OK, "TLS 1.3 was agreed on"},
		{"exec", "{command: [/bin/true]}", OK, "it can be run"},
		{"exec", fmt.Sprintf("{command: [%s]}", program), Failed, "no program that can be run"},
		{"exec", "{command: [/nonexistent/page]}", Failed, "no such file"},
	} {
		p := patient(t, dir, fmt.Sprintf("receivers: [{name: noc, %s: %s}]\n", x.kind, x.section))
		trials := p.receivers()
		if len(trials) != 1 {
			t.Errorf("%s: %d tries", x.kind, len(trials))
			continue
		}
		f := trials[0].run(t.Context())
		is(t, x.kind, f, x.state, x.says)
		if strings.Contains(f.String(), "very-secret") {
			t.Errorf("%s: a secret is printed: %s", x.kind, f)
		}
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("receivers got %d requests", n)
	}
	for _, line := range *said.Load() {
		if word, _, _ := strings.Cut(line, " "); word != "EHLO" && word != "QUIT" {
			t.Errorf("the mail server was sent %q", line)
		}
	}
}

// mailServer greets, and stores what it is sent.
func mailServer(t *testing.T) (address string, said *atomic.Pointer[[]string]) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	t.Cleanup(func() { l.Close() })
	said = new(atomic.Pointer[[]string])
	said.Store(new([]string))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "220 mail.example.net\r\n")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				all := append(append([]string(nil), *said.Load()...), lines.Text())
				said.Store(&all)
				fmt.Fprint(conn, "250 mail.example.net\r\n")
			}
			conn.Close()
		}
	}()
	return l.Addr().String(), said
}

// TestManager asks a real manager of SNMPv3 for its engine ID, without a secret and
// without a notification.
func TestManager(t *testing.T) {
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	trapd, err := netsnmp.StartTrapd(t.Context(), dir, netsnmp.TrapdConfig{Users: []netsnmp.User{{Name: "noc", Auth: "authentic enough", Priv: "private enough"}}, Output: "-On"})
	if errors.Is(err, netsnmp.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED: %v: apt-get install snmptrapd", err)
	}
	check.Must(t, err)
	t.Cleanup(trapd.Stop)
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	check.Must(t, err)
	t.Cleanup(func() { silent.Close() })
	v3 := "version: \"3\", user: noc, auth_password_file: /nonexistent/auth, priv_password_file: /nonexistent/priv"
	for _, x := range []struct {
		name, section string
		state         State
		says          string
	}{
		{"v3", fmt.Sprintf("{address: %q, %s}", trapd.Address, v3), OK, "engine ID 8000"},
		{"silent, informs", fmt.Sprintf("{address: %q, inform: true, %s}", silent.LocalAddr(), v3), Failed, "no answer"},
		{"silent, traps", fmt.Sprintf("{address: %q, %s}", silent.LocalAddr(), v3), Warning, "only takes traps"},
		{"v2c", fmt.Sprintf("{address: %q, version: 2c, community_file: /nonexistent/community}", silent.LocalAddr()), OK, "SNMPv2c does not say"},
		{"no name", "{address: nowhere.invalid, version: 2c, community_file: /nonexistent/community}", Failed, "name not resolved"},
	} {
		f := patient(t, dir, "receivers: [{name: noc, snmp: "+x.section+"}]\n").receivers()[0].run(t.Context())
		is(t, x.name, f, x.state, x.says)
	}
	if lines := trapd.Lines(); len(lines) > 0 {
		t.Errorf("the manager was notified: %q", lines)
	}
}

// TestSNMPWay asks a real agent for its sysUpTime, and says why one does not answer.
func TestSNMPWay(t *testing.T) {
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	user := netsnmp.User{Name: "noc", Auth: "authentic enough", Priv: "private enough"}
	agent, err := netsnmp.StartAgent(t.Context(), dir, netsnmp.Config{User: &user})
	if errors.Is(err, netsnmp.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED: %v: apt-get install snmpd", err)
	}
	check.Must(t, err)
	t.Cleanup(agent.Stop)
	auth, priv := filepath.Join(dir, "auth"), filepath.Join(dir, "priv")
	check.Must(t, os.WriteFile(auth, []byte(user.Auth+"\n"), 0o600))
	check.Must(t, os.WriteFile(priv, []byte(user.Priv+"\n"), 0o600))
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	check.Must(t, err)
	closed.Close()
	for _, x := range []struct {
		address, auth string
		state         State
		says          string
	}{
		{agent.Address, auth, OK, "it answers, up for "},
		{agent.Address, priv, Failed, "refuses requests of user"},
		{closed.LocalAddr().String(), auth, Failed, "nothing listens there"},
	} {
		p := patient(t, dir, fmt.Sprintf("hsms: [{name: a, snmp_agent: {address: %q, user: noc, auth_password_file: %s, priv_password_file: %s}}]\n", x.address, x.auth, priv))
		f := p.sources()[0].run(t.Context())
		is(t, x.address, f, x.state, x.says)
		if strings.Contains(f.String(), "enough") {
			t.Errorf("a secret is printed: %s", f)
		}
	}
}
