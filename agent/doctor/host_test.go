package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// is compares a finding with a state and a part of its result; only OK has no remedy.
func is(t *testing.T, name string, f Finding, state State, says string) {
	t.Helper()
	if f.State != state || !strings.Contains(f.Result, says) || (f.Remedy == "") != (state == OK) {
		t.Errorf("%s: %s\nwant %s: %s", name, f, state, says)
	}
}

// TestInForce: whether the agent runs with what is on disk.
func TestInForce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lunawatch.yaml")
	check.Must(t, os.WriteFile(file, []byte("hsms: [{name: a, replay: "+dir+"}]\n"), 0o600))
	c, err := config.Read(file)
	check.Must(t, err)
	same, changed, other := c.InForce(), c.InForce(), c.InForce()
	changed.Sum, other.File = "another", "/etc/other.yaml"
	for _, x := range []struct {
		name    string
		silent  error
		inForce *config.InForce
		state   State
		says    string
	}{
		{"the same", nil, &same, OK, "the agent runs with it, read at "},
		{"changed", nil, &changed, Warning, "has changed since the agent read it"},
		{"another file", nil, &other, Warning, "runs with /etc/other.yaml"},
		{"no agent", os.ErrNotExist, nil, Warning, "no agent runs"},
		{"not for this user", syscall.EACCES, nil, Warning, "an agent may run"},
		{"an older one", nil, nil, Warning, "does not say"},
	} {
		is(t, x.name, Patient{Config: c, Silent: x.silent, InForce: x.inForce}.inForce(), x.state, x.says)
	}
}

// TestFaultsOfFiles: what check-config finds is a line each, and no secret is in it.
func TestFaultsOfFiles(t *testing.T) {
	dir := t.TempDir()
	file, open := filepath.Join(dir, "lunawatch.yaml"), filepath.Join(dir, "open")
	check.Must(t, os.WriteFile(open, []byte("hidden\n"), 0o600))
	check.Must(t, os.Chmod(open, 0o644))
	hsm := "{name: %s, address: %s, host_key: SHA256:0000000000000000000000000000000000000000000, password_file: %s}"
	check.Must(t, os.WriteFile(file, fmt.Appendf(nil, "hsms: ["+hsm+", "+hsm+"]\n", "a", "127.0.0.1:1", filepath.Join(dir, "none"), "b", "127.0.0.1:2", open), 0o600))
	c, err := config.Read(file)
	check.Must(t, err)
	p := Patient{Config: c, Silent: os.ErrNotExist}
	_, p.Unchecked, p.Faults = config.Check(file)
	var got []string
	for _, x := range p.configuration() {
		f := x.run(t.Context())
		got = append(got, f.String())
		if strings.Contains(f.String(), "hidden") {
			t.Errorf("a secret is printed: %s", f)
		}
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{"failed   configuration: files that it names: " + file + ":1:", "none: no such file", "warning  configuration: files that it names: hsms[1].password_file: " + open + " can be read by everybody"} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %s:\n%s", want, text)
		}
	}
}

// TestLog: a log must be readable to the agent's user, and grow.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "messages")
	now := time.Now()
	p, me := Patient{Now: now}, Patient{}.account()
	stranger, notYet := account{uid: 4711, name: "stranger", sure: true}, account{uid: 4711, name: "lunawatch"}
	for _, x := range []struct {
		name, text string
		age, quiet time.Duration
		who        account
		state      State
		says       string
	}{
		{"it grows", "a line\n", time.Minute, quietAfter, me, OK, "it has grown 1m0s ago"},
		{"it has stopped", "a line\n", 50 * time.Hour, quietAfter, me, Warning, "it has not grown for 50h0m0s"},
		{"an audit log may be quiet", "a line\n", 50 * time.Hour, 0, me, OK, "last written 50h0m0s ago"},
		{"empty", "", time.Minute, quietAfter, me, Warning, "it is empty"},
		{"not for the agent", "a line\n", time.Minute, quietAfter, stranger, Failed, "user stranger may not: permission denied"},
		{"not for who will run it", "a line\n", time.Minute, quietAfter, notYet, Warning, "unless its unit gives it more groups"},
	} {
		check.Must(t, os.WriteFile(file, []byte(x.text), 0o640))
		check.Must(t, os.Chtimes(file, now, now.Add(-x.age)))
		is(t, x.name, p.log(file, x.who, x.quiet), x.state, x.says)
	}
	is(t, "none", p.log(filepath.Join(dir, "none"), me, quietAfter), Failed, "no such file")
	is(t, "a directory", p.log(dir, me, quietAfter), Failed, "it is a directory")
}

