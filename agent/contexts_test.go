package agent

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// cells are what public Checkmk plugins read at once.
func cells() (oids []string) {
	for _, group := range []struct{ number, last string }{{"1", "1234"}, {"2", "123456"}} {
		for _, id := range group.last {
			oids = append(oids, ".1.3.6.1.4.1.12383.3.1."+group.number+"."+string(id)+".0")
		}
	}
	return oids
}

// TestContextOfEachHSM asks snmpd for the scalars: in the context of an HSM they are
// its own, and without one those of all, none of which is missing when an HSM is away.
func TestContextOfEachHSM(t *testing.T) {
	t.Parallel()
	e := startEstate(t, "")
	ask := func(context string, oids ...string) []string {
		args := append([]string{"-v3", "-l", "authPriv", "-u", noc.Name, "-a", "SHA-256", "-A", noc.Auth, "-x", "AES", "-X", noc.Priv,
			"-n", context, "-m", "", "-Oqvn", "-r", "1", "-t", "2", e.snmpd.Address}, oids...)
		out, _ := exec.CommandContext(t.Context(), "snmpget", args...).CombinedOutput()
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	whole := func(lines []string) bool {
		return len(lines) == len(cells()) && !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "No Such") || strings.HasPrefix(line, "Timeout") })
	}
	for _, name := range []string{"", "luna54", "luna62", "luna72"} {
		e.until(t, "all cells in context "+name, func() bool { return whole(ask(name, cells()...)) })
	}
	serial := func(name string) string {
		for _, d := range e.agent.store.Latest().HSMs() {
			if d.Name == name {
				return d.Serial()
			}
		}
		return ""
	}
	walk := func(context, object string) string {
		args := []string{"-v3", "-l", "authPriv", "-u", noc.Name, "-a", "SHA-256", "-A", noc.Auth, "-x", "AES", "-X", noc.Priv, "-n", context, "-m", "", "-Oqvn", "-t", "2", e.snmpd.Address, object}
		out, _ := exec.CommandContext(t.Context(), "snmpgetnext", args...).CombinedOutput()
		return strings.Trim(strings.TrimSpace(string(out)), `"`)
	}
	for _, name := range []string{"luna54", "luna62", "luna72"} {
		e.until(t, "the serial number of "+name+" in its context", func() bool {
			return serial(name) != "" && walk(name, ".1.3.6.1.4.1.23629.1.5.1.2.1.1") == serial(name)
		})
	}
	e.inject(t, "luna54", "gone")
	e.until(t, "luna54 is stale in its context", func() bool { return strings.Contains(ask("luna54", cells()[0])[0], "No Such") })
	if lines := ask("", cells()...); !whole(lines) {
		t.Errorf("with one of three away: %q", lines)
	}
	if lines := ask("luna72", cells()...); !whole(lines) {
		t.Errorf("luna72 alone: %q", lines)
	}
}
