// Package collectortest has what the tests of several collectors share: simulated
// sites, runs of a collector, comparison of JSON, and the reference outputs.
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

// Main is the TestMain of a package. All simulators of its tests share one set of
// RSA keys. When the test binary is started as lunacm, by a link in the directory of
// a simulation, Main is the pretend LunaCM.
func Main(m *testing.M) {
	if filepath.Base(os.Args[0]) != "lunacm" {
		_ = flag.Set("test.parallel", "8") // most wait; -parallel on the command line overrides this
		// Otherwise the race detector makes each LunaCM sleep for 1 s at its end.
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

// rsaKeys is the directory of the RSA keys of all simulators.
var rsaKeys string

// An Estate is a simulated site.
type Estate struct {
	*simulator.Estate
	simulator.Ready
}

// StartEstate runs the site of a scenario file, "" for one with three appliances,
// until the test ends.
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

// Appliance returns the appliance with that name.
func (e Estate) Appliance(t *testing.T, name string) simulator.ReadyAppliance {
	t.Helper()
	i := slices.IndexFunc(e.Appliances, func(a simulator.ReadyAppliance) bool { return a.Name == name })
	if i < 0 {
		t.Fatalf("no appliance %s", name)
	}
	return e.Appliances[i]
}

// LunaCM makes the pretend LunaCM of the site, once, and returns its path.
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

// Fault injects an event of the simulator: its name and arguments.
func (e Estate) Fault(t *testing.T, appliance string, words ...string) {
	t.Helper()
	if err := e.Inject(appliance, simulator.Event{Name: words[0], Args: words[1:]}); err != nil {
		t.Fatal(err)
	}
}
