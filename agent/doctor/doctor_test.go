package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

func TestMain(m *testing.M) { collectortest.Main(m) }

// patient returns that of a configuration below dir, without snmpd and host.
func patient(t *testing.T, dir, text string) Patient {
	t.Helper()
	c, err := config.Parse(fmt.Appendf(nil, "state_directory: %[1]s\ncontrol_socket: %[1]s/control\nsnmp: {enabled: false}\nhost: {enabled: false}\n%s", dir, text))
	check.Must(t, err)
	return Patient{Config: c, Silent: os.ErrNotExist, Now: time.Now()}
}

// only returns the findings about one thing.
func only(t *testing.T, found []Finding, of, tried string) Finding {
	t.Helper()
	for _, f := range found {
		if f.Of == of && strings.HasPrefix(f.Tried, tried) {
			return f
		}
	}
	t.Fatalf("nothing about %s, %s in\n%v", of, tried, found)
	return Finding{}
}

func quietly(int, int) {}

// TestWays tries each way to a simulated appliance, as it is and broken: what came back
// says where, and the remedy is that of the alarm.
func TestWays(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	closed.Close()
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	check.Must(t, os.WriteFile(wrong, []byte("a guess\n"), 0o600))
	key := "host_key: " + a.Fingerprint
	for _, x := range []struct {
		name, hsm, way string
		state          State
		layer          hsm.Layer
		says, remedy   string
	}{
		{"LunaSH", fmt.Sprintf("address: %q, password_file: %s, %s", a.SSHAddress, sim.PasswordFile, key), "LunaSH", OK, "",
			"the host key is right, monitor is logged in, ntls information show is answered", ""},
		{"refused", fmt.Sprintf("address: %q, password_file: %s, %s", closed.Addr(), sim.PasswordFile, key), "LunaSH", Failed, hsm.LayerPortRefused,
			"port refused", "Check that the service runs on the appliance"},
		{"another key", fmt.Sprintf("address: %q, password_file: %s, host_key: SHA256:%s", a.SSHAddress, sim.PasswordFile, strings.Repeat("A", 43)), "LunaSH", Failed, hsm.LayerIdentity,
			"identity not proven", "Compare the fingerprint"},
		{"wrong password", fmt.Sprintf("address: %q, password_file: %s, %s", a.SSHAddress, wrong, key), "LunaSH", Failed, hsm.LayerAccount,
			"login failed", "Check that the account is enabled"},
		{"REST", fmt.Sprintf("address: %q, password_file: %s, %s, rest: {address: %q, password_file: %s, certificate: %q}",
			a.SSHAddress, sim.PasswordFile, key, a.RESTAddress, sim.PasswordFile, a.RESTFingerprint), "REST", OK, "", "the certificate is right, monitor is logged in, software 7.2", ""},
		{"another certificate", fmt.Sprintf("address: %q, password_file: %s, %s, rest: {address: %q, password_file: %s, certificate: %q}",
			a.SSHAddress, sim.PasswordFile, key, a.RESTAddress, sim.PasswordFile, "SHA256:"+strings.Repeat("0", 64)), "REST", Failed, hsm.LayerIdentity, "has changed", "Compare the fingerprint"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := only(t, patient(t, t.TempDir(), "hsms: [{name: a, "+x.hsm+"}]\n").Examine(t.Context(), quietly), "a", x.way)
			if f.State != x.state || f.Layer != x.layer || !strings.Contains(f.Result, x.says) || !strings.HasPrefix(f.Remedy, x.remedy) || (f.Remedy == "") != (x.remedy == "") {
				t.Errorf("%s\nwant %s at layer %q: %s; %s", f, x.state, x.layer, x.says, x.remedy)
			}
		})
	}
}

