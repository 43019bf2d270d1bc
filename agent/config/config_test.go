package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms/expect"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestReferenceConfig holds the shipped configuration to the code: it is good,
// it shows every key, and the values that it calls defaults are.
func TestReferenceConfig(t *testing.T) {
	text, err := os.ReadFile("../../lunawatch.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Intervals.Counters = want.Intervals.Fast // as it becomes
	if diff := cmp.Diff(want.SNMP, c.SNMP); diff != "" {
		t.Errorf("snmp is not the default:\n%s", diff)
	}
	c.Alarms.IgnoredStatusCodes, c.Alarms.RaiseAfter, c.Alarms.ClearAfter, c.Alarms.Off = nil, nil, nil, nil // empty
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
		for field := range typ.Fields() {
			switch key := field.Tag.Get("yaml"); key {
			case "", "-":
			case ",inline":
				keys = keysOf(field.Type, keys)
			default:
				keys = keysOf(field.Type, append(keys, key))
			}
		}
	}
	return keys
}

// TestParent has cards depend on their host, and HSMs on what is configured.
func TestParent(t *testing.T) {
	c, err := Parse([]byte("host: {name: client}\nlunacm: {enabled: true, name: card}\nhsms:\n- {name: a, replay: /d, depends_on: b}\n- {name: b, replay: /d}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for device, want := range map[string]string{"a": "b", "b": "", "card-532018": "client", "client": "", "lunawatch": ""} {
		if got := c.Parent()(device); got != want {
			t.Errorf("%s depends on %q, want %q", device, got, want)
		}
	}
	if _, err := Parse([]byte("hsms: [{name: a, replay: /d, depends_on: c}]\n")); err == nil || !strings.Contains(err.Error(), "neither another HSM nor the host") {
		t.Errorf("got %v", err)
	}
}

// withREST is goodHSM with the given keys of rest.
func withREST(keys string) string {
	return strings.Replace(goodHSM, "name: a", "name: a, rest: {"+keys+"}", 1)
}

var goodFingerprint = "SHA256:" + strings.Repeat("aB:", 31) + "00"

func TestRESTDefaults(t *testing.T) {
	c, err := Parse([]byte(withREST("password_file: /r, certificate: \"" + goodFingerprint + "\"")))
	if err != nil {
		t.Fatal(err)
	}
	h := c.HSMs[0]
	if h.REST.Address != "192.0.2.1:8443" || h.REST.User != "monitor" || h.rank("lunash") != 0 || h.rank("rest") != 1 {
		t.Errorf("%+v, %+v", h, h.REST)
	}
	for _, prefer := range []string{"[]", "[lunash]", "[rest]", "[rest, lunash]"} {
		c, err := Parse([]byte(strings.Replace(withREST("password_file: /r, ca_file: /c"), "name: a", "name: a, prefer: "+prefer, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if l, r := c.HSMs[0].rank("lunash"), c.HSMs[0].rank("rest"); l+r != 1 || (r == 0) != strings.HasPrefix(prefer, "[rest") {
			t.Errorf("prefer %s: lunash %d, rest %d", prefer, l, r)
		}
	}
}

const goodHSM = "hsms:\n- {name: a, address: 192.0.2.1, password_file: /p, known_hosts_file: /k}\n"

// TestConfigAccepts has what may be written in several ways.
func TestConfigAccepts(t *testing.T) {
	for _, text := range []string{
		goodHSM,
		"", "# only a comment\n", "---\n", "~\n", "{}\n",
		"%YAML 1.2\n---\nhsms: []\n...\n",
		"hsms: ~\nreceivers: []\n---\n",
		"snmp: {agentXTimeout: \"2\"}\nstate_directory: 5\n",
		"hsms:\n- {name: a, snmp_agent: {address: x, user: u, auth_password_file: f, priv_password_file: f}}\n",
		"hsms:\n- {name: a, snmp_agent: {address: x, version: 2c, community_file: f}}\n",
		strings.Replace(goodHSM, "name: a", "name: a, user: admin, allow_privileged_user: true", 1),
		withREST("address: \"[2001:db8::1]:443\", password_file: /r, certificate: \"" + goodFingerprint + "\""),
		withREST("password_file: /r, ca_file: /c"),
		"lunacm: {enabled: true}\n",
		"receivers: [{name: a, alertmanager: {urls: [\"https://am:9093\"]}}]\n",
		"receivers: [{name: a, pagerduty: {routing_key_file: /k}}]\n",
		"receivers: [{name: a, opsgenie: {api_key_file: /k}}]\n",
		"receivers: [{name: a, opsgenie: {api_key_file: /k, heartbeat_name: x}, heartbeat: 5m}]\n",
		"receivers: [{name: a, jsm: {api_key_file: /k}}]\n",
		"receivers: [{name: a, jsm: {api_key_file: /k, ping: {name: x, cloud_id: c, team_id: t, user: u, token_file: /t}}, heartbeat: 5m}]\n",
		"receivers: [{name: a, servicenow: {url: \"https://x/api\", user: u, password_file: /k}, heartbeat: 5m}]\n",
		"receivers: [{name: a, chat: {service: matrix, url_file: /u, bearer_token_file: /k}, heartbeat: 5m}]\n",
		"receivers: [{name: a, splunk: {url: \"https://x:8088\", token_file: /k}, heartbeat: 5m}]\n",
		"receivers: [{name: a, syslog: {address: s, format: cef}}]\n",
		"external_url: https://lunawatch.example.net:9477\nrunbook_url: https://wiki.example.net/luna#{group}\n",
		"receivers: [{name: a, webhook: {url: \"https://x/y\"}}]\n",
		"receivers: [{name: a, smtp: {address: m, from: a@b.c, to: [d@e.f]}}]\n",
		"receivers: [{name: a, syslog: {address: s}}]\n",
		"receivers: [{name: a, exec: {command: [/bin/true]}}]\n",
	} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestConfigFaults has every wrong configuration in testdata/config, with all
// that is wrong with it, and where.
func TestConfigFaults(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	files, err := filepath.Glob("testdata/config/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, filepath.Ext(file))
		text, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err) // a golden file of nothing
		}
		if filepath.Ext(file) != ".yaml" {
			continue
		}
		_, err = parse(filepath.Base(file), text)
		if err == nil {
			t.Errorf("%s is accepted", file)
			continue
		}
		if strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: an error holds a secret: %v", file, err)
		}
		check.Golden(t, "config/"+filepath.Base(name)+".err", []byte(err.Error()+"\n"))
	}
}

// TestConfigFile has what is wrong with the file itself.
func TestConfigFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Read("none.yaml"); err == nil || err.Error() != "configuration: open none.yaml: no such file or directory" {
		t.Errorf("got %v", err)
	}
	check.Must(t, os.WriteFile("huge.yaml", bytes.Repeat([]byte("#\n"), maxConfigBytes), 0o600))
	if _, err := Read("huge.yaml"); err == nil || !strings.HasPrefix(err.Error(), "huge.yaml:1:1: the file has more than") {
		t.Errorf("got %v", err)
	}
	check.Must(t, os.WriteFile("empty.yaml", nil, 0o600))
	c, err := Read("empty.yaml")
	check.Must(t, err)
	want := Default()
	want.Intervals.Counters = want.Intervals.Fast // as it becomes
	want.File, want.Loaded = "empty.yaml", c.Loaded
	want.Sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing
	want.complete()
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(LunaCM{}, HA{})); diff != "" {
		t.Errorf("an empty file is not the default:\n%s", diff)
	}
}

