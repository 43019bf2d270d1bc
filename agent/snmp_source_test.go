package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/snmp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/snmppeer"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// runAgent runs one more agent in the estate; it ends with the test.
func (e *estate) runAgent(t *testing.T, name, text string) *Agent {
	t.Helper()
	c, err := config.Parse(fmt.Appendf(nil, "state_directory: %s/%s\ncontrol_socket: %s/%s.sock\nhost: {enabled: false}\n%s", e.dir, name, e.dir, name, text))
	check.Must(t, err)
	return e.runConfig(t, c)
}

// runConfig is [estate.runAgent] of a configuration.
func (e *estate) runConfig(t *testing.T, c config.Config) *Agent {
	t.Helper()
	a := New(c, freeWeb(), slog.New(slog.NewTextHandler(e.log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a
}

// carried is what SNMP can carry of a device. What else LunaSH states is
// taken away here, field by field.
func carried(d *hsm.Device) map[string]any {
	s := d.Show.Value
	s.RollbackFirmware, s.PartNumber, s.SOLoggedIn, s.SOFailedLogins, s.Zeroized = "", "", hsm.Opt[bool]{}, hsm.Opt[int64]{}, hsm.Opt[bool]{}
	s.RemoteLogin, s.SecureTransportMode, s.Tamper, s.Status, s.LicenseCount = hsm.Opt[bool]{}, hsm.Opt[bool]{}, "", "", hsm.Opt[int64]{}
	s.Environment, s.Partitions = nil, nil
	serials := make(map[string]string)
	for _, p := range d.Show.Value.Partitions {
		serials[p.Name] = p.Serial
	}
	s.PartitionsCreated = hsm.Opt[int64]{} // counted from the list above where it is not printed
	partitions := slices.Clone(d.Partitions.Value)
	for i := range partitions {
		partitions[i].Name, partitions[i].Roles, partitions[i].Status, partitions[i].Zeroized = "", nil, "", hsm.Opt[bool]{}
	}
	licenses := slices.Clone(d.Licenses.Value)
	for i := range licenses {
		licenses[i].Total, licenses[i].Available = hsm.Opt[int64]{}, hsm.Opt[int64]{}
	}
	clients := slices.Clone(d.Clients.Value)
	for i := range clients {
		clients[i].RequiresHTL, clients[i].OTTExpiry = hsm.Opt[bool]{}, hsm.Opt[int64]{}
		clients[i].Partitions = slices.Clone(clients[i].Partitions)
		for j, name := range clients[i].Partitions {
			if serial, ok := serials[name]; ok {
				clients[i].Partitions[j] = serial
			}
		}
		slices.Sort(clients[i].Partitions)
	}
	slices.SortFunc(partitions, func(a, b hsm.Partition) int { return strings.Compare(a.Serial, b.Serial) })
	slices.SortFunc(licenses, func(a, b hsm.License) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(clients, func(a, b hsm.Client) int { return strings.Compare(a.Name, b.Name) })
	i := d.Information.Value
	i.CryptoRequests, i.CryptoErrors = hsm.Opt[uint64]{}, hsm.Opt[uint64]{}
	uptime, commands := uint64(0), uint64(0)
	// Without a counted busy time SNMP has no utilization, hence no sample.
	if m := d.Monitor.Value.Samples; len(m) > 0 && d.Monitor.Value.BusySeconds.Known {
		uptime, commands = m[len(m)-1].UptimeSeconds, m[len(m)-1].Commands
	}
	return map[string]any{
		"show": s, "information": i, "uptime": uptime, "commands": commands, "busy": int64(d.Monitor.Value.BusySeconds.Value),
		"ntls": d.NTLS.Value, "not after": d.Certificate.Value.NotAfter, "partitions": partitions, "licenses": licenses, "clients": clients,
	}
}

func only(t *testing.T, a *Agent) *hsm.Device {
	t.Helper()
	devices := a.store.Latest().HSMs()
	if len(devices) != 1 {
		t.Fatalf("%d devices", len(devices))
	}
	return devices[0]
}

func viewText(t *testing.T, a *Agent) string {
	t.Helper()
	view, err := modules.Tables().Build(mib.Source{Snapshot: a.store.Latest(), Now: time.Now()})
	check.Must(t, err)
	var b strings.Builder
	for _, i := range Instances(view) {
		if strings.HasPrefix(i.Name, "hsmUpTime.") || strings.HasPrefix(i.Name, "hsmCommandCount.") {
			continue // LunaSH does not count hsmBusyTime, and a source needs all three
		}
		fmt.Fprintf(&b, "%s = %s\n", i.Name, i.Value)
	}
	return b.String()
}

// TestOurOwnAgentAsAnAppliance reads one HSM over LunaSH, serves it through a
// real snmpd, and reads that as if it were the appliance's own SNMP agent: the
// snapshot comes back, and so does every object. While the two are compared
// the appliance is stopped, so that its counters are.
func TestOurOwnAgentAsAnAppliance(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	dir := filepath.Join(e.dir, "snmpd2")
	check.Must(t, os.Mkdir(dir, 0o700))
	snmpd, err := netsnmp.StartAgent(t.Context(), dir, netsnmp.Config{User: &noc})
	peer(t, err)
	t.Cleanup(snmpd.Kill)
	for _, appliance := range e.ready.Appliances {
		if appliance.Name != "luna72" {
			continue
		}
		first := e.runAgent(t, "first", fmt.Sprintf(`
snmp: {agentXSocket: %s, raw_event_counters: true}
intervals: {fast: 1s, slow: 2s, hourly: 3s}
hsms: [{name: luna72, address: %q, password_file: %s, known_hosts_file: %s}]
`, snmpd.Socket, appliance.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts))
		second := e.runAgent(t, "second", fmt.Sprintf(`
snmp: {enabled: false}
hsms: [{name: luna72, snmp_agent: {address: %q, user: noc, auth_password_file: %s/auth, priv_password_file: %s/priv, interval: 1s}}]
`, snmpd.Address, e.dir, e.dir))
		e.until(t, "the HSM is read", func() bool { return !only(t, first).Certificate.IsZero() && !only(t, first).Clients.IsZero() })
		check.Must(t, e.sim.Signal(syscall.SIGSTOP))
		defer e.sim.Signal(syscall.SIGCONT)
		var diff string
		same := func() bool {
			diff = cmp.Diff(carried(only(t, first)), carried(only(t, second))) + cmp.Diff(viewText(t, first), viewText(t, second))
			return diff == ""
		}
		for deadline := time.Now().Add(testTimeout); !same(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("-LunaSH +SNMP:\n%s\n%+v", diff, only(t, second).Sources)
			}
		}
		d := only(t, second)
		if d.Show.Source != "snmp hsmTable" || len(d.Policies.Value.Policies) == 0 || len(d.Partitions.Value) == 0 || len(d.Licenses.Value) == 0 || len(d.Clients.Value) == 0 {
			t.Errorf("too little was compared: %+v", d)
		}
		for name, s := range d.Sources {
			if s.Failure != hsm.None || len(s.Unread) > 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
		return
	}
	t.Fatal("no luna72")
}

// TestSeveralHSMsBehindOneAgent asks an agent that serves three: without a
// serial number that is an error that names them, with one it is that HSM, and
// what is of all three together is of none. The appliances are stopped
// meanwhile: their counters move.
func TestSeveralHSMsBehindOneAgent(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	secret := func(name, text string) setting.File {
		file := filepath.Join(e.dir, name)
		check.Must(t, os.WriteFile(file, []byte(text+"\n"), 0o600))
		return setting.File(file)
	}
	var serials []string
	for _, d := range e.agent.store.Latest().HSMs() {
		serials = append(serials, d.Serial())
	}
	e.until(t, "SNMP shows everything that was read", func() bool {
		snap := e.agent.store.Latest()
		now, err := e.agent.newView(modules.Tables().Builder(), snap, time.Now())
		check.Must(t, err)
		unread := slices.ContainsFunc(snap.HSMs(), func(d *hsm.Device) bool { return d.Licenses.IsZero() || d.Partitions.IsZero() })
		return !unread && now.Len() == e.agent.view.Load().Len()
	})
	check.Must(t, e.sim.Signal(syscall.SIGSTOP))
	defer e.sim.Signal(syscall.SIGCONT)
	for _, c := range []struct {
		name   string
		change func(*snmp.Agent)
		want   hsm.Failure
		says   []string
	}{
		{"no serial", func(*snmp.Agent) {}, hsm.Unrecognised, append([]string{"serves 3 HSMs", "snmp_agent.serial"}, serials...)},
		{"unknown serial", func(a *snmp.Agent) { a.Serial = "999" }, hsm.Unrecognised, append([]string{"no HSM with the configured serial 999"}, serials...)},
		{"serial", func(a *snmp.Agent) { a.Serial = serials[1] }, hsm.None, nil},
		{"version 2c", func(a *snmp.Agent) { a.Serial, a.Version = serials[1], "2c" }, hsm.None, nil},
		{"wrong user", func(a *snmp.Agent) { a.User = "nobody" }, hsm.Login, []string{"nobody", "does not tell which"}},
		{"wrong password", func(a *snmp.Agent) { a.AuthPasswordFile = secret("wrong-auth", "not the secret") }, hsm.Login, []string{"does not tell which"}},
		{"wrong privacy password", func(a *snmp.Agent) { a.PrivPasswordFile = secret("wrong-priv", "not the secret") }, hsm.Login, []string{"does not tell which"}},
		{"wrong protocol", func(a *snmp.Agent) { a.AuthProtocol = "SHA512" }, hsm.Login, []string{"does not tell which"}},
		{"no file", func(a *snmp.Agent) { a.AuthPasswordFile = setting.File(e.dir + "/absent") }, hsm.Login, []string{"auth_password_file", "absent"}},
		{"short password", func(a *snmp.Agent) { a.PrivPasswordFile = secret("short", "hush!") }, hsm.Login, []string{"priv_password_file", "fewer than 8"}},
		{"wrong community", func(a *snmp.Agent) { a.Version, a.CommunityFile = "2c", secret("wrong-community", "guessed") }, hsm.Unreachable, []string{"the community is wrong"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := &snmp.Agent{
				Device: "a", Interval: time.Hour, Timeout: time.Second, Peer: snmppeer.Peer{
					Address: e.snmpd.Address, Version: "3", User: "noc", CommunityFile: setting.File(e.dir + "/community"),
					AuthPasswordFile: setting.File(e.dir + "/auth"), PrivPasswordFile: setting.File(e.dir + "/priv"),
				},
			}
			c.change(a)
			snap := &hsm.Snapshot{}
			var d *hsm.Device
			var diff string
			same := func() bool {
				a.Once(t.Context(), func(o hsm.Observation) { snap = snap.With(o) })
				d = snap.Devices[0]
				if c.want != hsm.None {
					return true
				}
				want, got := carried(e.agent.store.Latest().HSMs()[1]), carried(d)
				diff = cmp.Diff(want["licenses"], got["licenses"]) + cmp.Diff(want["partitions"], got["partitions"])
				return diff == ""
			}
			for deadline := time.Now().Add(testTimeout); !same(); time.Sleep(100 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("-LunaSH +SNMP:\n%s", diff)
				}
			}
			s := d.Sources["snmp hsmTable"]
			if s.Failure != c.want || c.want == hsm.None && s.Error != "" {
				t.Errorf("%q: %s, want %q", s.Failure, s.Error, c.want)
			}
			for _, words := range c.says {
				if !strings.Contains(s.Error, words) {
					t.Errorf("%s: does not say %s", s.Error, words)
				}
			}
			for _, hidden := range []string{noc.Auth, noc.Priv, "not the secret", "hush!", "guessed"} {
				if strings.Contains(s.Error, hidden) {
					t.Errorf("the error holds a secret: %s", s.Error)
				}
			}
			if !d.Information.IsZero() || !d.NTLS.IsZero() || !d.Certificate.IsZero() {
				t.Errorf("sums of three HSMs are taken for one: %+v", d)
			}
			if c.want == hsm.None && (d.Serial() != serials[1] || d.Show.Value.SoftwareVersion != "") {
				t.Errorf("%+v", d.Show.Value)
			}
		})
	}
}
