package collectortest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/simulator"
)

// Main runs tests, which share the RSA keys of all simulators, or makes their
// binary the pretend LunaCM where it is called by a link of that name in the
// directory of a simulation.
func Main(m *testing.M) {
	if filepath.Base(os.Args[0]) != "lunacm" {
		_ = flag.Set("test.parallel", "8") // many wait; -parallel on the command line counts
		// Else the race detector has each LunaCM sleep for a second at its end.
		os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
		var err error
		if rsaKeys, err = os.MkdirTemp("", "lw"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		code := m.Run()
		os.RemoveAll(rsaKeys)
		os.Exit(code)
	}
	if err := simulator.LunaCMOf(filepath.Dir(os.Args[0])).Run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// lunacmOf returns the path of the LunaCM of a simulation.
func (e Estate) LunaCM(t *testing.T) string {
	t.Helper()
	program, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(e.ControlSocket), "lunacm")
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// rsaKeys is the directory of the RSA keys of all simulators.
var rsaKeys string

// An Estate is a simulated site, of three appliances unless a scenario file
// says otherwise.
type Estate struct {
	*simulator.Estate
	simulator.Ready
}

func StartEstate(t *testing.T, scenario string) Estate {
	t.Helper()
	dir, err := os.MkdirTemp("", "lw")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simulator.New(simulator.Config{ListenAddress: "127.0.0.1:0", StateDir: dir, Scenario: scenario, MonitorSecond: 10 * time.Millisecond, RSAKeys: rsaKeys})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return Estate{sim, <-sim.Ready()}
}

func (e Estate) Appliance(t *testing.T, name string) simulator.ReadyAppliance {
	t.Helper()
	i := slices.IndexFunc(e.Appliances, func(a simulator.ReadyAppliance) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no appliance %s", name)
	}
	return e.Appliances[i]
}

func (e Estate) Fault(t *testing.T, appliance string, words ...string) {
	t.Helper()
	if err := e.Inject(appliance, simulator.Event{Name: words[0], Args: words[1:]}); err != nil {
		t.Fatal(err)
	}
}
