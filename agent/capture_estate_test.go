package agent

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/agent/capture"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// captureSite is a configuration with every kind of source: two appliances over
// LunaSH, REST and SNMP (our own agent behind a real snmpd stands in for the
// appliance's), a card, and the HA groups of the host.
func captureSite(t *testing.T) (e *estate, c config.Config) {
	t.Helper()
	e = startHost(t)
	e.until(t, "the site is read", func() bool {
		snap := e.agent.store.Latest()
		return len(e.ha().Members) == 2 && slices.ContainsFunc(snap.Devices, func(d *hsm.Device) bool { return d.Kind == hsm.CardHSM && !d.Policies.IsZero() })
	})
	var hsms strings.Builder
	for _, a := range e.ready.Appliances {
		if a.Name != "card" {
			fmt.Fprintf(&hsms, "- {name: site-%s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]%s, snmp_agent: {address: $SNMPD, user: %s, auth_password_file: %s/auth, priv_password_file: %s/priv, serial: \"$SERIAL-%s\", interval: 1s}}\n",
				a.Name, a.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts, a.Syslog, withRESTOf(e, a), noc.Name, e.dir, e.dir, a.Name)
		}
	}
	check.Must(t, os.WriteFile(e.dir+"/auth", []byte(noc.Auth+"\n"), 0o600))
	check.Must(t, os.WriteFile(e.dir+"/priv", []byte(noc.Priv+"\n"), 0o600))
	check.Must(t, os.Mkdir(e.dir+"/snmpd", 0o700))
	snmpd, err := netsnmp.StartAgent(t.Context(), e.dir+"/snmpd", netsnmp.Config{User: &noc})
	peer(t, err)
	t.Cleanup(snmpd.Kill)
	text := strings.NewReplacer("$SNMPD", snmpd.Address, "$SERIAL-luna1", "600001", "$SERIAL-luna2", "600002").Replace(fmt.Sprintf(`
intervals: {fast: 1s, slow: 2s, hourly: 3s}
lunacm: {enabled: true, path: %[1]s/sim/lunacm}
ha: {enabled: true, client_config: %[1]s/sim/client/Chrystoki.conf}
snmp: {agentXSocket: %[2]s}
hsms:
%[3]s`, e.dir, snmpd.Socket, hsms.String()))
	served := e.runAgent(t, "served", text)
	e.until(t, "the appliances are read and served", func() bool {
		all := 0
		for _, d := range served.store.Latest().HSMs() {
			s := d.Sources["snmp hsmClientRegistrationTable"]
			if !d.Clients.IsZero() && !d.Certificate.IsZero() && d.Sources["rest certificate"].Success != (time.Time{}) && !s.Success.IsZero() {
				all++
			}
		}
		return all == 2
	})
	e.inject(t, "luna2", "partition-deactivate payments")
	e.until(t, "an application has lost a member", func() bool { return len(e.ha().Members[1].LostBy) == 1 })
	// What is captured first must not be stale before the last source is asked.
	text = strings.Replace(text, "{fast: 1s, slow: 2s, hourly: 3s}", "{fast: 1h, slow: 1h, hourly: 1h}", 1)
	c, err = config.Parse([]byte("host: {enabled: false, name: client-of-site}\n" + text))
	check.Must(t, err)
	return e, c
}

