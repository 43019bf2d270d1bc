package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
	"github.com/lunawatch/lunawatch/mib"
)

// build makes a View at every Snapshot, at every change of an alarm, and when
// data become stale. It takes at most a fifth of the time.
func (a *Agent) build(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		wait.Sleep(ctx, buildDelay)
		changed := a.watch.Changed()
		snap, now := a.store.Latest(), time.Now()
		view, err := a.newView(snap, now)
		if err != nil && !failing {
			a.log.Error("SNMP does not show everything", "err", err)
		}
		if failing = err != nil; view != nil {
			a.view.Store(view)
		}
		wake := now.Add(time.Minute)
		for _, at := range []time.Time{snap.NextExpiry(now), a.totals.due()} {
			if !at.IsZero() && at.Before(wake) {
				wake = at.Add(time.Millisecond)
			}
		}
		wait.Sleep(ctx, 4*time.Since(now))
		a.waitFor(ctx, snap, changed, wake)
	}
	return a.totals.close()
}

// newView returns what SNMP shows at a time; nil: nothing can be shown. The
// error is about what is missing.
func (a *Agent) newView(snap *hsm.Snapshot, now time.Time) (*mib.View, error) {
	src := mib.Source{Snapshot: snap, Now: now}
	if !a.config.SNMP.RawEventCounters {
		src.Events = a.watch.Events
	}
	list, missing := a.watch.MIBAlarms()
	list.Started = a.started
	list.Version, _ = Version()
	src.Alarms = &list
	var unstored error
	src.Totals, unstored = a.totals.add(src)
	view, err := mib.Build(src)
	return view, errors.Join(missing, unstored, err)
}

// buildDelay lets notifications go first, and what changes together become one
// View.
const buildDelay = 20 * time.Millisecond

// waitFor returns when there is a newer Snapshot, when changed is closed, or
// at a time.
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
	_, _ = a.store.Wait(ctx, snap) // its error is the context's
}
