package agent

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// TestUnprovenPages: the clients of a simulated appliance stop, and a pager has the alarm of
// the whole agent; they work again, and it has the clear. What the hours of expect.busy
// change is held in a bubble of its own time, in the simulator's TestUnproven.
func TestUnprovenPages(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &estate{dir: dir, log: new(syncBuffer)}
	check.Must(t, os.Mkdir(filepath.Join(dir, "sim"), 0o700))
	e.startSimulator(t.Context(), t)
	pager := new(hook)
	server := httptest.NewServer(pager)
	t.Cleanup(server.Close)
	i := slices.IndexFunc(e.ready.Appliances, func(a simulator.ReadyAppliance) bool { return a.Name == "luna72" }) // states the requests of clients
	appliance := e.ready.Appliances[i]
	c, err := config.Parse(fmt.Appendf(nil, `
state_directory: %[1]s/state
control_socket: %[1]s/control
snmp: {enabled: false}
host: {enabled: false}
intervals: {fast: 1s, slow: 2s, hourly: 3s}
alarms: {notify_interval: 0s, storm_alarms: 0, flap_count: 0}
receivers: [{name: pager, webhook: {url: %[2]q}}]
hsms:
- {name: %[3]s, address: %[4]q, password_file: %[5]s, known_hosts_file: %[6]s, expect: {unproven_after: 1m}}
`, dir, server.URL, appliance.Name, appliance.SSHAddress, e.ready.PasswordFile, e.ready.KnownHosts))
	check.Must(t, err)
	c.HSMs[0].Expect.UnprovenAfter = 5 * time.Second // less than a file may say, so that nobody waits
	e.inject(t, appliance.Name, "load 40")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	e.run(ctx, t, c, ended)
	t.Cleanup(func() {
		cancel()
		check.Must(t, <-ended)
		if t.Failed() {
			t.Logf("log of the agent:\n%s", e.log)
		}
	})
	e.until(t, "the HSM is known to work", func() bool { return !e.agent.store.Latest().Device(appliance.Name).Proven.IsZero() })
	e.inject(t, appliance.Name, "load 0")
	e.until(t, "the alarm is active, and the pager has it", func() bool {
		return e.active(appliance.Name, "function-unproven") && len(pager.took("function-unproven")) > 0
	})
	e.inject(t, appliance.Name, "load 40")
	e.until(t, "the pager has the clear", func() bool {
		ids := pager.took("function-unproven")
		return !e.active(appliance.Name, "function-unproven") && len(ids)%2 == 0
	})
	for i, id := range pager.took("function-unproven") {
		number := 0
		kind, severity := "", ""
		if _, err := fmt.Sscanf(id, appliance.Name+"/function-unproven %d %s %s", &number, &kind, &severity); err != nil || severity != "warning" || kind != []string{"raised", "cleared"}[i%2] {
			t.Errorf("notification %d is %q", i, id)
		}
	}
}
