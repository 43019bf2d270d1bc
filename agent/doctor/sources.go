package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// sources are the ways to the HSMs. What the agent knows of one is not tried again.
func (p Patient) sources() (trials []trial) {
	for _, h := range p.Config.HSMs {
		if h.Replay != "" {
			trials = append(trials, trial{h.Name, "captured answers in " + h.Replay, func(context.Context) Finding { return directory(h.Replay) }})
		}
		for _, w := range h.Ways() {
			trials = append(trials, trial{h.Name, w.Name + " at " + w.Address, func(ctx context.Context) Finding { return p.way(ctx, h, w) }})
		}
	}
	return trials
}

// way asks the agent, and else tries w.
func (p Patient) way(ctx context.Context, h config.HSM, w config.Way) Finding {
	if f, known := p.agentOn(h, w); known {
		return f
	}
	if w.Password {
		if err := p.remembersRefusals(); err != nil {
			return failed("not tried: "+err.Error(), "A password that the appliance refuses must never be tried twice, and that is remembered there. "+
				"Run lunawatch doctor as root or as the agent's user, once the directory exists.")
		}
	}
	answer, err := w.Try(ctx)
	if err != nil {
		return dead(collectors.LayerOf(err), err.Error())
	}
	return ok("%s", answer)
}

// agentOn returns what the agent knows of a way: that it works, or that it fails in a
// session that is open. Where it has no session, a try says more.
func (p Patient) agentOn(h config.HSM, w config.Way) (f Finding, known bool) {
	if p.Snapshot == nil || p.InForce == nil || p.InForce.HSMs[h.Name] != h.Sum() {
		return f, false
	}
	d := p.Snapshot.Device(h.Name)
	if d == nil {
		return f, false
	}
	s, asked := d.Sources[w.Opens]
	switch {
	case !asked, s.Failure.OfSession():
		return f, false
	case s.Failure != hsm.None:
		f = dead(s.Layer, s.Error)
	case p.Now.Sub(s.At) > 3*h.Intervals.Fast:
		f = warning(fmt.Sprintf("%s was last answered %s ago", w.Opens, p.Now.Sub(s.At).Round(time.Second)), "Look at the agent's load and log: it should have asked again.")
	default:
		f = ok("%s was answered %s ago in %.1f s", w.Opens, p.Now.Sub(s.At).Round(time.Second), s.Took.Seconds())
	}
	f.Result += ", says the agent"
	return f, true
}

// dead returns the finding of a way that fails, in the words of the alarm about it.
func dead(l hsm.Layer, why string) Finding {
	text := l.Explain(why)
	a := alarms.Alarm{Key: alarms.Key{Group: "source-failing"}, Text: text, Evidence: []alarms.Evidence{{Text: text, Layer: l}}}
	f := failed(text, alarms.Advice(a))
	f.Layer = l
	return f
}

// remembersRefusals returns why a refused password could not be remembered.
func (p Patient) remembersRefusals() error {
	state := p.Config.StateDirectory
	err := unix.Access(filepath.Join(state, "refused-logins"), unix.W_OK|unix.X_OK)
	if err == unix.ENOENT { //nolint:errorlint // the kernel's own
		err = unix.Access(state, unix.W_OK|unix.X_OK)
	}
	if err != nil {
		return fmt.Errorf("state directory %s: %w", state, err)
	}
	return nil
}

// directory says whether one with captured answers can be read.
func directory(path string) Finding {
	if err := unix.Access(path, unix.R_OK|unix.X_OK); err != nil {
		return failed(err.Error(), "Name the directory with the captured answers, readable to the agent's user.")
	}
	return ok("it can be read")
}
