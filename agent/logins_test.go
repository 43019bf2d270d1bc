package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/capture"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestWrongPasswordOnce has an agent with a wrong password poll an appliance over
// LunaSH and REST, start again five times, and be captured: the appliance sees one
// login. An alarm says what to do. The right password needs no restart.
func TestWrongPasswordOnce(t *testing.T) {
	t.Parallel()
	sim := collectortest.StartEstate(t, "")
	appliance := sim.Appliance(t, "luna72")
	dir := t.TempDir()
	right, err := os.ReadFile(sim.PasswordFile)
	check.Must(t, err)
	password := filepath.Join(dir, "password")
	check.Must(t, os.WriteFile(password, []byte("a guess\n"), 0o600))
	c, err := config.Parse(fmt.Appendf(nil, `
state_directory: %[1]s/state
control_socket: %[1]s/control.sock
snmp: {enabled: false}
host: {enabled: false}
intervals: {fast: 1s}
alarms: {unreachable_after: 1}
hsms:
  - name: luna72
    address: %[2]q
    password_file: %[3]s
    known_hosts_file: %[4]s
    rest: {address: %[5]q, password_file: %[3]s, certificate: %[6]q}
`, dir, appliance.SSHAddress, password, sim.KnownHosts, appliance.RESTAddress, appliance.RESTFingerprint))
	check.Must(t, err)
	secure := filepath.Join(filepath.Dir(appliance.Syslog), "secure")
	failed := func() int {
		text, err := os.ReadFile(secure)
		check.Must(t, err)
		return strings.Count(string(text), "Failed password") + strings.Count(string(text), "webserver: failed login")
	}
	// run runs an agent until what it has read is as wanted.
	run := func(what string, as func(a *Agent, lunash, rest hsm.Source) bool) {
		t.Helper()
		a := New(c, freeWeb(), slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		for deadline := time.Now().Add(testTimeout); !as(a, a.sources("luna72")["hsm show"], a.sources("luna72")["rest hsm"]); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%s: %+v", what, a.sources("luna72"))
				break
			}
		}
		cancel()
		check.Must(t, <-ended)
	}
	for range 6 {
		run("refused", func(a *Agent, lunash, rest hsm.Source) bool {
			if lunash.Failures < 2 || rest.Failures < 2 || lunash.Failure != hsm.Login || rest.Failure != hsm.Login {
				return false
			}
			for _, alarm := range a.watch.Active() {
				if alarm.Group == "unreachable" && strings.Contains(alarm.Text, "no more tries until "+password+" changes") {
					return true
				}
			}
			return false
		})
	}
	captured := capture.New(t.Context(), c, nil, func(hsm.Observation) {})
	if len(captured.Failed) == 0 {
		t.Error("the capture does not say that the login was refused")
	}
	if n := failed(); n != 1 {
		t.Errorf("%d failed logins, want 1", n)
	}
	check.Must(t, os.WriteFile(password, right, 0o600))
	run("accepted", func(a *Agent, lunash, rest hsm.Source) bool {
		return !lunash.At.IsZero() && !rest.At.IsZero() && lunash.Failure == hsm.None && rest.Failure == hsm.None && len(a.watch.Active()) == 0
	})
	if n := failed(); n != 1 {
		t.Errorf("%d failed logins after it was corrected", n)
	}
}