// TestConfigAliases: an alias is replaced by its value, also before the key
// that has its anchor, and a key counts more than what is merged.
func TestConfigAliases(t *testing.T) {
	c, err := Parse([]byte(`
lunacm: {intervals: &often {fast: 1m, slow: 2m, hourly: 3m}}
hsms:
- {name: a, replay: d, intervals: *often}
- name: b
  replay: d
  intervals:
    slow: 9m
    <<: *often
`))
	check.Must(t, err)
	a, b := c.HSMs[0].Intervals, c.HSMs[1].Intervals
	if want := (Intervals{time.Minute, 2 * time.Minute, 3 * time.Minute, time.Minute}); a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
	if want := (Intervals{time.Minute, 9 * time.Minute, 3 * time.Minute, time.Minute}); b != want {
		t.Errorf("got %+v, want %+v", b, want)
	}
}

// TestConfigText: where text is needed, a number is taken as it is written.
func TestConfigText(t *testing.T) {
	c, err := Parse([]byte("hsms:\n- {name: 007, replay: d, expect: {serial: 0484233, firmware: 7.10, model: 0x10, partitions: [1_000, 1e3, !!str 5.0, .inf]}}\n"))
	check.Must(t, err)
	want := expect.Device{Serial: "0484233", Firmware: "7.10", Model: "0x10", Partitions: []string{"1_000", "1e3", "5.0", ".inf"}}
	if diff := cmp.Diff(want, *c.HSMs[0].Expect); diff != "" || c.HSMs[0].Name != "007" {
		t.Errorf("name %s\n%s", c.HSMs[0].Name, diff)
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

// FuzzConfig reads any bytes: they are refused, each fault with a place, or are
// a valid configuration, which is accepted again as it is written out.
func FuzzConfig(f *testing.F) {
	files, _ := filepath.Glob("testdata/config/*.yaml")
	for _, file := range append(files, "../../lunawatch.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(goodHSM))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse(text)
		if err != nil {
			faults, ok := errors.AsType[Faults](err)
			if !ok {
				t.Fatalf("%T: %v", err, err)
			}
			for _, fault := range faults {
				if fault.Line < 1 || fault.Column < 1 || fault.Err == nil {
					t.Errorf("a fault is nowhere: %+v", fault)
				}
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
		again, err := yaml.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Errorf("written out, it is refused: %v\n%s", err, again)
		}
	})
}
