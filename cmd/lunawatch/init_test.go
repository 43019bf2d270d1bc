package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// testTimeout bounds a wait for a condition; no test's result depends on it.
const testTimeout = time.Minute

// TestInit writes a configuration of simulated appliances, old and new, with what it is
// given for scripts: it passes check-config, and an agent that is started with it reads
// the HSMs. Nobody has logged in before that agent.
func TestInit(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "scenario.yaml")
	check.Must(t, os.WriteFile(scenario, []byte("appliances:\n- {name: old, model: \"5.4\", old_ssh: true}\n- {name: new, model: \"7.2\"}\n"), 0o600))
	sim := collectortest.StartEstate(t, scenario)
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	file, socket := filepath.Join(dir, "lunawatch.yaml"), filepath.Join(dir, "control.sock")
	args := []string{"init", "-out", file, "-password-file", sim.PasswordFile, "-state-directory", dir}
	for _, a := range sim.Appliances {
		args = append(args, "-hsm", a.Name+"="+a.SSHAddress, "-yes-fingerprint", a.Fingerprint)
	}
	var out, errs strings.Builder
	if code := run(t.Context(), args, stdio{strings.NewReader(""), &out, &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	counts, err := simulator.CountsOf(t.Context(), filepath.Dir(sim.ControlSocket))
	check.Must(t, err)
	if counts.Logins != 0 || counts.Commands != 0 {
		t.Errorf("init logged in: %+v", counts)
	}
	for _, want := range []string{
		"user enable -username monitor", "syslog remotehost add -host 127.0.0.1", sim.Appliances[0].Fingerprint, "MD5:", "master agentx",
		"lunawatch doctor -config.file " + file + "\n    systemctl enable --now lunawatch\n    lunawatch alarms test\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not print %s:\n%s", want, &out)
		}
	}
	c, _, err := config.Check(file)
	check.Must(t, err)
	info, err := os.Stat(file)
	check.Must(t, err)
	if len(c.HSMs) != 2 || info.Mode() != 0o640 || len(c.Warnings()) > 0 {
		t.Errorf("%d HSMs, mode %s, warnings %q", len(c.HSMs), info.Mode(), c.Warnings())
	}

	c.SNMP.Enabled, c.Host.Enabled, c.Syslog.UDP = false, false, ""
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	no, none := false, ""
	a := agent.New(c, agent.Web{Flags: &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebSystemdSocket: &no, WebConfigFile: &none}, TelemetryPath: "/metrics"}, slog.New(slog.DiscardHandler))
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		check.Must(t, <-ended)
	})
	read := func() (n int) {
		snap, err := agent.NewClient(socket).Snapshot(ctx)
		if err != nil {
			return 0
		}
		for _, d := range snap.HSMs() {
			if d.Show.Fresh(time.Now()) {
				n++
			}
		}
		return n
	}
	for end := time.Now().Add(testTimeout); read() < 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the agent reads %d HSMs of\n%s", read(), mustRead(t, file))
		}
	}

	// The doctor asks the agent, which has a session with each.
	counts, err = simulator.CountsOf(t.Context(), filepath.Dir(sim.ControlSocket))
	check.Must(t, err)
	before := counts.Logins
	out.Reset()
	run(t.Context(), []string{"doctor", "-config.file", file}, stdio{strings.NewReader(""), &out, &errs})
	counts, err = simulator.CountsOf(t.Context(), filepath.Dir(sim.ControlSocket))
	check.Must(t, err)
	if n := strings.Count(out.String(), "says the agent"); n != 2 || before != 2 || counts.Logins != before {
		t.Errorf("%d logins before the doctor, %d after, and %d ways as the agent says:\n%s", before, counts.Logins, n, &out)
	}
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	check.Must(t, err)
	return string(text)
}

// TestInitRefuses: whatever is not as it must be, nothing is written.
func TestInitRefuses(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	other := sim.Appliance(t, "luna62").Fingerprint
	named := []string{"-hsm", "a=" + a.SSHAddress}
	_, port, _ := strings.Cut(a.RESTAddress, ":")
	for _, x := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"nobody confirms", named, exitError, "was not confirmed; nothing was written"},
		{"another fingerprint", append(named, "-yes-fingerprint", other), exitError, "is " + a.Fingerprint + ", and not as given"},
		{"no certificate", append(named, "-yes-fingerprint", a.Fingerprint, "-rest", "-rest-port", port), exitError, "certificate of the REST API at " + a.RESTAddress + " is SHA256:"},
		{"no password", append(named, "-yes-fingerprint", a.Fingerprint, "-password-file", "/nonexistent/password"), exitError, "/nonexistent/password does not exist"},
		{"nobody listens", []string{"-hsm", "a=127.0.0.1:1"}, exitError, "connection refused"},
		{"no address", []string{"-hsm", "a"}, exitUsage, `"a" is not NAME=ADDRESS`},
		{"a name that cannot be", []string{"-hsm", "a b=" + a.SSHAddress, "-yes-fingerprint", a.Fingerprint}, exitError, `"a b" is not a name`},
		{"twice", append(named, "-yes-fingerprint", a.Fingerprint, "-hsm", "a=192.0.2.1"), exitUsage, "named twice"},
	} {
		dir := t.TempDir()
		args := append([]string{"init", "-out", filepath.Join(dir, "out.yaml"), "-password-file", sim.PasswordFile, "-state-directory", dir}, x.args...)
		var errs strings.Builder
		if code := run(t.Context(), args, stdio{strings.NewReader("yes\n"), discard{}, &errs}); code != x.code || !strings.Contains(errs.String(), x.says) {
			t.Errorf("%s: exit code %d: %swant %d: %s", x.name, code, &errs, x.code, x.says)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: it leaves %v, %v", x.name, left, err)
		}
	}
	file := filepath.Join(t.TempDir(), "there.yaml")
	check.Must(t, os.WriteFile(file, []byte("mine"), 0o600))
	var errs strings.Builder
	args := append([]string{"init", "-out", file, "-password-file", sim.PasswordFile, "-yes-fingerprint", a.Fingerprint}, named...)
	if code := run(t.Context(), args, stdio{strings.NewReader(""), discard{}, &errs}); code != exitError || !strings.Contains(errs.String(), "is not overwritten") || mustRead(t, file) != "mine" {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}

