package agent

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
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
