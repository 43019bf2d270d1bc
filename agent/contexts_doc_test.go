package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator/netsnmp"
)

// documented returns the indented block of docs/snmp.md behind a mark.
func documented(t *testing.T, mark string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/snmp.md")
	check.Must(t, err)
	_, rest, found := strings.Cut(string(text), "<!-- tried: "+mark+" -->\n")
	if !found {
		t.Fatalf("docs/snmp.md has no block %q", mark)
	}
	for line := range strings.Lines(rest) {
		code, indented := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		switch {
		case indented:
			lines = append(lines, code)
		case strings.TrimSpace(line) != "":
			return lines
		}
	}
	return lines
}

// TestContextsAsDocumented gives snmpd the lines of docs/snmp.md, and runs its commands:
// each shows the serial number of its HSM and of no other, and those that must show
// nothing do.
func TestContextsAsDocumented(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	views, err := os.ReadFile("../packaging/snmpd/lunawatch.conf")
	check.Must(t, err)
	var lines []string
	for line := range strings.Lines(string(views)) {
		if strings.HasPrefix(line, "view ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	lines = append(lines, documented(t, "contexts in snmpd.conf")...)
	e.snmpd.Stop()
	snmpd, err := netsnmp.StartAgent(t.Context(), filepath.Dir(e.snmpd.Socket), netsnmp.Config{Address: e.snmpd.Address, ReadCommunity: "other", Lines: lines})
	peer(t, err)
	t.Cleanup(snmpd.Stop)
	serials := make(map[string]string)
	for _, d := range e.agent.store.Latest().HSMs() {
		serials[d.Name] = d.Serial()
	}
	run := func(line string) string {
		out, _ := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "127.0.0.1", e.snmpd.Address, 1)).CombinedOutput()
		return string(out)
	}
	e.until(t, "snmpd serves the contexts", func() bool { return strings.Contains(run(documented(t, "contexts asked")[0]), serials["luna72"]) })
	for _, line := range documented(t, "contexts asked") {
		command, name, _ := strings.Cut(line, "# ")
		got := run(command)
		for hsm, serial := range serials {
			if strings.Contains(got, serial) != (hsm == name) {
				t.Errorf("%s\nshows the serial number of %s: %v\n%s", line, hsm, hsm != name, got)
			}
		}
	}
	for _, name := range []string{"luna54", "luna72"} {
		before := e.requests(name)
		got, err := strconv.ParseUint(strings.TrimSpace(run("snmpget -v2c -c ask-"+name+" -m '' -Oqv 127.0.0.1 1.3.6.1.4.1.12383.3.1.1.1.0")), 10, 32)
		check.Must(t, err)
		if after := e.requests(name); got < before || got > after {
			t.Errorf("%s: hsmOperationRequests is %d, and not from %d to %d", name, got, before, after)
		}
	}
}

// requests returns what an HSM has counted.
func (e *estate) requests(name string) uint64 {
	for _, d := range e.agent.store.Latest().HSMs() {
		if d.Name == name {
			return d.Information.Value.OperationRequests.Value
		}
	}
	return 0
}
