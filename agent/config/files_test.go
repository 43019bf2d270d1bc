package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/internal/check"
)

// certificate writes a key and a certificate that signs itself.
func certificate(t *testing.T, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check.Must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check.Must(t, err)
	text, err := x509.MarshalPKCS8PrivateKey(key)
	check.Must(t, err)
	check.Must(t, os.WriteFile(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	check.Must(t, os.WriteFile(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600))
}

// TestFiles has every kind of file that a key names: missing, empty, or something else.
func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	certificate(t, "good")
	certificate(t, "other")
	for name, text := range map[string]string{
		"known": "h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDVL4MQ4jwE6v4pXlAmDzcv4Zoe3DRb/LJqWk2/KMAFf\n", "secret": "longenough\n", "short": "abc\n", "empty": "", "blank": " \t\r\nsecond\n", "text": "text\n",
	} {
		check.Must(t, os.WriteFile(name, []byte(text), 0o600))
	}
	check.Must(t, os.WriteFile("program", nil, 0o700))
	check.Must(t, os.Mkdir("directory", 0o700))
	directory, err := os.Getwd()
	check.Must(t, err)
	hsm := func(keys string) string { return "hsms:\n- {name: a, address: h, " + keys + "}\n" }
	rest := func(keys string) string {
		return hsm("password_file: ./secret, known_hosts_file: ./known, rest: {password_file: ./secret, " + keys + "}")
	}
	receiver := func(keys string) string {
		return hsm("password_file: ./secret, known_hosts_file: ./known") + "receivers:\n- {name: r, " + keys + "}\n"
	}
	for _, c := range []struct{ text, want string }{ // "": it is good
		{rest("ca_file: ./good.pem"), ""},
		{receiver("webhook: {url_file: ./secret}"), "receivers[0].webhook.url_file: not a URL such as https://host/path"},
		{receiver("pagerduty: {routing_key_file: ./secret, ca_file: ./good.pem, cert_file: ./good.pem, key_file: ./good.key}"), ""},
		{receiver("exec: {command: [DIR/program]}"), ""},
		{hsm("password_file: ./none, known_hosts_file: ./known"), "2:40: hsms[0].password_file: open ./none: no such file or directory"},
		{hsm("password_file: hunter2, known_hosts_file: ./known"), "hsms[0].password_file: a file (not shown: it may be a secret): file does not exist"},
		{hsm("password_file: ./empty, known_hosts_file: ./known"), "hsms[0].password_file: ./empty is empty; write the secret into its first line"},
		{hsm("password_file: ./blank, known_hosts_file: ./known"), "hsms[0].password_file: ./blank is empty; write the secret into its first line"},
		{hsm("password_file: ./directory, known_hosts_file: ./known"), "is a directory"},
		{hsm("private_key_file: ./text, known_hosts_file: ./known"), "hsms[0].private_key_file: ./text holds no private key that can be read without a passphrase"},
		{hsm("private_key_file: ./none, known_hosts_file: ./known"), "hsms[0].private_key_file: open ./none: no such file or directory"},
		{hsm("password_file: ./secret, known_hosts_file: ./none"), "hsms[0].known_hosts_file: open ./none: no such file or directory"},
		{hsm("password_file: ./secret, known_hosts_file: ./text"), "hsms[0].known_hosts_file: ./text is not a file of known hosts"},
		{rest("ca_file: ./none"), "hsms[0].rest.ca_file: open ./none: no such file or directory"},
		{rest("ca_file: ./text"), "hsms[0].rest.ca_file: ./text holds no certificate in PEM"},
		{receiver("pagerduty: {routing_key_file: ./none}"), "receivers[0].pagerduty.routing_key_file: open ./none"},
		{receiver("snmp: {address: h, version: 2c, community_file: ./empty}"), "receivers[0].snmp.community_file: ./empty is empty"},
		{receiver("snmp: {address: h, version: '3', user: u, auth_password_file: ./short, priv_password_file: ./secret}"), "receivers[0].snmp.auth_password_file: ./short holds fewer than 8 characters"},
		{receiver("webhook: {url: 'https://h', cert_file: ./good.pem, key_file: ./other.key}"), "receivers[0].webhook.key_file: ./other.key is not the key of ./good.pem"},
		{receiver("webhook: {url: 'https://h', cert_file: ./text, key_file: ./good.key}"), "receivers[0].webhook.cert_file: ./text holds no certificate in PEM"},
		{receiver("webhook: {url: 'https://h', secret_file: ./blank}"), "receivers[0].webhook.secret_file: ./blank is empty"},
		{receiver("exec: {command: [DIR/none]}"), "receivers[0].exec.command: DIR/none does not exist"},
		{receiver("exec: {command: [DIR/text]}"), "receivers[0].exec.command: DIR/text is not a program that can be run"},
		{receiver("webhook: {url: 'https://h'}") + "syslog: {tls: ':6514', cert_file: ./none, key_file: ./good.key, client_ca_file: ./text}\n", "syslog.cert_file: open ./none"},
		{receiver("webhook: {url: 'https://h'}") + "syslog: {tls: ':6514', cert_file: ./good.pem, key_file: ./good.key, client_ca_file: ./text}\n", "syslog.client_ca_file: ./text holds no certificate in PEM"},
		{"lunacm: {enabled: true, path: DIR/none}\n", "lunacm.path: DIR/none does not exist"},
		{"ha: {enabled: true, client_config: DIR/none, listgroups: false}\n", "ha.client_config: open DIR/none: no such file or directory"},
	} {
		text := strings.ReplaceAll(c.text, "DIR", directory)
		check.Must(t, os.WriteFile("site.yaml", []byte(text), 0o600))
		_, warnings, err := Check("site.yaml")
		want := strings.ReplaceAll(c.want, "DIR", directory)
		if len(warnings) > 0 || (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v, %q; want %s", text, err, warnings, want)
		}
		if _, err := Read("site.yaml"); err != nil && !strings.Contains(text, "url_file") {
			t.Errorf("the agent itself does not start: %s: %v", text, err)
		}
	}
}

// TestFilesOfAnother: a file that somebody may not read is reported as not checked, and the
// configuration is not wrong.
func TestFilesOfAnother(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	t.Chdir(t.TempDir())
	check.Must(t, os.WriteFile("secret", []byte("x"), 0))
	check.Must(t, os.WriteFile("site.yaml", []byte("hsms:\n- {name: a, replay: /d}\nreceivers: [{name: r, pagerduty: {routing_key_file: ./secret}}]\n"), 0o600))
	_, warnings, err := Check("site.yaml")
	if err != nil || len(warnings) != 1 || warnings[0] != "receivers[0].pagerduty.routing_key_file: ./secret cannot be checked: permission denied; run check-config as the agent's user" {
		t.Errorf("%v, %q", err, warnings)
	}
}

// TestUnchecked: what is not permitted is neither good nor wrong, whoever asks.
func TestUnchecked(t *testing.T) {
	denied := &os.PathError{Op: "open", Path: filepath.Join("/root", "p"), Err: os.ErrPermission}
	got, err := uncheckable(namedFile{key: "a.password_file", path: "/root/p"}, denied)
	if err != nil || got != "a.password_file: /root/p cannot be checked: permission denied; run check-config as the agent's user" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := uncheckable(namedFile{}, os.ErrNotExist); got != "" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestSameAddress: two HSMs at one address are one HSM that is polled twice.
func TestSameAddress(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{"address: H, password_file: /p, known_hosts_file: /k", "address: 'h:22', password_file: /p, known_hosts_file: /k", "3:22: hsms[1].address: hsms[0] has this address, too: each HSM is listed once"},
		{"address: h, password_file: /p, known_hosts_file: /k", "address: 'h:2222', password_file: /p, known_hosts_file: /k", ""},
		{"address: h, password_file: /p, known_hosts_file: /k", "snmp_agent: {address: h, version: 2c, community_file: /c}", ""},
		{"snmp_agent: {address: h, version: 2c, community_file: /c}", "snmp_agent: {address: h, version: 2c, community_file: /c}", "hsms[1].snmp_agent.address: hsms[0] has this address and serial, too"},
		{"snmp_agent: {address: h, version: 2c, community_file: /c, serial: 1}", "snmp_agent: {address: h, version: 2c, community_file: /c, serial: 2}", ""},
		{"address: h, password_file: /p, known_hosts_file: /k, rest: {password_file: /p, ca_file: /c, address: x}", "address: i, password_file: /p, known_hosts_file: /k, rest: {password_file: /p, ca_file: /c, address: x}", "hsms[1].rest.address: hsms[0] has this address, too"},
		{"replay: /d", "replay: /d", ""},
	} {
		_, err := Parse([]byte("hsms:\n- {name: a, " + c.first + "}\n- {name: b, " + c.second + "}\n"))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %s", c.first, c.second, err, c.want)
		}
	}
}
