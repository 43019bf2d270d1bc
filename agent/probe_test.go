package agent

import (
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/probe"
	"github.com/lunawatch/lunawatch/hsm"
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
	a.probed("a", hsm.Probe{Name: "gone", At: now})
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
