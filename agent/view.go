package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/agentx"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// build makes a View when something has changed, and when data become stale. It takes at
// most a twentieth of the time.
func (a *Agent) build(ctx context.Context) error {
	failing := false
	builder := modules.Tables().Builder()
	for ctx.Err() == nil {
		wait.Sleep(ctx, buildDelay)
		changed := a.watch.Changed()
		snap, now := a.store.Latest(), time.Now()
		view, err := a.newView(builder, snap, now)
		if err != nil && !failing {
			a.log.Error("SNMP does not show everything", "err", err)
		}
		failing = err != nil
		a.view.Store(view)
		wake := now.Add(time.Minute)
		for _, at := range []time.Time{view.Until(), a.totals.Due()} {
			if !at.IsZero() && at.Before(wake) {
				wake = at.Add(time.Millisecond)
			}
		}
		wait.Sleep(ctx, 19*time.Since(now))
		a.waitFor(ctx, snap, changed, wake)
		if !a.asked.Swap(false) {
			a.waitFor(ctx, nil, changed, now.Add(unaskedDelay))
		}
	}
	return a.totals.Close()
}

// current returns the latest View, for a request.
func (a *Agent) current() agentx.Handler {
	a.asked.Store(true)
	return a.view.Load()
}

// newView returns what SNMP shows at a time. The error is about what is missing.
func (a *Agent) newView(b *mib.Builder, snap *hsm.Snapshot, now time.Time) (*mib.View, error) {
	src := mib.Source{Snapshot: snap, Now: now}
	if !a.config().SNMP.RawEventCounters {
		src.Events = a.watch.Events
	}
	list, missing := a.watch.MIBAlarms()
	list.Started = a.started
	list.Version, _ = Version()
	src.Alarms = &list
	src.Conditions = a.conditions.Of(snap, list.Active, a.watch.Active, now)
	var unstored, unnumbered error
	src.Totals, unstored = a.totals.Add(src)
	src.Entities, unnumbered = a.entities.Add(src)
	view, err := b.Build(src)
	return view, errors.Join(missing, unstored, unnumbered, err)
}

const (
	// buildDelay lets notifications go first, and what changes together become one
	// View.
	buildDelay = 20 * time.Millisecond
	// unaskedDelay is how old a View may be that nobody has asked for, if no alarm has
	// changed.
	unaskedDelay = time.Second
)

// waitFor returns when there is a newer Snapshot, unless snap is nil, when changed is
// closed, or at a time.
func (a *Agent) waitFor(ctx context.Context, snap *hsm.Snapshot, changed <-chan struct{}, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	})
	if snap == nil {
		<-ctx.Done()
		return
	}
	_, _ = a.store.Wait(ctx, snap) // its error is the context's
}
