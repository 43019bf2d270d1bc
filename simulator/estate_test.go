package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// runEstate starts an estate on real sockets and stops it with the test.
func runEstate(t *testing.T, c Config) (*Estate, Ready, func() error) {
	t.Helper()
	c.ListenAddress = "127.0.0.1:0"
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	stop := func() error { cancel(); return <-ended }
	select {
	case r := <-e.Ready():
		return e, r, stop
	case err := <-ended:
		cancel()
		t.Fatal(err)
		return nil, Ready{}, nil
	}
}

// shortScenario has one appliance, so that few keys are made.
func shortScenario(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "one.yaml")
	if err := os.WriteFile(path, []byte("appliances:\n  - {name: one, model: \"7.2\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEstate reaches the built-in estate as an agent does: over TCP, with the
// password file and known_hosts that it wrote.
func TestEstate(t *testing.T) {
	dir := t.TempDir()
	_, r, stop := runEstate(t, Config{StateDir: dir})
	if info, err := os.Stat(r.PasswordFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v, %v", info, err)
	}
	password, err := os.ReadFile(r.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	known, err := knownhosts.New(r.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	line, _ := json.Marshal(r)
	if bytes.Contains(line, bytes.TrimSpace(password)) {
		t.Error("the password is in the JSON line")
	}
	versions := ""
	for _, a := range r.Appliances {
		versions += a.Model + " "
		config := &ssh.ClientConfig{User: r.User, Auth: []ssh.AuthMethod{ssh.Password(strings.TrimSpace(string(password)))}, HostKeyCallback: known, HostKeyAlgorithms: []string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoECDSA256}}
		client, err := ssh.Dial("tcp", a.SSHAddress, config)
		if err != nil {
			t.Fatalf("%s: %v", a.Name, err)
		}
		defer client.Close() // after the estate has stopped: it must not wait for its clients
		session, err := client.NewSession()
		if err == nil {
			err = errors.Join(session.RequestPty("xterm", 40, 80, nil), session.Shell())
		}
		if err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
		if !strings.Contains(readFile(t, a.Lunalogs), "Lush user login : monitor : 127.0.0.1/") {
			t.Errorf("%s: no login in lunalogs", a.Name)
		}
		if _, err := os.Stat(a.Syslog); err != nil {
			t.Error(err)
		}
	}
	if versions != "5.4 6.2 7.2 " {
		t.Errorf("models %s", versions)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		left := leftovers()
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
		}
	}

	_, again, stop := runEstate(t, Config{StateDir: dir})
	defer stop()
	for i := range again.Appliances {
		if again.Appliances[i].Fingerprint != r.Appliances[i].Fingerprint {
			t.Errorf("%s has another host key after a restart", again.Appliances[i].Name)
		}
	}
	if got, _ := os.ReadFile(again.PasswordFile); !bytes.Equal(got, password) {
		t.Error("another password after a restart")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestGone leaves and takes its real port again.
func TestGone(t *testing.T) {
	e, r, stop := runEstate(t, Config{StateDir: t.TempDir(), Scenario: shortScenario(t)})
	defer stop()
	address := r.Appliances[0].SSHAddress
	reachable := func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	if !reachable() {
		t.Fatal("not there to begin with")
	}
	for _, step := range []struct {
		event string
		want  bool
	}{{"gone", false}, {"heal", true}} {
		if err := e.Inject("one", Event{Name: step.event}); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); reachable() != step.want; {
			if time.Now().After(deadline) {
				t.Fatalf("after %s: reachable is still %v", step.event, !step.want)
			}
		}
	}
}

func TestInject(t *testing.T) {
	dir := t.TempDir()
	_, r, stop := runEstate(t, Config{StateDir: dir, Scenario: shortScenario(t)})
	for _, c := range []struct {
		appliance string
		event     Event
		want      string
	}{
		{"one", Event{"log", []string{"a line  as it is"}}, ""},
		{"one", Event{"log", []string{"in", "words"}}, ""},
		{"", Event{"temperature", []string{"76"}}, ""},
		{"o[a-z]*", Event{"temperature", []string{"36"}}, ""},
		{"o[", Event{"heal", nil}, `"o[" is no pattern of names`},
		{"two", Event{"zeroize", nil}, `no appliance called "two"; there are one`},
		{"", Event{"explode", nil}, `unknown event "explode"; known are load, temperature,`},
		{"", Event{"battery", []string{"full"}}, `one: "full" is not a valid VOLTS`},
	} {
		err := InjectInto(t.Context(), dir, c.appliance, c.event)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.event, err, c.want)
		}
	}
	if log := readFile(t, r.Appliances[0].Syslog); !strings.HasPrefix(log, "a line  as it is\nin words\n") {
		t.Errorf("log is %q", log)
	}
	if _, err := New(Config{ListenAddress: "127.0.0.1:0", StateDir: dir}); err != nil {
		t.Fatal(err)
	}
	second, _ := New(Config{ListenAddress: "127.0.0.1:0", StateDir: dir})
	if err := second.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another simulation runs in") {
		t.Errorf("a second simulation: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := InjectInto(t.Context(), dir, "", Event{"heal", nil}); err == nil || !strings.Contains(err.Error(), "no simulation answers in") {
		t.Errorf("inject into nothing: %v", err)
	}
}

func TestRunErrors(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"address", Config{ListenAddress: "nowhere", StateDir: file}, "is not host:port"},
		{"port", Config{ListenAddress: "127.0.0.1:ssh", StateDir: file}, "is not host:port"},
		{"no state", Config{ListenAddress: "127.0.0.1:0"}, "no state directory"},
		{"scenario", Config{ListenAddress: "127.0.0.1:0", StateDir: file, Scenario: "/nonexistent"}, "read scenario: open /nonexistent"},
		{"state is a file", Config{ListenAddress: "127.0.0.1:0", StateDir: file, Scenario: shortScenario(t)}, "state directory: mkdir"},
		{"port in use", Config{ListenAddress: busy.Addr().String(), StateDir: t.TempDir(), Scenario: shortScenario(t)}, "appliance one: listen tcp " + busy.Addr().String()},
		{"password", Config{ListenAddress: "127.0.0.1:0", StateDir: t.TempDir(), Scenario: shortScenario(t), PasswordFile: file}, "is empty"},
		{"keys", Config{ListenAddress: "127.0.0.1:0", StateDir: t.TempDir(), Scenario: shortScenario(t), AuthorizedKeys: "/nonexistent"}, "read the authorized keys"},
	} {
		e, err := New(c.config)
		if err == nil {
			err = e.Run(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestPortsInARow(t *testing.T) {
	// A free row of three ports is found by taking one and trying those after it.
	dir := t.TempDir()
	for range 20 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := ln.Addr().String()
		ln.Close()
		e, err := New(Config{ListenAddress: address, StateDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		listeners, r, err := e.open()
		if err != nil {
			continue
		}
		closeAll(listeners)
		_, first, _ := splitPort(r.Appliances[0].SSHAddress)
		_, last, _ := splitPort(r.Appliances[2].SSHAddress)
		if r.Appliances[0].SSHAddress != address || last != first+2 {
			t.Errorf("ports are %+v", r.Appliances)
		}
		return
	}
	t.Error("no row of three free ports in 20 attempts")
}
