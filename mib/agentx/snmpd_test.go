package agentx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// These tests have Debian's snmpd as the master. Without it they are skipped, and in CI they fail.

const patience = 20 * time.Second

var root = agentx.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999}

func need(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, netsnmp.ErrMissing) || errors.Is(err, exec.ErrNotFound) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a real peer is required in CI: %v", err)
		}
		t.Skipf("NOT TESTED against a real peer: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// snmp runs one of the snmp tools with numeric output and returns its lines.
func snmp(ctx context.Context, tool, community, address string, args ...string) ([]string, error) {
	line := append([]string{"-v2c", "-c", community, "-m", "", "-On", "-r", "0", "-t", "10", address}, args...)
	out, err := exec.CommandContext(ctx, tool, line...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %q: %w: %s", tool, args, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"), err
}

// testRows has all types, a hole in each column, and the extremes of each type.
func testRows(n int) []mib.Row {
	columns := []func(uint32) agentx.Value{
		func(i uint32) agentx.Value { return agentx.Integer(-1<<31 + int32(i)) },
		func(i uint32) agentx.Value { return agentx.Text(fmt.Sprintf("partition %d", i)) },
		func(i uint32) agentx.Value { return agentx.Counter64(1<<64 - 1 - uint64(i)) },
		func(i uint32) agentx.Value { return agentx.Gauge32(1<<32 - 1 - i) },
		func(i uint32) agentx.Value { return agentx.TimeTicks(i * 8640001) },
		func(i uint32) agentx.Value { return agentx.ObjectIdentifier(root.Append(i)) },
		func(i uint32) agentx.Value { return agentx.IPAddress([4]byte{192, 0, 2, byte(i)}) },
		func(i uint32) agentx.Value { return agentx.Octets([]byte{0, 0xFE, byte(i)}) },
		func(uint32) agentx.Value { return agentx.Text("") },
		func(i uint32) agentx.Value { return agentx.Counter32(i) },
	}
	var rows []mib.Row
	for c, value := range columns {
		for i := range uint32(n) {
			if int(i)%11 != c {
				rows = append(rows, mib.Row{OID: root.Append(1, 1, uint32(c+1), i+1), Value: value(i)})
			}
		}
	}
	return rows
}

// A rig is a private snmpd, a Session under it, and what both must serve.
type rig struct {
	t       *testing.T
	agent   *netsnmp.Agent
	session *agentx.Session
	want    []string
}

func newRig(t *testing.T, c netsnmp.Config, rows []mib.Row) *rig {
	t.Helper()
	_, err := exec.LookPath("snmpwalk")
	need(t, err)
	agent, err := netsnmp.StartAgent(context.Background(), t.TempDir(), c)
	need(t, err)
	t.Cleanup(func() { agent.Kill() })
	view, err := mib.NewView(rows)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, agent: agent}
	for oid, value := range view.All() {
		r.want = append(r.want, fmt.Sprintf(".%v = %s", oid, strings.TrimSuffix(value.String(), " ")))
	}
	r.session = agentx.New(agentx.Config{
		Socket:        agent.Socket,
		Registrations: []agentx.Registration{{Subtree: root}},
		Description:   "lunawatch",
		Caps:          []agentx.Capability{{ID: root.Append(9), Description: "test capability"}},
		PingInterval:  time.Second,
		Current:       func() agentx.Handler { return view },
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.session.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r.served(patience)
	return r
}

// served waits until the subtree is served, and returns how long that took.
func (r *rig) served(limit time.Duration) time.Duration {
	r.t.Helper()
	begun := time.Now()
	for {
		if _, err := r.firstLine(); err == nil {
			return time.Since(begun)
		} else if time.Since(begun) > limit {
			r.t.Fatalf("not served within %v: %v; %+v", limit, err, r.session.Stats())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// firstLine asks for the first instance.
func (r *rig) firstLine() (string, error) {
	lines, err := snmp(r.t.Context(), "snmpgetnext", "public", r.agent.Address, root.String())
	if err == nil && lines[0] != r.want[0] {
		err = fmt.Errorf("got %q, want %q", lines[0], r.want[0])
	}
	return lines[0], err
}

func (r *rig) walk(tool string, args ...string) error {
	got, err := snmp(r.t.Context(), tool, "public", r.agent.Address, append(args, root.String())...)
	if err != nil {
		return err
	}
	for i := range got {
		got[i] = strings.TrimSuffix(got[i], " ")
	}
	if diff := cmp.Diff(r.want, got); diff != "" {
		return fmt.Errorf("%s %q (-view +snmpd):\n%s", tool, args, diff)
	}
	return nil
}

func TestWalk(t *testing.T) {
	r := newRig(t, netsnmp.Config{}, testRows(100))
	for _, walk := range [][]string{{"snmpwalk"}, {"snmpbulkwalk", "-Cr1"}, {"snmpbulkwalk", "-Cr10"}, {"snmpbulkwalk", "-Cr50"}} {
		if err := r.walk(walk[0], walk[1:]...); err != nil {
			t.Error(err)
		}
	}
	hole, never := root.Append(1, 1, 1, 1), root.Append(2, 0)
	lines, err := snmp(t.Context(), "snmpget", "public", r.agent.Address, hole.String(), never.String(), root.Append(1, 1, 2, 1).String())
	if err != nil || !strings.Contains(lines[0], "No Such Instance") || !strings.Contains(lines[1], "No Such Instance") || lines[2] != r.want[90] {
		t.Errorf("get of two holes and an instance: %q, %v", lines, err)
	}
	lines, err = snmp(t.Context(), "snmpwalk", "public", r.agent.Address, "1.3.6.1.2.1.1.9")
	if err != nil || !strings.Contains(strings.Join(lines, "\n"), "test capability") {
		t.Errorf("capability is not in sysORTable: %q, %v", lines, err)
	}
}

// TestLongestOID walks instances whose OIDs are as long as SNMP has them.
func TestLongestOID(t *testing.T) {
	var rows []mib.Row
	for _, n := range []uint32{100, 126, 127, agentx.MaxSubIDs} {
		oid := root.Append(1, 1, 1, n)
		for len(oid) < int(n) {
			oid = oid.Append('x')
		}
		rows = append(rows, mib.Row{OID: oid, Value: agentx.Gauge32(n)}, mib.Row{OID: root.Append(1, 1, 2, n), Value: agentx.Gauge32(n)})
	}
	r := newRig(t, netsnmp.Config{}, rows)
	for _, tool := range []string{"snmpwalk", "snmpbulkwalk"} {
		if err := r.walk(tool); err != nil {
			t.Error(err)
		}
	}
}

// TestContexts: snmpd passes requests for a context on, each is answered from the view
// of that context, and the default context stays what it is.
func TestContexts(t *testing.T) {
	user := netsnmp.User{Name: "noc", Auth: "authpassphrase", Priv: "privpassphrase"}
	agent, err := netsnmp.StartAgent(context.Background(), t.TempDir(), netsnmp.Config{User: &user, Lines: []string{
		"view everything included .1", "rouser noc priv -V everything *",
	}})
	need(t, err)
	t.Cleanup(func() { agent.Kill() })
	views := make(map[string]*mib.View)
	for i, name := range []string{"", "hsm1", "hsm2"} {
		views[name], err = mib.NewView([]mib.Row{{OID: root.Append(1, 0), Value: agentx.Gauge32(uint32(i))}})
		need(t, err)
	}
	session := agentx.New(agentx.Config{
		Socket:        agent.Socket,
		Registrations: []agentx.Registration{{Subtree: root}, {Subtree: root, Context: "hsm1"}, {Subtree: root, Context: "hsm2"}},
		Current:       func() agentx.Handler { return views[""] },
		InContext:     func(name string) agentx.Handler { return views[name] },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- session.Run(ctx) }()
	ask := func(tool, context string) string {
		out, _ := exec.CommandContext(t.Context(), tool, "-v3", "-l", "authPriv", "-u", "noc", "-a", "SHA-256", "-A", user.Auth, "-x", "AES", "-X", user.Priv,
			"-n", context, "-m", "", "-On", "-r", "0", "-t", "2", agent.Address, root.String()).CombinedOutput()
		first, _, _ := strings.Cut(string(out), "\n") // behind it: no more variables
		return first
	}
	want := func(i int) string { return fmt.Sprintf(".%v = Gauge32: %d", root.Append(1, 0), i) }
	for deadline := time.Now().Add(patience); ask("snmpwalk", "hsm2") != want(2); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %q; %+v", ask("snmpwalk", "hsm2"), session.Stats())
		}
	}
	for i, name := range []string{"", "hsm1", "hsm2"} {
		for _, tool := range []string{"snmpwalk", "snmpbulkwalk", "snmpgetnext"} {
			if got := ask(tool, name); got != want(i) {
				t.Errorf("%s in %q: %q, want %q", tool, name, got, want(i))
			}
		}
	}
	if got := ask("snmpwalk", "hsm3"); strings.Contains(got, "Gauge32") {
		t.Errorf("in a context that is not registered: %q", got)
	}
	cancel()
	need(t, <-ended)
	if got := ask("snmpwalk", "hsm1"); strings.Contains(got, "Gauge32") {
		t.Errorf("after the session: %q", got)
	}
}

// TestManyInOne: one request of many columns, which snmpd passes on as one PDU, and one of 100 OIDs.
func TestManyInOne(t *testing.T) {
	r := newRig(t, netsnmp.Config{}, testRows(100))
	var columns, many []string
	for c := range uint32(10) {
		columns = append(columns, root.Append(1, 1, c+1).String())
	}
	for i := range uint32(100) {
		many = append(many, root.Append(1, 1, 2, i).String())
	}
	for _, oids := range [][]string{columns, many} {
		lines, err := snmp(t.Context(), "snmpgetnext", "public", r.agent.Address, oids...)
		if err != nil || len(lines) != len(oids) {
			t.Errorf("%d lines for %d OIDs: %v", len(lines), len(oids), err)
		}
	}
	if _, err := snmp(t.Context(), "snmpbulkget", "public", r.agent.Address, append([]string{"-Cn0", "-Cr5"}, columns...)...); err != nil {
		t.Error(err)
	}
}

func TestConcurrentWalkers(t *testing.T) {
	r := newRig(t, netsnmp.Config{}, testRows(50))
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			tool := []string{"snmpwalk", "snmpbulkwalk"}[i%2]
			if err := r.walk(tool); err != nil {
				t.Errorf("walker %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if st := r.session.Stats(); st.Opens != 1 {
		t.Errorf("%d sessions were needed", st.Opens)
	}
}

func TestSetRefused(t *testing.T) {
	r := newRig(t, netsnmp.Config{WriteCommunity: "secret"}, testRows(20))
	writable := root.Append(1, 1, 1, 2).String()
	for _, args := range [][]string{
		{writable, "i", "5"},
		{root.Append(7).String(), "s", "new"},
		{"1.3.6.1.2.1.1.6.0", "s", "moved", writable, "i", "5"},
	} {
		lines, err := snmp(t.Context(), "snmpset", "secret", r.agent.Address, args...)
		if err == nil || !strings.Contains(strings.Join(lines, "\n"), "notWritable") {
			t.Errorf("snmpset %q: %q, %v", args, lines, err)
		}
	}
	if err := r.walk("snmpwalk"); err != nil {
		t.Error(err)
	}
	if st := r.session.Stats(); st.Requests[agentx.PDUTestSet] == 0 || st.Opens != 1 {
		t.Errorf("stats: %+v", st)
	}
}

// TestMasterRestarts kills snmpd twenty times while it is walked, and requires service a second after it listens again.
func TestMasterRestarts(t *testing.T) {
	r := newRig(t, netsnmp.Config{}, testRows(50))
	ctx, stop := context.WithCancel(t.Context())
	var walker sync.WaitGroup
	walker.Go(func() {
		for ctx.Err() == nil {
			snmp(ctx, "snmpwalk", "public", r.agent.Address, root.String()) // fails while snmpd is away
		}
	})
	defer walker.Wait()
	defer stop()
	var worst time.Duration
	for range 20 {
		r.agent.Kill()
		if err := r.agent.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, r.served(time.Second))
	}
	t.Logf("served again after at most %v", worst)
	stop()
	walker.Wait()
	if err := r.walk("snmpwalk"); err != nil {
		t.Error(err)
	}
}

// TestMasterReloads has snmpd read its configuration again, as systemctl reload does.
func TestMasterReloads(t *testing.T) {
	r := newRig(t, netsnmp.Config{}, testRows(20))
	for n := range 5 {
		if err := syscall.Kill(r.agent.PID(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); r.reloads() <= n; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("snmpd has reloaded %d times, not %d", r.reloads(), n+1)
			}
		}
		r.served(time.Second)
		if err := r.walk("snmpwalk"); err != nil {
			t.Error(err)
		}
	}
}

// reloads counts what snmpd has logged.
func (r *rig) reloads() int {
	log, err := os.ReadFile(r.agent.LogPath)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Count(string(log), "Reconfiguring daemon")
}

// TestNotifyThroughMaster has snmpd send one notification to a v2c trap sink, a v2c inform sink and a v3 session.
func TestNotifyThroughMaster(t *testing.T) {
	const engine = "8000b26e04746573742d32"
	user := netsnmp.User{Name: "watcher", Auth: "authentication", Priv: "privacy-phrase"}
	sender := user
	sender.EngineID = engine
	trapd, err := netsnmp.StartTrapd(context.Background(), t.TempDir(), netsnmp.TrapdConfig{Users: []netsnmp.User{sender}, Output: "-On"})
	need(t, err)
	t.Cleanup(trapd.Stop)
	r := newRig(t, netsnmp.Config{User: &user, EngineID: engine, Lines: []string{
		"trap2sink " + trapd.Address + " public",
		"informsink " + trapd.Address + " public",
		"trapsess -v 3 -u watcher -l authPriv -a SHA-256 -A authentication -x AES -X privacy-phrase " + trapd.Address,
	}}, testRows(20))
	err = r.session.Notify(t.Context(), []agentx.Varbind{
		{OID: agentx.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}, Value: agentx.ObjectIdentifier(root.Append(0, 1))},
		{OID: root.Append(3, 0), Value: agentx.Text("front fan stopped")},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := trapd.WaitCount(ctx, "front fan stopped", 3); err != nil {
		t.Errorf("%v; got %q", err, trapd.Lines())
	}
}

// TestMasterLate: the session may start before snmpd, while the socket does not exist.
func TestMasterLate(t *testing.T) {
	dir := t.TempDir()
	view, err := mib.NewView(testRows(20))
	if err != nil {
		t.Fatal(err)
	}
	s := agentx.New(agentx.Config{
		Socket:        dir + "/agentx",
		Registrations: []agentx.Registration{{Subtree: root}},
		Current:       func() agentx.Handler { return view },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	for s.Stats().Dials < 3 {
		time.Sleep(time.Millisecond)
	}
	agent, err := netsnmp.StartAgent(context.Background(), dir, netsnmp.Config{})
	if err == nil {
		defer agent.Kill()
		for begun := time.Now(); len(s.Stats().Registered) == 0; time.Sleep(time.Millisecond) {
			if time.Since(begun) > time.Second {
				t.Error("not registered within a second")
				break
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	need(t, err)
}
