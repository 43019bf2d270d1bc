package agent

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// TestReferenceConfig holds the shipped configuration to the code: it is good,
// it shows every key, and the values that it calls defaults are.
func TestReferenceConfig(t *testing.T) {
	text, err := os.ReadFile("../lunawatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if diff := cmp.Diff(want.SNMP, c.SNMP); diff != "" {
		t.Errorf("snmp is not the default:\n%s", diff)
	}
	c.Alarms.IgnoredStatusCodes, c.Alarms.RaiseAfter, c.Alarms.ClearAfter = nil, nil, nil // empty
	if diff := cmp.Diff(want.Alarms, c.Alarms); diff != "" {
		t.Errorf("alarms is not the default:\n%s", diff)
	}
	if c.Intervals != want.Intervals || c.StateDirectory != want.StateDirectory || c.ControlSocket != want.ControlSocket {
		t.Errorf("intervals or paths are not the defaults: %+v", c)
	}
	for _, key := range keysOf(reflect.TypeFor[Config](), nil) {
		if !strings.Contains(string(text), key+":") {
			t.Errorf("lunawatch.yaml does not show %s", key)
		}
	}
}

// keysOf lists the YAML keys of a type and of what it holds.
func keysOf(typ reflect.Type, keys []string) []string {
	switch typ.Kind() {
	case reflect.Slice, reflect.Pointer:
		return keysOf(typ.Elem(), keys)
	case reflect.Struct:
		for i := range typ.NumField() {
			switch key := typ.Field(i).Tag.Get("yaml"); key {
			case "", "-":
			case ",inline":
				keys = keysOf(typ.Field(i).Type, keys)
			default:
				keys = keysOf(typ.Field(i).Type, append(keys, key))
			}
		}
	}
	return keys
}

