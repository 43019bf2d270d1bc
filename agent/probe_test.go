package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/collectors/probe"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestProbes: an HSM has the probes of the configuration before they have run; a result
// that works proves it; and a reload adds and removes them, and begins anew what has
// changed, but not the sources of the HSM.
func TestProbes(t *testing.T) {
	sign := probe.Settings{Name: "sign", Command: []string{"/bin/sign"}}
	verify := probe.Settings{Name: "verify", Command: []string{"/bin/verify"}}
	of := func(list ...probe.Settings) config.Config {
		c := config.Default()
		c.HSMs = []config.HSM{{Name: "a", Probes: list}, {Name: "b"}}
		return c
	}
	c := of(sign)
	a := New(c, Web{}, slog.New(slog.DiscardHandler))
	device := func() *hsm.Device { return a.store.Latest().Device("a") }
	if got := device().Probes; len(got) != 1 || got[0].Name != "sign" || !got[0].At.IsZero() {
		t.Fatalf("at the start: %+v", got)
	}
	if got := a.store.Latest().Device("b").Probes; got != nil {
		t.Errorf("an HSM without one: %+v", got)
	}
	now := time.Now()
	for n := range 3 {
		a.probed("a", hsm.Probe{Name: "sign", At: now, Took: time.Second, Text: "no"})
		if p := device(); p.Probes[0].Failures != n+1 || !p.Proven.IsZero() || len(p.Sources) != 0 {
			t.Errorf("after %d failures: %+v, proven %+v, sources %v", n+1, p.Probes, p.Proven, p.Sources)
		}
	}
	a.probed("a", hsm.Probe{Name: "sign", At: now, Took: time.Second, Worked: true})
	if p := device(); p.Probes[0].Failures != 0 || p.Proven.By != "probe sign" || !p.Proven.At.Equal(now.Add(-time.Second)) {
		t.Errorf("it works: %+v, proven %+v", p.Probes, p.Proven)
	}
	if got := a.history.Measures("a"); !slices.Equal(got, []history.Measure{"probe_seconds", "probe_failed_ratio"}) {
		t.Errorf("the history has %v", got)
	}
	a.probed("a", hsm.Probe{Name: "gone", At: now, Took: time.Hour, MaxAge: time.Hour})
	if series, _ := a.history.Series("a", "probe_seconds", now); series.Max[len(series.Max)-1] != 1 {
		t.Errorf("the history has a result of another: %v", series.Max[len(series.Max)-1])
	}
	if got := device().Probes; len(got) != 1 {
		t.Errorf("with a result of another: %+v", got)
	}

	before, changed := a.tasksOf(&c), sign
	changed.Timeout = time.Minute
	next := of(verify, changed)
	after := a.tasksOf(&next)
	if _, has := after["probe of a verify"]; !has || reflect.DeepEqual(before["probe of a sign"].of, after["probe of a sign"].of) {
		t.Errorf("tasks after the reload: %v", after)
	}
	if !reflect.DeepEqual(before["sources of a"].of, after["sources of a"].of) {
		t.Error("a probe that is new has the sources begin anew")
	}
	a.declareProbes(&next)
	if got := device().Probes; len(got) != 2 || got[0].Name != "sign" || !got[0].Worked || got[1].Name != "verify" || !got[1].At.IsZero() {
		t.Errorf("one more: %+v", got)
	}
	none := of()
	a.declareProbes(&none)
	if got := device().Probes; got == nil || len(got) != 0 {
		t.Errorf("none any more: %+v", got)
	}
}

// TestFailedProbeAcrossRestart: an alarm of a test program that fails is active after a
// restart, though the program has not failed twice since; and its first run that works
// clears it.
func TestFailedProbeAcrossRestart(t *testing.T) {
	dir, err := os.MkdirTemp("", "lw")
	check.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check.Must(t, os.WriteFile(filepath.Join(dir, "password"), []byte("secret"), 0o600))
	c, err := config.Parse(fmt.Appendf(nil, `
state_directory: %[1]s/state
control_socket: %[1]s/control
snmp: {enabled: false}
host: {enabled: false}
hsms:
- {name: a, address: "127.0.0.1:1", host_key: SHA256:0000000000000000000000000000000000000000000, password_file: %[1]s/password,
   probe: [{name: sign, command: [/bin/false], interval: 24h}]}
`, dir))
	check.Must(t, err)
	failing := func(a *Agent) (found alarms.Active, active bool) {
		i := slices.IndexFunc(a.watch.Active(), func(x alarms.Active) bool { return x.Group == "probe-failed" })
		if i < 0 {
			return found, false
		}
		return a.watch.Active()[i], true
	}
	// run runs an agent in which probes have run, until the alarm is active or not.
	run := func(want bool, results ...bool) (number uint64, cleared []alarms.Alarm) {
		t.Helper()
		a := New(c, freeWeb(), slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		for _, worked := range results {
			a.probed("a", hsm.Probe{Name: "sign", At: time.Now(), Took: time.Second, MaxAge: time.Hour, Worked: worked, Text: "no key"})
		}
		for deadline := time.Now().Add(testTimeout); ; time.Sleep(20 * time.Millisecond) {
			x, active := failing(a)
			if active == want && len(a.watch.Active()) > 0 { // of the HSM that is not there, as soon as the state is read
				number = x.Number
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("after %v: active is %v", results, active)
				break
			}
		}
		cleared, err := a.watch.History(100)
		check.Must(t, err)
		cancel()
		check.Must(t, <-ended)
		return number, slices.DeleteFunc(cleared, func(x alarms.Alarm) bool { return x.Group != "probe-failed" })
	}
	first, _ := run(true, false, false)
	if again, cleared := run(true, false); again != first || len(cleared) != 0 {
		t.Errorf("alarm %d after the restart, and %d before; %v have cleared", again, first, cleared)
	}
	if _, cleared := run(false, true); len(cleared) != 1 || cleared[0].Number != first {
		t.Errorf("%v have cleared, want alarm %d", cleared, first)
	}
}