// TestOneLogin: however often the doctor is called, the appliance sees a wrong password
// once, and not at all where that could not be remembered.
func TestOneLogin(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	secure := filepath.Join(filepath.Dir(a.Syslog), "secure")
	logins := func() int {
		text, err := os.ReadFile(secure)
		check.Must(t, err)
		return strings.Count(string(text), "Failed password") + strings.Count(string(text), "webserver: failed login")
	}
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	check.Must(t, os.WriteFile(wrong, []byte("a guess\n"), 0o600))
	text := fmt.Sprintf("hsms: [{name: a, address: %q, password_file: %s, host_key: %s, rest: {address: %q, password_file: %s, certificate: %q}}]\n",
		a.SSHAddress, wrong, a.Fingerprint, a.RESTAddress, wrong, a.RESTFingerprint)
	nowhere := filepath.Join(dir, "nowhere")
	for _, way := range []string{"LunaSH", "REST"} {
		if f := only(t, patient(t, nowhere, text).Examine(t.Context(), quietly), "a", way); f.State != Failed || !strings.Contains(f.Result, "not tried") || logins() != 0 {
			t.Errorf("without a state directory there were %d logins: %s", logins(), f)
		}
	}
	for range 3 {
		for _, f := range patient(t, dir, text).Examine(t.Context(), quietly) {
			if f.Of == "a" && f.State != Failed {
				t.Error(f)
			}
			if strings.Contains(f.String(), "a guess") {
				t.Errorf("the password is printed: %s", f)
			}
		}
	}
	if n := logins(); n != 1 {
		t.Errorf("the appliance refused %d logins", n)
	}
}

// TestAsksTheAgentFirst: what the agent has a session for gets no second one, and what it
// knows nothing of is tried.
func TestAsksTheAgentFirst(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	dir := t.TempDir()
	p := patient(t, dir, fmt.Sprintf("hsms: [{name: a, address: %q, password_file: %s, host_key: %s}]\n", a.SSHAddress, sim.PasswordFile, a.Fingerprint))
	inForce := p.Config.InForce()
	other := inForce
	other.HSMs = map[string]string{"a": "another section"}
	store := hsm.NewStore()
	logins := func() int64 {
		counts, err := simulator.CountsOf(t.Context(), filepath.Dir(sim.ControlSocket))
		check.Must(t, err)
		return counts.Logins
	}
	for _, x := range []struct {
		name    string
		inForce config.InForce
		failure hsm.Failure
		err     error
		logins  int64
		state   State
		says    string
	}{
		{"it works", inForce, hsm.None, nil, 0, OK, "hsm show was answered 3s ago in 0.5 s, says the agent"},
		{"the card hangs", inForce, hsm.Timeout, fmt.Errorf("no prompt"), 0, Failed, "no prompt, says the agent"},
		{"no session", inForce, hsm.Unreachable, fmt.Errorf("connect"), 1, OK, "is answered"},
		{"too long ago", inForce, hsm.None, nil, 0, Warning, "hsm show was last answered 20m0s ago, says the agent"},
		{"another address", other, hsm.None, nil, 1, OK, "is answered"},
	} {
		ago := 3 * time.Second
		if x.state == Warning {
			ago = 20 * time.Minute
		}
		store.Apply(hsm.Observation{Device: "a", Kind: hsm.NetworkHSM, Source: "hsm show", At: p.Now.Add(-ago), Took: time.Second / 2, Failure: x.failure, Err: x.err, MaxAge: time.Minute})
		p.Snapshot, p.InForce, p.Silent = store.Latest(), &x.inForce, nil
		before := logins()
		f := only(t, p.Examine(t.Context(), quietly), "a", "LunaSH")
		if f.State != x.state || !strings.Contains(f.Result, x.says) {
			t.Errorf("%s: %s", x.name, f)
		}
		if n := logins() - before; n != x.logins {
			t.Errorf("%s: %d logins, want %d", x.name, n, x.logins)
		}
	}
}

// TestHangs: a try that ignores its end does not hold up the others.
func TestHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	f := trial{"disk", "a hung file system", func(context.Context) Finding { <-never; return ok("late") }}.run(ctx)
	if f.State != Failed || f.Result != "no answer in time" || f.Of != "disk" {
		t.Error(f)
	}
}
