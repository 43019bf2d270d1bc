package agent

import (
	"context"
	"errors"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
	"github.com/lunawatch/lunawatch/mib"
)

// build makes a View of every Snapshot and of every change of an alarm, and
// again when data become stale, for at most a fifth of the time.
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
		if at := snap.NextExpiry(now); !at.IsZero() && at.Before(wake) {
			wake = at.Add(time.Millisecond)
		}
		wait.Sleep(ctx, 4*time.Since(now))
		a.waitFor(ctx, snap, changed, wake)
	}
	return nil
}

// newView returns what SNMP shows at a time, and what it lacks; nil: nothing
// can be shown.
func (a *Agent) newView(snap *hsm.Snapshot, now time.Time) (*mib.View, error) {
	src := mib.Source{Snapshot: snap, Now: now}
	if !a.config.SNMP.RawEventCounters {
		src.Events = a.watch.Events
	}
	list, lacks := a.watch.MIBAlarms()
	list.Started = a.started
	list.Version, _ = Version()
	src.Alarms = &list
	view, err := mib.Build(src)
	return view, errors.Join(lacks, err)
}

// buildDelay lets notifications go first, and takes what changes together at once.
const buildDelay = 20 * time.Millisecond

// waitFor returns when there is a newer Snapshot, when changed is closed, or
// at a time.
func (a *Agent) waitFor(ctx context.Context, snap *hsm.Snapshot, changed <-chan struct{}, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	go func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	a.store.Wait(ctx, snap)
}
