package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// An estate is a whole site in one test: simulated appliances, a private
// snmpd and snmptrapd, and an agent that watches and serves.
type estate struct {
	dir    string
	sim    *os.Process // the simulator
	ready  simulator.Ready
	snmpd  *netsnmp.Agent
	trapd  *netsnmp.Trapd
	agent  *Agent
	client *Client
	web    string
	log    *syncBuffer

	options []func(*estate, simulator.ReadyAppliance) string
}

var noc = netsnmp.User{Name: "noc", Auth: "authentic enough", Priv: "private enough"}

// testTimeout bounds a wait for a condition; no test's result depends on it.
const testTimeout = time.Minute

// A syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// take returns what was written since the last take.
func (b *syncBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	b.text = bytes.Buffer{}
	return text
}

// startEstate brings everything up; it ends with the test. more is appended to
// the agent's configuration, with $TRAPD for snmptrapd's address, and the
// options' to that of each HSM.
func startEstate(tb testing.TB, more string, options ...func(*estate, simulator.ReadyAppliance) string) *estate {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	dir, err := os.MkdirTemp("", "lw")
	if err != nil {
		tb.Fatal(err)
	}
	e := &estate{dir: dir, log: new(syncBuffer), options: options}
	ended := make(chan error, 2)
	running := 0
	tb.Cleanup(func() {
		cancel()
		for range running {
			if err := <-ended; err != nil {
				tb.Error(err)
			}
		}
		os.RemoveAll(dir)
		if tb.Failed() {
			tb.Logf("log of the agent:\n%s", e.log)
		}
	})
	for _, sub := range []string{"sim", "snmpd", "trapd"} {
		check.Must(tb, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	e.startSimulator(ctx, tb)
	e.trapd, err = netsnmp.StartTrapd(ctx, filepath.Join(dir, "trapd"), netsnmp.TrapdConfig{Users: []netsnmp.User{noc}, Output: "-On"})
	peer(tb, err)
	tb.Cleanup(e.trapd.Stop)
	e.snmpd, err = netsnmp.StartAgent(ctx, filepath.Join(dir, "snmpd"), netsnmp.Config{
		User: &noc, WriteCommunity: "secret", Lines: []string{"trap2sink " + e.trapd.Address + " public", "view everything included .1", "rouser noc priv -V everything *"},
	})
	peer(tb, err)
	tb.Cleanup(e.snmpd.Stop)
	check.Must(tb, os.WriteFile(filepath.Join(dir, "auth"), []byte(noc.Auth+"\n"), 0o600))
	check.Must(tb, os.WriteFile(filepath.Join(dir, "priv"), []byte(noc.Priv+"\n"), 0o600))
	check.Must(tb, os.WriteFile(filepath.Join(dir, "community"), []byte("public\n"), 0o600))
	e.startAgent(ctx, tb, strings.NewReplacer("$TRAPD", e.trapd.Address, "$DIR", dir).Replace(more), ended)
	running++
	return e
}

// startSimulator runs this test binary as the simulator, so that it can be
// stopped as a process.
func (e *estate) startSimulator(ctx context.Context, tb testing.TB) {
	tb.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), simulatorDir+"="+filepath.Join(e.dir, "sim"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check.Must(tb, err)
	check.Must(tb, cmd.Start())
	tb.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	check.Must(tb, json.NewDecoder(out).Decode(&e.ready))
	e.sim = cmd.Process
}

// monitorSecond has the simulators measure the utilization in 50 ms.
const monitorSecond = 10 * time.Millisecond

// simulatorDir makes the test binary the simulator, with its state there.
const simulatorDir = "LUNAWATCH_TEST_SIMULATOR"

// simulatorKeys is the directory of the RSA keys of all simulators.
const simulatorKeys = "LUNAWATCH_TEST_KEYS"

// withKeys runs tests with a directory for the keys, which it removes.
func withKeys(run func() int) int {
	dir, err := os.MkdirTemp("", "lw")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv(simulatorKeys, dir)
	return run()
}

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "lunacm" { // a link in the directory of a simulation
		if err := simulator.LunaCMOf(filepath.Dir(os.Args[0])).Run(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	if file := os.Getenv(agentConfig); file != "" {
		fmt.Fprintln(os.Stderr, runAlone(file))
		os.Exit(1)
	}
	dir := os.Getenv(simulatorDir)
	if dir == "" {
		flag.Set("test.parallel", strconv.Itoa(1+runtime.GOMAXPROCS(0))) // estates wait half of the time; -parallel on the command line counts
		// Else the race detector has each process sleep for a second at its
		// end.
		os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
		os.Exit(withKeys(m.Run))
	}
	sim, err := simulator.New(simulator.Config{ListenAddress: cmp.Or(os.Getenv(simulatorListen), "127.0.0.1:0"), StateDir: dir, Log: slog.New(slog.DiscardHandler), MonitorSecond: monitorSecond, RSAKeys: os.Getenv(simulatorKeys)})
	if err == nil {
		go func() { json.NewEncoder(os.Stdout).Encode(<-sim.Ready()) }()
		err = sim.Run(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (e *estate) startAgent(ctx context.Context, tb testing.TB, more string, ended chan<- error) {
	tb.Helper()
	c, err := config.Parse([]byte(e.config() + more))
	check.Must(tb, err)
	c.Alarms.NotifyInterval, c.Alarms.StormAlarms, c.Alarms.FlapCount = 0, 0, 0 // everything is notified, and at once
	e.run(ctx, tb, c, ended)
	e.until(tb, "every HSM is read, and snmpd serves it", func() bool {
		for _, d := range e.agent.store.Latest().HSMs() {
			if d.Monitor.IsZero() || d.Certificate.IsZero() {
				return false
			}
		}
		return strings.Contains(e.snmp(tb, "snmpwalk", "-On", subtreeHSM), "hsm3")
	})
}

// run starts the agent of a configuration.
func (e *estate) run(ctx context.Context, tb testing.TB, c config.Config, ended chan<- error) {
	tb.Helper()
	e.agent = New(c, freeWeb(), slog.New(slog.NewTextHandler(e.log, nil)))
	e.client = NewClient(c.ControlSocket)
	go func() { ended <- e.agent.Run(ctx) }()
	e.until(tb, "the web server listens", func() bool {
		m := listening.FindStringSubmatch(e.log.String())
		if m != nil {
			e.web = m[1]
		}
		return m != nil
	})
}

// listening is where the web server of the estate's first agent listens.
var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// freeWeb is a web server on any free port.
func freeWeb() Web {
	no, none := false, ""
	return Web{
		Flags:         &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebSystemdSocket: &no, WebConfigFile: &none},
		TelemetryPath: "/metrics",
	}
}

const (
	subtreeUTSP = "1.3.6.1.4.1.12383"
	subtreeHSM  = "1.3.6.1.4.1.23629"
)

// config returns that of an agent that polls each appliance every second.
func (e *estate) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {agentXSocket: %s}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\nhsms:\n", e.dir, e.dir, e.snmpd.Socket)
	for _, a := range e.ready.Appliances {
		fmt.Fprintf(&b, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s, logs: [%s]", a.Name, a.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts, a.Syslog)
		for _, option := range e.options {
			b.WriteString(option(e, a))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// snmp runs one of the snmp tools with the read community.
func (e *estate) snmp(tb testing.TB, tool string, args ...string) string {
	tb.Helper()
	options := append([]string{"-v2c", "-c", "public", "-M", "", "-m", ""}, pick(args, true)...)
	cmd := exec.Command(tool, append(append(options, e.snmpd.Address), pick(args, false)...)...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	return string(out)
}

// pick returns the arguments that are flags, or those that are not: the tools
// want the address between them.
func pick(args []string, flags bool) (picked []string) {
	for _, a := range args {
		if strings.HasPrefix(a, "-") == flags {
			picked = append(picked, a)
		}
	}
	return picked
}

// until waits for a condition.
func (e *estate) until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(testTimeout); !ok(); {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %s: %s", testTimeout, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *estate) inject(tb testing.TB, appliance, event string) {
	tb.Helper()
	words := strings.Fields(event)
	check.Must(tb, simulator.InjectInto(tb.Context(), filepath.Join(e.dir, "sim"), appliance, simulator.Event{Name: words[0], Args: words[1:]}))
}

// active reports whether an alarm of a group is active on a device.
func (e *estate) active(device, group string) bool {
	for _, a := range e.agent.watch.Active() {
		if a.Device == device && a.Group == group && !a.Test {
			return true
		}
	}
	return false
}

// peer skips a test whose real peer is missing, loudly; CI must have it.
func peer(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, netsnmp.ErrMissing) && os.Getenv("CI") != "true" {
		tb.Skipf("SKIPPED: %v: apt-get install snmpd snmp snmptrapd", err)
	}
	check.Must(tb, err)
}