// TestCaptureRoundTrip captures a site, packs it, and replays it: the replayed
// snapshot is the captured one with names replaced, and the archive holds no
// name and no secret.
func TestCaptureRoundTrip(t *testing.T) {
	t.Parallel()
	e, c := captureSite(t)
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "site-luna1", "site-luna2")
	captured := capture.New(t.Context(), c, nil, store.Apply)
	before := store.Latest()
	if len(captured.Failed) > 0 {
		t.Errorf("failed: %q", captured.Failed)
	}
	var archive bytes.Buffer
	check.Must(t, captured.Write(&archive))
	text := bytes.NewBuffer(bytes.ReplaceAll(bytes.ReplaceAll(archive.Bytes(), []byte("hsm1/"), []byte("folder/")), []byte("hsm2/"), []byte("folder/"))).String()
	for name, file := range captured.Files {
		text += certificateIn(t, name, file)
	}
	for _, original := range siteNames(t, e, before) {
		for _, form := range []string{original, dotted(original), base64.StdEncoding.EncodeToString([]byte(original))} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the archive holds %q: %q", original, text[max(0, i-60):min(len(text), i+40)])
			}
		}
	}
	if n := captured.Replaced; n["serial"] < 3 || n["partition serial"] < 5 || n["HA group"] != 2 || n["IP address"] < 3 || n["IP address"] > 10 || n["key, fingerprint or MAC"] == 0 || n["secret"] != 0 {
		t.Errorf("replaced: %v", n)
	}
	file := filepath.Join(e.dir, "c.tar")
	check.Must(t, os.WriteFile(file, archive.Bytes(), 0o600))
	replayed := replay(t, e, file, len(before.Devices))
	names := map[string]string{"site-luna1": "hsm1", "site-luna2": "hsm2", "client-of-site": "host", "client-of-site-532018": "card-" + captured.Names.Answer("532018")}
	for _, d := range before.Devices {
		got := device(t, replayed, names[d.Name])
		want := captured.Names.JSON(comparable(t, d))
		if diff := cmp.Diff(indented(t, want), indented(t, comparable(t, got))); diff != "" {
			t.Errorf("%s as %s (-captured +replayed):\n%s", d.Name, names[d.Name], diff)
		}
	}
	view, err := modules.Tables().Build(mib.Source{Snapshot: replayed, Now: time.Now()})
	check.Must(t, err)
	if view.Len() == 0 {
		t.Error("the replay serves nothing over SNMP")
	}
}

// certificateIn returns the bytes of the certificate in a REST answer.
func certificateIn(t *testing.T, name, text string) string {
	t.Helper()
	if path.Base(name) != "certificate.json" {
		return ""
	}
	var o struct{ Certificate string }
	check.Must(t, json.Unmarshal([]byte(text), &o))
	block, _ := pem.Decode([]byte(o.Certificate))
	if block == nil {
		t.Fatalf("%s: no certificate: %s", name, text)
	}
	return string(block.Bytes)
}

// dotted is text as the index of an SNMP object.
func dotted(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, ".%d", text[i])
	}
	return b.String()
}

// TestCaptureGoesOn: sources that fail are reported, and the others are
// captured.
func TestCaptureGoesOn(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "messages")
	check.Must(t, os.WriteFile(log, []byte("2026 Mar  1 12:00:00 vault-7  kern info  kernel: up\n"), 0o600))
	check.Must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("not to be seen\n"), 0o600))
	c, err := config.Parse(fmt.Appendf(nil, `
lunacm: {enabled: true, path: %[1]s/no-lunacm}
ha: {enabled: true, client_config: %[1]s/no-conf}
hsms:
- name: vault-7
  address: 127.0.0.1:1
  password_file: %[1]s/secret
  host_key: "SHA256:0000000000000000000000000000000000000000000"
  rest: {user: watch, password_file: %[1]s/secret, ca_file: %[1]s/no-ca}
  snmp_agent: {address: "127.0.0.1:1", version: 2c, community_file: %[1]s/no-community}
  logs: [%[1]s/messages, %[1]s/no-log]
`, dir))
	check.Must(t, err)
	captured := capture.New(t.Context(), c, nil, func(hsm.Observation) {})
	failed := strings.Join(captured.Failed, "\n")
	for _, want := range []string{"connection refused", "ca_file", "no-community", "lunacm cannot be started", "client configuration", "no-log"} {
		if !strings.Contains(failed, want) {
			t.Errorf("not reported: %s, in\n%s", want, failed)
		}
	}
	if strings.Contains(failed, "vault-7") || strings.Contains(failed, "not to be seen") {
		t.Errorf("reported with names or secrets:\n%s", failed)
	}
	if text := captured.Files["hsm1/log1.txt"]; !strings.Contains(text, "kernel: up") || strings.Contains(text, "vault-7") {
		t.Errorf("log: %q of %d files", text, len(captured.Files))
	}
}