// A terminal of which the test has the other end.
type terminal struct {
	keys  *os.File
	slave *os.File

	mu   sync.Mutex
	said strings.Builder
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("SKIPPED: no terminals here: %v", err)
	}
	check.Must(t, unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	check.Must(t, err)
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	check.Must(t, err)
	t.Cleanup(func() { keys.Close(); slave.Close() })
	return &terminal{keys: keys, slave: slave}
}

// Write implements [io.Writer]: what a command prints.
func (s *terminal) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(b)
}

func (s *terminal) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// says waits until a command has printed a text.
func (s *terminal) says(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !strings.Contains(s.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not say %q:\n%s", text, s)
		}
	}
}

// TestInitWaitsForPassword: the account is made by what init prints, so its password may
// come later, and no fingerprint is asked for again.
func TestInitWaitsForPassword(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	tty, dir := openTerminal(t), t.TempDir()
	file, password := filepath.Join(dir, "out.yaml"), filepath.Join(dir, "password")
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"init", "-hsm", "a=" + a.SSHAddress, "-yes-fingerprint", a.Fingerprint, "-out", file, "-password-file", password, "-state-directory", dir}, stdio{tty.slave, tty, tty})
	}()
	tty.says(t, "user enable -username monitor")
	tty.says(t, "then press Enter: ")
	for _, text := range []string{"", "the right one\n"} {
		check.Must(t, os.WriteFile(password, []byte(text), 0o600))
		_, err := io.WriteString(tty.keys, "\n")
		check.Must(t, err)
		if text == "" {
			tty.says(t, "is empty")
		}
	}
	if code := <-ended; code != exitOK {
		t.Errorf("exit code %d:\n%s", code, tty)
	}
	if strings.Contains(tty.String()+mustRead(t, file), "the right one") {
		t.Error("the password is printed")
	}
}

// TestInitAtTerminal: names are asked for, and each fingerprint; a no, or an interrupt at
// the question, writes nothing.
func TestInitAtTerminal(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	for _, x := range []struct {
		answer  string // "": an interrupt
		code    int
		written bool
	}{{"yes", exitOK, true}, {"no", exitError, false}, {"y", exitError, false}, {"", exitError, false}} {
		tty := openTerminal(t)
		file := filepath.Join(t.TempDir(), "out.yaml")
		ctx, interrupt := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, []string{"init", "-out", file, "-password-file", sim.PasswordFile, "-state-directory", filepath.Dir(file)}, stdio{tty.slave, tty, tty})
		}()
		_, err := io.WriteString(tty.keys, "a="+a.SSHAddress+"\n\n")
		check.Must(t, err)
		tty.says(t, "Do they agree?")
		if x.answer == "" {
			interrupt()
		} else {
			_, err = io.WriteString(tty.keys, x.answer+"\n")
			check.Must(t, err)
		}
		if code := <-ended; code != x.code {
			t.Errorf("%q: exit code %d:\n%s", x.answer, code, tty)
		}
		interrupt()
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) == x.written {
			t.Errorf("%q: %v", x.answer, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
			t.Errorf("%q: it leaves %v", x.answer, left)
		}
	}
}

// TestInitREST: the certificate is confirmed beside the host key, and is the one by which
// the REST API is then known.
func TestInitREST(t *testing.T) {
	sim := collectortest.StartEstate(t, "")
	a := sim.Appliance(t, "luna72")
	dir := t.TempDir()
	file := filepath.Join(dir, "out.yaml")
	_, port, _ := strings.Cut(a.RESTAddress, ":")
	var out, errs strings.Builder
	args := []string{"init", "-hsm", "a=" + a.SSHAddress, "-rest", "-rest-port", port, "-yes-fingerprint", a.Fingerprint, "-yes-fingerprint", a.RESTFingerprint,
		"-out", file, "-password-file", sim.PasswordFile, "-state-directory", dir}
	if code := run(t.Context(), args, stdio{strings.NewReader(""), &out, &errs}); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	out.Reset()
	run(t.Context(), []string{"doctor", "-config.file", file}, stdio{strings.NewReader(""), &out, &errs})
	if want := "OK       a: REST at " + a.RESTAddress + ": the certificate is right"; !strings.Contains(out.String(), want) {
		t.Errorf("it lacks %s:\n%s", want, &out)
	}
}
