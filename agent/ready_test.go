package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// systemd reads what is sent to a socket as systemd does.
func systemd(t *testing.T, dir string) (socket string, next func() string) {
	t.Helper()
	socket = filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	check.Must(t, err)
	t.Cleanup(func() { conn.Close() })
	check.Must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	buffer := make([]byte, 4096)
	return socket, func() string {
		n, err := conn.Read(buffer)
		check.Must(t, err)
		return string(buffer[:n])
	}
}

// TestReady has an agent with a source that fails and one that hangs say that it waits
// for that, by name; that it is ready, once both were tried; and that it stops.
func TestReady(t *testing.T) {
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	silent, err := net.Listen("tcp", "127.0.0.1:0") // an appliance that accepts connections and says nothing
	check.Must(t, err)
	defer silent.Close()
	socket, next := systemd(t, dir)
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "300000")
	check.Must(t, os.WriteFile(filepath.Join(dir, "password"), []byte("secret"), 0o600))
	hsms := "host_key: SHA256:0000000000000000000000000000000000000000000, password_file: " + dir + "/password"
	c, err := config.Parse([]byte("state_directory: " + dir + "/state\ncontrol_socket: " + dir + "/control\nsnmp: {agentXSocket: " + dir +
		"/nowhere}\nhost: {enabled: false}\nsyslog: {udp: \"127.0.0.1:0\"}\nhsms:\n- {name: refused, address: \"127.0.0.1:1\", " + hsms + "}\n- {name: silent, address: \"" + silent.Addr().String() + "\", " + hsms + "}\n"))
	check.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(c, freeWeb(), slog.New(slog.DiscardHandler)).Run(ctx) }()
	first := next()
	if !strings.HasPrefix(first, "STATUS=waiting for ") {
		t.Errorf("at first %q", first)
	}
	message := first
	for message != "STATUS=waiting for poller of silent" {
		if message = next(); strings.HasPrefix(message, "READY=1") {
			t.Fatal("ready without a word of the silent appliance")
		}
	}
	silent.Close() // and with it the connection that was never accepted: the attempt has failed
	for !strings.HasPrefix(message, "READY=1") {
		message = next()
	}
	if ready, rest, _ := strings.Cut(message, "\n"); ready != "READY=1" || !strings.HasPrefix(rest, "STATUS=2 HSMs, ") {
		t.Errorf("then %q, want READY=1 and a status", message)
	}
	for message != "WATCHDOG=1" {
		message = next()
	}
	cancel()
	check.Must(t, <-ended)
	for message != "STOPPING=1" {
		message = next()
	}
}

// messages collects what is sent to systemd.
type messages struct {
	mu  sync.Mutex
	all []string
}

func (m *messages) send(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, text)
}

func (m *messages) take() (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, m.all = m.all, nil
	return list
}

// TestReadyIsBounded has a source that never answers and never fails: systemd would end
// an agent that waits for it, so it is ready after a minute, and says what is missing.
func TestReadyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got messages
		r := newReadiness()
		report := r.tried("poller of hsm1", func(hsm.Observation) {})
		r.tried("poller of hsm2", func(hsm.Observation) {})
		changes := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.notify(ctx, got.send, func() string { return "2 HSMs, 1 alarm" }, func() <-chan struct{} { return changes })
		}()
		want := func(messages ...string) {
			t.Helper()
			synctest.Wait()
			if all := got.take(); !slices.Equal(all, messages) {
				t.Errorf("%q, want %q", all, messages)
			}
		}
		want("STATUS=waiting for poller of hsm1, poller of hsm2")
		time.Sleep(time.Second)
		report(hsm.Observation{})
		report(hsm.Observation{})
		want("STATUS=waiting for poller of hsm2")
		time.Sleep(58 * time.Second)
		r.evaluated()
		want("WATCHDOG=1")
		time.Sleep(time.Second + statusPause)
		want("READY=1\nSTATUS=2 HSMs, 1 alarm; still waiting for poller of hsm2 (it has neither answered nor failed)")
		time.Sleep(time.Hour)
		want() // no timer feeds the watchdog
		r.arrived("poller of hsm2")
		want("STATUS=2 HSMs, 1 alarm")
		cancel()
		want("STOPPING=1")
		<-done
	})
}

func TestStatus(t *testing.T) {
	var many []missing
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many = append(many, missing{name, "it is late"})
	}
	for _, test := range []struct {
		ready bool
		left  []missing
		want  string
	}{
		{false, nil, "7 HSMs, 0 alarms"},
		{false, many, "waiting for a, b, c, d, e, 2 more"},
		{true, many[:1], "7 HSMs, 0 alarms; still waiting for a (it is late)"},
		{false, []missing{{"a\nREADY=1", ""}}, "waiting for a READY=1"},
	} {
		if got := status(test.ready, "7 HSMs, 0 alarms", test.left); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