// TestState: the state directory is there, and the agent's.
func TestState(t *testing.T) {
	dir, me := t.TempDir(), Patient{}.account()
	is(t, "mine", state(dir, me), OK, "may write there")
	is(t, "none", state(filepath.Join(dir, "none"), me), Failed, "no such file")
	is(t, "another's", state(dir, account{uid: 4711, name: "lunawatch"}), Failed, "user lunawatch may not")
}

// TestAccountHas reads modes as the kernel does: the owner's rights count for the owner,
// even where those of others are wider.
func TestAccountHas(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	check.Must(t, os.WriteFile(file, nil, 0o600))
	uid, gid := uint32(os.Geteuid()), uint32(os.Getegid())
	for _, x := range []struct {
		mode os.FileMode
		who  account
		want bool
	}{
		{0o640, account{uid: 4711, groups: []uint32{gid}}, true},
		{0o604, account{uid: 4711, groups: []uint32{gid}}, false},
		{0o604, account{uid: 4711}, true},
		{0o640, account{uid: 4711}, false},
		{0o044, account{uid: uid, groups: []uint32{gid}}, uid == 0},
	} {
		check.Must(t, os.Chmod(file, x.mode))
		info, err := os.Stat(file)
		check.Must(t, err)
		if got := x.who.has(info, mayRead); got != x.want {
			t.Errorf("%#o: %+v may read: %v", x.mode, x.who, got)
		}
	}
}

// TestSockets: snmpd's, those of forwarded logs, and the web server's, free or taken, with
// an agent and without. Nothing is sent to snmpd.
func TestSockets(t *testing.T) {
	dir := t.TempDir()
	me := Patient{}.account()
	path := filepath.Join(dir, "master")
	is(t, "no snmpd", snmpd(t.Context(), path, me), Failed, "no such file")
	master, err := net.Listen("unix", path)
	check.Must(t, err)
	t.Cleanup(func() { master.Close() })
	is(t, "snmpd", snmpd(t.Context(), path, me), OK, "it accepts connections")
	conn, err := master.Accept()
	check.Must(t, err)
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("snmpd was sent %d bytes", n)
	}
	check.Must(t, os.Chmod(path, 0o600))
	is(t, "not for the agent", snmpd(t.Context(), path, account{uid: 4711, name: "lunawatch"}), Failed, "user lunawatch may not")

	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	check.Must(t, err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	agent, without := Patient{InForce: new(config.InForce)}, Patient{Silent: os.ErrNotExist}
	other := Patient{InForce: &config.InForce{Sum: "another"}}
	for network, address := range map[string]string{"udp": udp.LocalAddr().String(), "tcp": tcp.Addr().String()} {
		is(t, network+" taken", without.bound(network, address), Failed, "another program has it")
		is(t, network+" the agent's", agent.bound(network, address), OK, "the agent runs with it")
		is(t, network+" of another configuration", other.bound(network, address), Warning, "another configuration")
	}
	web := tcp.Addr().String()
	without.Web, agent.Web = web, web
	is(t, "web taken", without.web(t.Context()), Failed, "address already in use")
	is(t, "web", agent.web(t.Context()), OK, "it accepts connections")
	udp.Close()
	tcp.Close()
	is(t, "free", without.bound("udp", udp.LocalAddr().String()), OK, "it can be bound")
	is(t, "lost", agent.bound("tcp", web), Failed, "nobody has it")
	is(t, "web free", without.web(t.Context()), OK, "it is free")
	is(t, "web away", agent.web(t.Context()), Warning, "connection refused")
	is(t, "another host's", without.bound("udp", "192.0.2.1:5514"), Failed, "cannot assign")
}

