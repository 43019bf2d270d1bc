package managers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// subtrees are what managers read.
func subtrees() []string {
	const entity = ".1.3.6.1.2.1.47.1.1.1.1."
	return []string{".1.3.6.1.2.1.1.2", entity + "2", entity + "5", entity + "7", oid("entPhySensorTable"), strings.TrimSuffix(oid("lunaAgentVersion"), ".1"), oid("lunaHsmTable"), oid("lunaSensorTable")}
}

// TestRecorded holds the walks in testdata to a real snmpd with the agent, which watches
// three simulated appliances: first all three, then one, until what was measured of the
// others is too old. The same instances have values of the same type; limits, states and
// names are equal. It takes two minutes.
func TestRecorded(t *testing.T) {
	if os.Getenv("LUNAWATCH_MANAGERS_TEST") == "" {
		t.Skip("SKIPPED: it takes two minutes; LUNAWATCH_MANAGERS_TEST=1 runs it")
	}
	dir, err := os.MkdirTemp("", "lw") // the path of a socket is short
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../../cmd/lunawatch", "../../cmd/lunasim")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, sub := range []string{"sim", "snmpd"} {
		check.Must(t, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	snmpd, err := netsnmp.StartAgent(t.Context(), filepath.Join(dir, "snmpd"), netsnmp.Config{ReadCommunity: "public", Lines: communities(t)})
	alarmstest.Peer(t, err)
	t.Cleanup(snmpd.Stop)
	var ready simulator.Ready
	check.Must(t, json.Unmarshal([]byte(start(t, dir, "lunasim", "-state-dir", filepath.Join(dir, "sim"))), &ready))
	var conf strings.Builder
	fmt.Fprintf(&conf, "state_directory: %s/state\ncontrol_socket: %s/control\nsnmp: {agentXSocket: %s}\nintervals: {fast: 1s, slow: 2s, hourly: 3s}\nhsms:\n", dir, dir, snmpd.Socket)
	for _, a := range ready.Appliances {
		fmt.Fprintf(&conf, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s}\n", a.Name, a.SSHAddress, ready.PasswordFile, ready.KnownHosts)
	}
	check.Must(t, os.WriteFile(filepath.Join(dir, "lunawatch.yaml"), []byte(conf.String()), 0o600))
	start(t, dir, "lunawatch", "agent", "-config.file", filepath.Join(dir, "lunawatch.yaml"), "-web.listen-address", "127.0.0.1:0")
	equal(t, "estate.walk", snmpd.Address)
	for community, want := range map[string]bool{"hsm-secret": true, "host-secret": false} {
		shows := make(map[string]string)
		for _, object := range []string{".1.3.6.1.2.1.1.2.0", oid("lunaAgentVersion") + ".0", ".1.3.6.1.2.1.25.1.1.0"} {
			out, err := exec.CommandContext(t.Context(), "snmpget", "-v2c", "-c", community, "-On", snmpd.Address, object).Output()
			if _, value, found := strings.Cut(strings.TrimSpace(string(out)), ": "); err == nil && found && !strings.Contains(string(out), "No Such") {
				shows[object] = value
			}
		}
		if len(shows) < 2 || detected(t, shows) != want {
			t.Errorf("community %s shows %v: LibreNMS takes it for HSMs: %t", community, shows, !want)
		}
	}
	for _, a := range []string{"luna54", "luna62"} {
		out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "lunasim"), "inject", "-state-dir", filepath.Join(dir, "sim"), "-appliance", a, "gone").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	equal(t, "away.walk", snmpd.Address)
}

// communities are the lines for snmpd.conf of contrib/README.md, with the view of the
// package's drop-in.
func communities(t *testing.T) (lines []string) {
	t.Helper()
	dropIn, err := os.ReadFile("../../packaging/snmpd/lunawatch.conf")
	check.Must(t, err)
	readme, err := os.ReadFile("../README.md")
	check.Must(t, err)
	_, block, found := strings.Cut(string(readme), "rocommunity hsm-secret")
	block, _, _ = strings.Cut(block, "\n\n")
	if !found {
		t.Fatal("contrib/README.md has no line of hsm-secret")
	}
	for line := range strings.Lines(string(dropIn) + "rocommunity hsm-secret" + block) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "view ") || strings.HasPrefix(line, "rocommunity ") {
			lines = append(lines, strings.Replace(line, "192.0.2.0/24", "127.0.0.1", 1))
		}
	}
	return lines
}

// start runs a program until the test ends, and returns its first line on standard output
// if it is the simulator.
func start(t *testing.T, dir, name string, args ...string) (line string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, name), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	log, err := os.Create(filepath.Join(dir, name+".log"))
	check.Must(t, err)
	cmd.Stderr = log
	if name == "lunasim" {
		pipe, err := cmd.StdoutPipe()
		check.Must(t, err)
		check.Must(t, cmd.Start())
		line, err = bufio.NewReader(pipe).ReadString('\n')
		check.Must(t, err)
	} else {
		check.Must(t, cmd.Start())
	}
	t.Cleanup(func() {
		cmd.Wait()
		log.Close()
	})
	return line
}

// equal waits until snmpd shows what was recorded.
func equal(t *testing.T, name, address string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	check.Must(t, err)
	want, diff := compared(string(text)), ""
	for deadline := time.Now().Add(4 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Second) {
		var got strings.Builder
		for _, tree := range subtrees() {
			out, err := exec.CommandContext(context.Background(), "snmpbulkwalk", "-v2c", "-c", "public", "-t", "5", "-OnUeb", address, tree).Output()
			if err == nil {
				got.Write(out)
			}
		}
		if diff = cmp.Diff(want, compared(got.String())); diff == "" {
			return
		}
	}
	t.Errorf("%s (-recorded +served)\n%s", name, diff)
}

var (
	measured = regexp.MustCompile(`(INTEGER|Gauge32|Counter64|Timeticks): .*|Hex-STRING: .*`)
	limited  = regexp.MustCompile(`\.5862\.1\.(5\.1\.(4|7|17|18|20|21|35)|8\.1\.(6|7|8|9|11))\.`)
)

// compared returns lines of a walk without what changes: of columns that are no limits
// and no states, the type of a number.
func compared(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, _, _ := strings.Cut(line, " = ")
		if strings.HasPrefix(key, ".1.3.6.1.2.1.47.") || strings.HasPrefix(key, ".1.3.6.1.2.1.99.") {
			column := key[:strings.LastIndex(key, ".")+1] // numbers of parts follow from the order of the first answers
			line, key = column+strings.TrimPrefix(line, key), column
		}
		switch {
		case strings.Contains(line, "No Such"), strings.Contains(key, ".2.1.99.1.1.1.7."): // a time
		case strings.Contains(key, ".5862.1.5.1.5."), strings.Contains(key, ".5862.1.1.1."), strings.Contains(key, ".5862.1.5.1.50."): // reason with a port, version, what is stale
		case strings.Contains(key, ".5862.1.5.1.34."):
		case limited.MatchString(key + "."), strings.Contains(key, ".2.1.47."), strings.Contains(key, ".2.1.1.2"):
			lines = append(lines, line)
		default:
			lines = append(lines, measured.ReplaceAllString(line, "$1"))
		}
	}
	slices.Sort(lines)
	return lines
}
