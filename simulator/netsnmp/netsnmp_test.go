package netsnmp

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const engine = "8000b26e04746573742d31"

var user = User{Name: "watcher", Auth: "authentication", Priv: "privacy-phrase"}

// need fails in CI and skips elsewhere when a real peer is missing.
func need(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, ErrMissing) || errors.Is(err, exec.ErrNotFound) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		need(t, err)
	}
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestAgentAndTrapd(t *testing.T) {
	sender := user
	sender.EngineID = engine
	trapd, err := StartTrapd(t.Context(), t.TempDir(), TrapdConfig{Users: []User{user, sender}, Output: "-On"})
	need(t, err)
	defer trapd.Stop()
	agent, err := StartAgent(t.Context(), t.TempDir(), Config{
		User:     &user,
		EngineID: engine,
		Lines: []string{
			"trap2sink " + trapd.Address + " public",
			"trapsess -v 3 -u watcher -l authPriv -a SHA-256 -A authentication -x AES -X privacy-phrase " + trapd.Address,
		},
	})
	need(t, err)
	defer agent.Kill()

	v2 := []string{"-v2c", "-c", "public", "-m", "", "-On", agent.Address, ".1.3.6.1.2.1.1.6.0"}
	v3 := []string{"-v3", "-u", "watcher", "-l", "authPriv", "-a", "SHA-256", "-A", "authentication", "-x", "AES", "-X", "privacy-phrase",
		"-m", "", "-On", agent.Address, ".1.3.6.1.2.1.1.6.0"}
	for _, args := range [][]string{v2, v3} {
		if out := tool(t, "snmpget", args...); !strings.Contains(out, "private test agent") {
			t.Errorf("snmpget %q: %s", args, out)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	const coldStart = ".1.3.6.1.6.3.1.1.5.1"
	if _, err := trapd.WaitCount(ctx, coldStart, 2); err != nil { // one by v2c, one by v3
		t.Error(err)
	}
	agent.Kill()
	if err := agent.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "snmpget", v2...); !strings.Contains(out, "private test agent") {
		t.Errorf("after a restart: %s", out)
	}
}

func TestWaitEnds(t *testing.T) {
	trapd, err := StartTrapd(t.Context(), t.TempDir(), TrapdConfig{})
	need(t, err)
	trapd.Stop()
	if line, err := trapd.Wait(t.Context(), "anything"); err == nil {
		t.Errorf("got %q from an snmptrapd that has ended", line)
	}
}

func TestStartFails(t *testing.T) {
	_, err := StartAgent(t.Context(), t.TempDir(), Config{Address: "127.0.0.1:1161", Wrapper: []string{"false"}})
	if errors.Is(err, ErrMissing) {
		need(t, err)
	}
	if err == nil || !strings.Contains(err.Error(), "ended before it listened") {
		t.Errorf("got %v", err)
	}
}
