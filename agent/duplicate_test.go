package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestSameLinesTwoWays has the same hundred lines come from a followed file
// and over the network: each is one event.
func TestSameLinesTwoWays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	address := l.Addr().String()
	l.Close()
	check.Must(t, os.Mkdir(filepath.Join(dir, "captured"), 0o755))
	c, err := config.Parse(fmt.Appendf(nil, `
state_directory: %[1]s/state
control_socket: %[1]s/control
snmp: {enabled: false}
host: {enabled: false}
hsms: [{name: a, replay: %[1]s/captured, logs: [%[1]s/messages], syslog_senders: [127.0.0.1]}]
syslog: {tcp: %[2]q}
`, dir, address))
	check.Must(t, err)
	var file, wire strings.Builder
	for i := range 100 {
		code := []string{"2003: Battery low voltage warning", "2007: HSM zeroized", "2023: HSM fan 1 failure"}[i%3]
		fmt.Fprintf(&file, "2026 Mar  1 12:00:%02d luna-a  kern info  kernel: k7pf0: [HSM] ALM%s\n", i/2, code)
		fmt.Fprintf(&wire, "<6>Mar  1 12:00:%02d luna-a kernel: k7pf0: [HSM] ALM%s\n", i/2, code)
	}
	check.Must(t, os.WriteFile(filepath.Join(dir, "messages"), []byte(file.String()), 0o644))
	e := &estate{dir: dir, log: new(syncBuffer)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	e.run(ctx, t, c, ended)
	defer func() {
		cancel()
		check.Must(t, <-ended)
		if t.Failed() {
			t.Logf("log of the agent:\n%s", e.log)
		}
	}()
	var conn net.Conn
	e.until(t, "the listener listens", func() bool {
		conn, err = net.Dial("tcp", address)
		return err == nil
	})
	defer conn.Close()
	_, err = conn.Write([]byte(wire.String()))
	check.Must(t, err)
	// One more line over the network: what came before it is evaluated.
	_, err = conn.Write([]byte("<6>Mar  1 12:09:00 luna-a kernel: k7pf0: ALM0012: Hardware Error\n"))
	check.Must(t, err)
	e.until(t, "all are evaluated", func() bool {
		critical, other := e.agent.watch.Events("a")
		return e.active("a", "hw") && critical+other >= 101
	})
	if critical, other := e.agent.watch.Events("a"); critical != 33 || other != 68 {
		t.Errorf("%d critical and %d other events, want 33 and 68", critical, other)
	}
}