// replay runs an agent on a capture until it has read every source.
func replay(t *testing.T, e *estate, from string, devices int) *hsm.Snapshot {
	t.Helper()
	c := config.Default()
	c.StateDirectory, c.ControlSocket, c.SNMP.Enabled = e.dir+"/replayed", e.dir+"/replayed.sock", false
	c.Intervals = config.Intervals{Fast: time.Hour, Slow: time.Hour, Hourly: time.Hour}
	check.Must(t, capture.Replay(&c, from))
	a := e.runConfig(t, c)
	last := []string{"hsm tamper show", "rest certificate", "snmp hsmClientRegistrationTable"}
	e.until(t, "the capture is replayed", func() bool {
		snap := a.store.Latest()
		done := 0
		for _, d := range snap.Devices {
			ready := !d.HA.IsZero() && d.HA.Value.Groups[0].Members[0].Reachable.Known && len(d.HA.Value.Groups[0].Members[1].LostBy) > 0 // groups and log
			if d.Kind == hsm.CardHSM {
				_, ready = d.Sources["partition showpolicies"]
			} else if strings.HasPrefix(d.Name, "hsm") {
				ready = !slices.ContainsFunc(last, func(s string) bool { return d.Sources[s].Success.IsZero() })
			}
			if ready {
				done++
			}
		}
		return done == devices
	})
	return a.store.Latest()
}

func device(t *testing.T, s *hsm.Snapshot, name string) *hsm.Device {
	t.Helper()
	for _, d := range s.Devices {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no device %q in %+v", name, s.Devices)
	return new(hsm.Device)
}

// comparable is what must be the same of a device: every section's value and
// source, and which sources there are and that none fails.
func comparable(t *testing.T, d *hsm.Device) string {
	t.Helper()
	text, err := json.Marshal(d)
	check.Must(t, err)
	var sections map[string]any
	check.Must(t, json.Unmarshal(text, &sections))
	withoutMoments(sections)
	out := map[string]any{"kind": d.Kind}
	for name, s := range sections {
		if v, ok := s.(map[string]any); ok && v["value"] != nil {
			out[name] = []any{v["source"], v["value"]}
		}
	}
	sources := make(map[string]string)
	for name, s := range d.Sources {
		if name != "HA log" {
			sources[name] = string(s.Failure)
		}
	}
	out["source_failures"] = sources
	text, err = json.Marshal(out)
	check.Must(t, err)
	return string(text)
}

// withoutMoments takes away when a member was found alive, the moment at which
// LunaCM was asked, and what LunaSH and SNMP state with other precision, of
// which the later counts. Times of the HA log stay.
func withoutMoments(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["state"] == "alive" {
			delete(v, "since")
		}
		delete(v, "busy_seconds")
		for _, x := range v {
			withoutMoments(x)
		}
	case []any:
		for _, x := range v {
			withoutMoments(x)
		}
	}
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	check.Must(t, json.Indent(&out, []byte(text), "", " "))
	return out.String()
}

// siteNames is what must be nowhere in an archive: every name, number and
// secret that the simulator, the configuration and the snapshot know.
func siteNames(t *testing.T, e *estate, snap *hsm.Snapshot) []string {
	t.Helper()
	password, err := os.ReadFile(e.ready.PasswordFile)
	check.Must(t, err)
	names := []string{"site-luna1", "site-luna2", "client-of-site", "600001", "600002", "532018", strings.TrimSpace(string(password)), noc.Auth, noc.Priv, "SESSION_ID", "PRIVATE KEY"}
	for _, d := range snap.Devices {
		names = append(names, d.Show.Value.Label.Value)
		for _, p := range d.Partitions.Value {
			names = append(names, p.Serial, p.Name, p.Label.Value)
		}
		for _, c := range d.Clients.Value {
			names = append(names, c.Name, c.Address)
		}
		names = append(names, d.System.Value.Hostname)
		for _, g := range d.HA.Value.Groups {
			names = append(names, g.Serial, g.Label)
		}
	}
	host, _ := os.Hostname()
	names = append(names, host)
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return len(n) < 3 || n == "localhost" })
	if len(names) < 20 {
		t.Fatalf("too few names to look for: %q", names)
	}
	return names
}