// TestParent has cards depend on their host, and HSMs on what they say.
func TestParent(t *testing.T) {
	c, err := ParseConfig([]byte("host: {name: client}\nlunacm: {enabled: true, name: card}\nhsms:\n- {name: a, replay: /d, depends_on: b}\n- {name: b, replay: /d}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]string{"a": "b", "b": "", "card-532018": "client", "client": "", "lunawatch": ""} {
		if got := c.parent(device); got != want {
			t.Errorf("%s depends on %q, want %q", device, got, want)
		}
	}
	if _, err := ParseConfig([]byte("hsms: [{name: a, replay: /d, depends_on: c}]\n")); err == nil || !strings.Contains(err.Error(), "no other HSM") {
		t.Errorf("got %v", err)
	}
}

// withREST is goodHSM with the given keys of rest.
func withREST(keys string) string {
	return strings.Replace(goodHSM, "name: a", "name: a, rest: {"+keys+"}", 1)
}

var goodFingerprint = "SHA256:" + strings.Repeat("aB:", 31) + "00"

func TestRESTDefaults(t *testing.T) {
	c, err := ParseConfig([]byte(withREST("password_file: /r, certificate: \"" + goodFingerprint + "\"")))
	if err != nil {
		t.Fatal(err)
	}
	h := c.HSMs[0]
	if h.REST.Address != "192.0.2.1:8443" || h.REST.User != "monitor" || h.rank("lunash") != 0 || h.rank("rest") != 1 {
		t.Errorf("%+v, %+v", h, h.REST)
	}
	for _, prefer := range []string{"[]", "[lunash]", "[rest]", "[rest, lunash]"} {
		c, err := ParseConfig([]byte(strings.Replace(withREST("password_file: /r, ca_file: /c"), "name: a", "name: a, prefer: "+prefer, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if l, r := c.HSMs[0].rank("lunash"), c.HSMs[0].rank("rest"); l+r != 1 || (r == 0) != strings.HasPrefix(prefer, "[rest") {
			t.Errorf("prefer %s: lunash %d, rest %d", prefer, l, r)
		}
	}
}

const goodHSM = "hsms:\n- {name: a, address: 192.0.2.1, password_file: /p, known_hosts_file: /k}\n"

func TestConfigProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{goodHSM, ""},
		{"", ""},
		{"# only a comment\n", ""},
		{"intervals:\n  fast: 7\n", "2:9: intervals.fast: \"7\" is not a duration"},
		{goodHSM + "interval: 5s\n", "3:1: interval: unknown key"},
		{"hsms:\n- name: a\n  adress: x\n", "3:3: hsms[0].adress: unknown key"},
		{"intervals: {fast: soon}\n", "1:19: intervals.fast: \"soon\" is not a duration"},
		{strings.Replace(goodHSM, "name: a", "name: a b", 1), "hsms[0].name: must be"},
		{goodHSM + strings.TrimPrefix(goodHSM, "hsms:\n"), "taken by another HSM"},
		{"hsms:\n- {name: a, snmp_agent: {address: x, user: u, auth_password_file: f, priv_password_file: f}}\n", ""},
		{"hsms:\n- {name: a, snmp_agent: {address: x, version: 2c, community_file: f}}\n", ""},
		{"hsms:\n- {name: a, snmp_agent: {address: x, version: \"1\"}}\n", "hsms[0].snmp_agent.version: \"1\" is neither 3 nor 2c"},
		{"hsms:\n- {name: a, snmp_agent: {}}\n", "hsms[0].snmp_agent.address: is needed"},
		{"hsms:\n- {name: a, replay: d, address: y, password_file: /p, known_hosts_file: /k, snmp_agent: {address: x, version: 2c, community_file: f}}\n", "exactly one of address and replay"},
		{strings.Replace(goodHSM, "name: a", "name: a, user: admin", 1), "hsms[0].user: \"admin\" can change the appliance"},
		{strings.Replace(goodHSM, "name: a", "name: a, user: admin, allow_privileged_user: true", 1), ""},
		{strings.Replace(goodHSM, "password_file: /p, ", "", 1), "private_key_file is needed"},
		{strings.Replace(goodHSM, ", known_hosts_file: /k", "", 1), "host_key and known_hosts_file"},
		{strings.Replace(goodHSM, "known_hosts_file: /k", "host_key: abc", 1), "begins with SHA256:"},
		{strings.Replace(goodHSM, "address: 192.0.2.1, ", "", 1), "exactly one of address and replay"},
		{strings.Replace(goodHSM, "name: a", "name: a, intervals: {fast: 5ms}", 1), "below one second"},
		{strings.Replace(goodHSM, "password_file: /p", "password_credential: a", 1), "CREDENTIALS_DIRECTORY"},
		{withREST("address: \"[2001:db8::1]:443\", password_file: /r, certificate: \"" + goodFingerprint + "\""), ""},
		{withREST("password_file: /r, ca_file: /c"), ""},
		{withREST("password_file: /r, certificate: \"SHA256:00\""), "hsms[0].rest.certificate: is not a fingerprint"},
		{withREST("password_file: /r, ca_file: /c, certificate: \"" + goodFingerprint + "\""), "hsms[0].rest: exactly one of ca_file and certificate"},
		{withREST("password_file: /r"), "hsms[0].rest: exactly one of ca_file and certificate"},
		{withREST("ca_file: /c"), "hsms[0].rest.password_file: is needed"},
		{withREST("user: admin, password_file: /r, ca_file: /c"), "hsms[0].rest.user: \"admin\" can change the appliance"},
		{withREST("port: 8443"), "hsms[0].rest.port: unknown key"},
		{strings.Replace(goodHSM, "name: a", "name: a, prefer: [rest, lunash]", 1), "there is no rest"},
		{strings.Replace(goodHSM, "name: a", "name: a, prefer: [lunash, fax]", 1), "none of lunash, rest, snmp"},
		{strings.Replace(goodHSM, "name: a", "name: a, prefer: [lunash, lunash]", 1), "there twice"},
		{"hsms: [{name: a, replay: /d, rest: {address: x, password_file: /r, ca_file: /c}}]\n", "exclude each other"},
		{"snmp: {agentXSocket: \"udp:1\"}\n", "agentXSocket"},
		{"lunacm: {enabled: true}\n", ""},
		{"lunacm: {enabled: true, path: lunacm}\n", "is not absolute"},
		{"lunacm: {enabled: true, serials: [abc]}\n", "is not a serial number"},
		{"lunacm: {enabled: true, name: \"a b\"}\n", "lunacm.name: "},
		{"lunacm: {enabled: true, intervals: {slow: 1ms}}\n", "lunacm.intervals.slow: 1ms is below"},
		{"snmp: {agentXTimeout: 0}\n", "snmp.agentXTimeout: 0 is too small"},
		{"alarms: {storage_ratio: 2}\n", "alarms.storage_ratio: 2 is out of range"},
		{"receivers: [{name: a}]\n", "exactly one of agentx, snmp, alertmanager"},
		{"receivers: [{agentx: {}}]\n", "receivers[0].name: is needed"},
		{"receivers: [{name: a, snmp: {address: x, version: \"1\"}}]\n", "neither 2c nor 3"},
		{"receivers: [{name: a, snmp: {address: x, version: 2c}}]\n", "community_file"},
		{"receivers: [{name: a, agentx: {form: typed}}]\n", "none of vendor, lunawatch, alarm-mib"},
		{"receivers: [{name: a, agentx: {form: [vendor, lunawatch]}, level: category}]\n", "level category allows form vendor only"},
		{"receivers: [{name: a, agentx: {}, heartbeat: 5m}]\n", "heartbeat needs form lunawatch"},
		{"receivers: [{name: a, agentx: {}}, {name: a, agentx: {}}]\n", "taken by another receiver"},
	} {
		_, err := ParseConfig([]byte(c.text))
		if c.want == "" && err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestVendorConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "luna-snmp.conf")
	text := "# the vendor's\nagentXSocket tcp:localhost:7050\nagentXPingInterval 20\nagentXTimeout 2\nagentXRetries 3\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := Default().SNMP
	if err := s.ReadVendor(file); err != nil {
		t.Fatal(err)
	}
	want := SNMP{Enabled: true, Socket: "tcp:localhost:7050", PingInterval: 20, Timeout: 2, Retries: 3}
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	if err := os.WriteFile(file, []byte("agentXTimeout soon\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.ReadVendor(file); err == nil || !strings.Contains(err.Error(), "line 1: agentXTimeout") {
		t.Errorf("bad value: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	text, _ := os.ReadFile("../lunawatch.yaml")
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := ParseConfig(text); err == nil {
			if _, err := yaml.Marshal(c); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestReceiverProblems finds in each kind of receiver what cannot be.
func TestReceiverProblems(t *testing.T) {
	const none = `urls: ["https://am:9093"]`
	for _, c := range []struct{ keys, want string }{
		{"alertmanager: {" + none + "}", ""},
		{"alertmanager: {}", "receivers[0].alertmanager.urls: is needed"},
		{"alertmanager: {urls: [am]}", "alertmanager.urls[0]: not a URL"},
		{"alertmanager: {urls: [\"https://u:hidden@am\"]}", "secrets are only read from files"},
		{"alertmanager: {" + none + ", user: u}", "user and password_file go together"},
		{"alertmanager: {" + none + ", user: u, password_file: /p, bearer_token_file: /t}", "exclude each other"},
		{"alertmanager: {" + none + ", proxy: true, proxy_url: \"http://p\"}", "proxy and proxy_url exclude"},
		{"alertmanager: {" + none + ", proxy_url: \"http://u:hidden@p\"}", "proxy_url: holds a user or a password"},
		{"alertmanager: {" + none + ", cert_file: /c}", "cert_file and key_file go together"},
		{"alertmanager: {" + none + "}, smtp: {}", "exactly one of"},
		{"pagerduty: {routing_key_file: /k}", ""},
		{"pagerduty: {}", "routing_key_file: is needed"},
		{"pagerduty: {routing_key_file: /k, url: \"ftp://x\"}", "pagerduty.url: not a URL"},
		{"pagerduty: {routing_key_file: /k}, heartbeat: 5m", "PagerDuty takes none"},
		{"pagerduty: {routing_key_file: credential:k}", "CREDENTIALS_DIRECTORY is not set"},
		{"opsgenie: {api_key_file: /k}", ""},
		{"opsgenie: {}", "api_key_file: is needed"},
		{"opsgenie: {api_key_file: /k}, heartbeat: 5m", "Opsgenie needs heartbeat_name"},
		{"opsgenie: {api_key_file: /k, heartbeat_name: x}, heartbeat: 5m", ""},
		{"webhook: {url: \"https://x/y\"}", ""},
		{"webhook: {}", "exactly one of url and url_file"},
		{"webhook: {url: \"https://x\", url_file: /u}", "exactly one of url and url_file"},
		{"smtp: {address: m, from: a@b.c, to: [d@e.f]}", ""},
		{"smtp: {from: a@b.c}", "address and to are needed"},
		{"smtp: {address: m, from: \"A <a@b.c>\", to: [d@e.f]}", "is no mail address"},
		{"smtp: {address: m, from: a@b.c, to: [d]}", "\"d\" is no mail address"},
		{"smtp: {address: m, from: a@b.c, to: [d@e.f], security: ssl}", "none of starttls, tls, none"},
		{"smtp: {address: m, from: a@b.c, to: [d@e.f], user: u, password_file: /p, security: none}", "not sent without TLS"},
		{"smtp: {address: m, from: a@b.c, to: [d@e.f], digest: 1ms}", "smtp.digest: 1ms is below"},
		{"syslog: {address: s}", ""},
		{"syslog: {address: s, network: udp, ca_file: /c}", "are of network tls"},
		{"syslog: {network: tls}", "syslog.address: is needed"},
		{"syslog: {address: s, network: sctp}", "none of udp, tcp, tls"},
		{"syslog: {address: s, facility: local8}", "syslog.facility: \"local8\" is none of"},
		{"exec: {command: [/bin/true]}", ""},
		{"exec: {command: [\"true\"]}", "exec.command: needs an absolute path"},
		{"exec: {command: [/bin/true], timeout: 1m}", "exec.timeout: 1m0s is not"},
		{"{}", "exactly one of"},
	} {
		text := "receivers: [{name: a, " + c.keys + "}]\n"
		if c.keys == "{}" {
			text = "receivers: [{name: a}]\n"
		}
		_, err := ParseConfig([]byte(text))
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.keys, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", c.keys, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error tells a secret: %v", c.keys, err)
		}
	}
}

// TestReceiverDefaults: ports, credentials, and what the wiring makes of keys.
func TestReceiverDefaults(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
	c, err := ParseConfig([]byte(`receivers:
- {name: mail, smtp: {address: m, security: tls, from: a@b.c, to: [d@e.f], digest: 5m, user: u, password_file: credential:mail}}
- {name: siem, syslog: {address: s, network: tcp}}
- {name: am, heartbeat: 10m, alertmanager: {urls: ["https://am"], bearer_token_file: credential:am, ca_file: /ca}}
- {name: noc, snmp: {address: n, version: 2c, community_file: credential:noc}}
`))
	if err != nil {
		t.Fatal(err)
	}
	r := c.Receivers
	if r[0].SMTP.Address != "m:465" || r[1].Syslog.Address != "s:514" || r[3].SNMP.Address != "n:162" {
		t.Errorf("%s, %s, %s", r[0].SMTP.Address, r[1].Syslog.Address, r[3].SNMP.Address)
	}
	for want, file := range map[string]setting.File{"mail": r[0].SMTP.PasswordFile, "am": r[2].Alertmanager.BearerTokenFile, "noc": r[3].SNMP.CommunityFile} {
		if got, err := file.Path(); got != "/run/credentials/x/"+want || err != nil {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
	if r[2].Alertmanager.CAFile != "/ca" {
		t.Errorf("ca_file: %s", r[2].Alertmanager.CAFile)
	}
	c.Receivers = r[:3]
	a := New(c, Web{}, slog.New(slog.DiscardHandler))
	if err := a.receivers(); err != nil {
		t.Fatal(err)
	}
	mail, siem, am := a.watch.Receivers["mail"], a.watch.Receivers["siem"], a.watch.Receivers["am"]
	if mail.Notifier != r[0].SMTP || mail.Digest != 5*time.Minute || mail.Together == nil || !mail.Confirms || siem.Confirms || siem.Refresh != 0 ||
		am.Refresh != time.Minute || r[2].Alertmanager.Lasts != 5*time.Minute || r[2].Alertmanager.LifeLasts != 30*time.Minute {
		t.Errorf("%+v\n%+v\n%+v", mail, siem, am)
	}
}