// TestLunaClient: LunaCM is asked once, and the configuration of the client and the HA log
// are looked at.
func TestLunaClient(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	program := sim.LunaCM(t)
	p := patient(t, t.TempDir(), "lunacm: {enabled: true, path: "+program+", kernel_log: \"\"}\n")
	is(t, "LunaCM", p.lunaCM(t.Context()), OK, "slot list is answered")
	p.Config.LunaCM.Path = "/nonexistent/lunacm"
	is(t, "no LunaCM", p.lunaCM(t.Context()), Failed, "no such file")

	dir, me := t.TempDir(), Patient{}.account()
	p.Config.HA.ClientConfig = filepath.Join(dir, "Chrystoki.conf")
	group := "VirtualToken = {\n   VirtualToken00Label = pay;\n   VirtualToken00SN = 1154438865297;\n   VirtualToken00Members = 154438865297,154438865298;\n}\n"
	log := "HAConfiguration = {\n   haLogStatus = enabled;\n   haLogPath = " + dir + ";\n}\n"
	is(t, "no client", p.haFiles(me), Failed, "no such file")
	for _, x := range []struct {
		name, text string
		state      State
		says       string
	}{
		{"no group", log, Warning, "it has no HA group"},
		{"no log", group, Warning, "no HA log"},
		{"the log is away", group + log, Failed, "HA log: "},
	} {
		check.Must(t, os.WriteFile(p.Config.HA.ClientConfig, []byte(x.text), 0o600))
		is(t, x.name, p.haFiles(me), x.state, x.says)
	}
	check.Must(t, os.WriteFile(filepath.Join(dir, "haErrorLog.txt"), nil, 0o600))
	is(t, "all", p.haFiles(me), OK, "it has 1 HA groups, and an HA log")
}

// TestAgentOnHost: what the agent knows of this host's sources is not tried again.
func TestAgentOnHost(t *testing.T) {
	p := patient(t, t.TempDir(), "lunacm: {enabled: true, path: /nonexistent/lunacm}\n")
	store := hsm.NewStore()
	store.Apply(hsm.Observation{Device: p.Config.Host.Name, Kind: hsm.HostMachine, Source: "slot list", At: p.Now.Add(-time.Minute), MaxAge: time.Hour})
	store.Apply(hsm.Observation{Device: p.Config.Host.Name, Kind: hsm.HostMachine, Source: kernelLogSource, At: p.Now, Failure: hsm.Command, Err: errors.New("not permitted"), MaxAge: time.Hour})
	inForce := p.Config.InForce()
	p.Snapshot, p.InForce, p.Silent = store.Latest(), &inForce, nil
	is(t, "LunaCM", p.lunaCM(t.Context()), OK, "it answered 1m0s ago, says the agent")
	is(t, "kernel log", p.kernelLog(p.account()), Failed, "not permitted, says the agent")
}

// TestProgress counts every try once, and up.
func TestProgress(t *testing.T) {
	var seen [][2]int
	found := patient(t, t.TempDir(), "lunacm: {enabled: true, path: /nonexistent/lunacm}\n").Examine(context.Background(), func(done, all int) { seen = append(seen, [2]int{done, all}) })
	if len(seen) != len(found) {
		t.Errorf("%d tries were counted, of %d", len(seen), len(found))
	}
	for i, s := range seen {
		if s != [2]int{i + 1, len(found)} {
			t.Errorf("%d of %d, and it was %d of %d", s[0], s[1], i+1, len(found))
		}
	}
}
