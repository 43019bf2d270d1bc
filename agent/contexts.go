package agent

import (
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// contexts are what the own agent of each configured HSM would show, by name:
// each is an AgentX context, built when it is asked for.
type contexts struct {
	mu    sync.Mutex
	views map[string]contextView
}

// A contextView is the view of one HSM, as long as it holds.
type contextView struct {
	of      *hsm.Device
	view    *mib.View // until the device changes, or something of it becomes stale
	builder *mib.Builder
}

// inContext returns the view of the HSM with that name; nil: there is none.
func (a *Agent) inContext(context string) agentx.Handler {
	d, now := a.store.Latest().Device(context), time.Now()
	if d == nil || d.Kind != hsm.NetworkHSM {
		return nil
	}
	a.contexts.mu.Lock()
	defer a.contexts.mu.Unlock()
	v, known := a.contexts.views[context]
	switch {
	case !known:
		v.builder = modules.Tables().Builder()
	case v.of == d && (v.view.Until().IsZero() || now.Before(v.view.Until())):
		return v.view
	}
	v.of = d
	v.view, _ = v.builder.Build(mib.Source{Snapshot: &hsm.Snapshot{Devices: []*hsm.Device{d}}, Now: now}) // what it lacks, the view of all lacks, too
	if a.contexts.views == nil {
		a.contexts.views = make(map[string]contextView)
	}
	a.contexts.views[context] = v
	return v.view
}
