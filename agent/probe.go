package agent

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/probe"
	"github.com/lunawatch/lunawatch/hsm"
)

// addProbes adds a task for each probe of an HSM.
func (a *Agent) addProbes(all map[string]task, h config.HSM) {
	for _, s := range h.Probes {
		all["probe of "+h.Name+" "+s.Name] = task{of: s, run: func(ctx context.Context) error {
			return s.Run(ctx, h.Name, a.probing, func(p hsm.Probe) { a.probed(h.Name, p) })
		}}
	}
}

// declareProbes has the HSMs of a configuration have its probes, and no others.
func (a *Agent) declareProbes(c *config.Config) {
	for _, h := range c.HSMs {
		if d := a.store.Latest().Device(h.Name); len(h.Probes) > 0 || d != nil && len(d.Probes) > 0 {
			a.store.Apply(hsm.Observation{Device: h.Name, At: time.Now(), Facts: []hsm.Fact{probe.Declared(h.Probes)}})
		}
	}
}

// probed takes the result of a probe. One that worked proves the HSM.
func (a *Agent) probed(device string, p hsm.Probe) {
	o := hsm.Observation{Device: device, At: p.At, Took: p.Took, Facts: []hsm.Fact{p}}
	if p.Worked {
		o.Facts = append(o.Facts, hsm.Proof{At: p.At.Add(-p.Took), By: "probe " + p.Name})
	} else {
		a.log.Warn("probe failed", "hsm", device, "probe", p.Name, "text", p.Text)
	}
	a.store.Apply(o)
	a.history.Observe(a.store.Latest().Device(device), o)
}
