package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestGoneBetweenPolls has appliances go and come back that are polled once an hour:
// each is noticed without a poll, and when it is back it is read at once. What is asked
// over the open session writes no line into the log of the appliance.
func TestGoneBetweenPolls(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check.Must(t, os.Mkdir(filepath.Join(dir, "sim"), 0o700))
	e := &estate{dir: dir, log: new(syncBuffer)}
	e.startSimulator(t.Context(), t)
	text := "snmp: {enabled: false}\nhost: {enabled: false}\nintervals: {fast: 1h, slow: 1h, hourly: 1h}\nreach: {every: 500ms, timeout: 1s, connect: 2s}\nhsms:\n"
	for _, a := range e.ready.Appliances {
		text += fmt.Sprintf("- {name: %s, address: %q, password_file: %s, known_hosts_file: %s}\n", a.Name, a.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts)
	}
	c, err := config.Parse([]byte("state_directory: " + dir + "/state\ncontrol_socket: " + dir + "/control\n" + text))
	check.Must(t, err)
	e.agent = e.runConfig(t, c)
	e.until(t, "all are read", func() bool {
		for _, d := range e.agent.store.Latest().HSMs() {
			if d.Certificate.IsZero() {
				return false
			}
		}
		return !e.agent.sources("luna72")["hsm tamper show"].Success.IsZero() && len(e.agent.watch.Active()) == 0 // the last of all
	})
	lines := func() (n int) {
		for _, a := range e.ready.Appliances {
			for _, file := range []string{filepath.Join(filepath.Dir(a.Syslog), "secure"), a.Lunalogs} {
				text, err := os.ReadFile(file)
				check.Must(t, err)
				n += strings.Count(string(text), "\n")
			}
		}
		return n
	}
	before := lines()
	gone := func(names ...string) func() bool {
		return func() bool {
			return !slices.ContainsFunc(names, func(name string) bool { return !e.active(name, "unreachable") })
		}
	}
	dead := func(name string, layer hsm.Layer) func() bool {
		return func() bool {
			return slices.ContainsFunc(e.agent.watch.Active(), func(a alarms.Active) bool {
				return a.Device == name && a.Group == "unreachable" && a.Layer == layer && strings.HasPrefix(a.Text, layer.Words()+": ")
			})
		}
	}
	read := func(name string) time.Time { return e.agent.sources(name)["hsm show"].Success }
	all := []string{"luna54", "luna62", "luna72"}
	check.Must(t, e.sim.Signal(syscall.SIGSTOP))
	e.until(t, "silence is noticed", gone(all...))
	e.until(t, "it accepts connections, and nothing more", dead("luna72", hsm.LayerHandshake))
	if n := lines(); n != before {
		t.Errorf("%d lines in the logs of the appliances", n-before)
	}
	last := read("luna72")
	check.Must(t, e.sim.Signal(syscall.SIGCONT))
	e.until(t, "they are read again", func() bool { return read("luna72").After(last) && len(e.agent.watch.Active()) == 0 })
	e.inject(t, "luna72", "gone")
	e.until(t, "a refused connection is noticed", gone("luna72"))
	e.until(t, "nothing listens", dead("luna72", hsm.LayerPortRefused))
	last = read("luna72")
	e.inject(t, "luna72", "heal")
	e.until(t, "it is read again", func() bool { return read("luna72").After(last) && !e.active("luna72", "unreachable") })
}
