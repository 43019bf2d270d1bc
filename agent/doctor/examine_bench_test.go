package doctor

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// BenchmarkExamine tries 100 appliances over LunaSH: those of a simulated fleet, and as
// many that accept connections and say nothing.
func BenchmarkExamine(b *testing.B) {
	b.Run("working", func(b *testing.B) {
		sim, err := simulator.New(simulator.Config{ListenAddress: "127.0.0.1:0", StateDir: b.TempDir(), Fleet: simulator.Fleet{Size: 100}})
		check.Must(b, err)
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		go func() { ended <- sim.Run(ctx) }()
		b.Cleanup(func() { cancel(); <-ended })
		ready := <-sim.Ready()
		var hsms strings.Builder
		for _, a := range ready.Appliances {
			fmt.Fprintf(&hsms, "- {name: %s, address: %q, password_file: %s, known_hosts_file: %s}\n", a.Name, a.SSHAddress, ready.PasswordFile, ready.KnownHosts)
		}
		examine(b, hsms.String(), OK)
	})
	b.Run("silent", func(b *testing.B) {
		password := filepath.Join(b.TempDir(), "password")
		check.Must(b, os.WriteFile(password, []byte("secret\n"), 0o600))
		var hsms strings.Builder
		for i := range 100 {
			l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts; the kernel connects
			check.Must(b, err)
			b.Cleanup(func() { l.Close() })
			fmt.Fprintf(&hsms, "- {name: h%d, address: %q, password_file: %s, host_key: SHA256:%s}\n", i, l.Addr(), password, strings.Repeat("A", 43))
		}
		examine(b, hsms.String(), Failed)
	})
}

func examine(b *testing.B, hsms string, want State) {
	b.Helper()
	dir := b.TempDir()
	c, err := config.Parse(fmt.Appendf(nil, "state_directory: %s\nsnmp: {enabled: false}\nhost: {enabled: false}\nhsms:\n%s", dir, hsms))
	check.Must(b, err)
	p := Patient{Config: c, Silent: context.Canceled, Now: time.Now()}
	for b.Loop() {
		n := 0
		for _, f := range p.Examine(b.Context(), quietly) {
			if strings.HasPrefix(f.Tried, "LunaSH") && f.State == want {
				n++
			}
		}
		if n != 100 {
			b.Fatalf("%d of 100 are %s", n, want)
		}
	}
}
