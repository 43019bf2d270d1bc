package alarms

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Watch evaluates snapshots and log lines as they come, keeps the journal,
// and has every receiver told.
type Watch struct {
	Journal   *Journal
	Settings  Settings
	Store     *hsm.Store
	Receivers map[string]Notifier
	Addresses map[string]string // by device
	Log       *slog.Logger

	mu     sync.Mutex // guards state and orders writes to the journal
	state  State
	queued map[string]chan struct{} // by receiver: there is something to deliver
	stats  map[string]*Delivery
	stored map[string]time.Time // by log: when its cursor was last stored
}

// A Delivery counts what happened to a receiver's notifications.
type Delivery struct {
	Delivered uint64
	Failed    uint64 // attempts
	Waiting   int
	Oldest    time.Time // when the oldest waiting one was made; zero: none waits
}

// Open loads what the journal remembers. It must be called once, before
// anything else.
func (w *Watch) Open() error {
	state, err := w.Journal.Load()
	if err != nil {
		return err
	}
	w.state = state
	w.stored = make(map[string]time.Time)
	w.queued, w.stats = make(map[string]chan struct{}), make(map[string]*Delivery)
	for name := range w.Receivers {
		w.queued[name], w.stats[name] = make(chan struct{}, 1), &Delivery{}
	}
	return nil
}

// Run evaluates and delivers until ctx is done.
func (w *Watch) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.polls(ctx) })
	for name, n := range w.Receivers {
		g.Go(func() error { return w.deliver(ctx, name, n) })
	}
	return g.Wait()
}

// polls evaluates every new Snapshot, and again when data become stale or an
// alarm ends by itself.
func (w *Watch) polls(ctx context.Context) error {
	var seen *hsm.Snapshot
	for ctx.Err() == nil {
		now := time.Now()
		snap := w.Store.Latest()
		err := w.step(Entry{}, func(s State) []Judgement { return JudgePolls(snap, s, w.Settings, now) }, now)
		wake := now.Add(time.Minute)
		if err != nil {
			w.Log.Error("alarms not stored; trying again", "err", err)
			wake = now.Add(time.Second)
		}
		seen = snap
		for _, at := range []time.Time{snap.NextExpiry(now), w.next()} {
			if !at.IsZero() && at.Before(wake) {
				wake = at.Add(time.Millisecond)
			}
		}
		wait, cancel := context.WithDeadline(ctx, wake)
		w.Store.Wait(wait, seen)
		cancel()
	}
	return nil
}

// Lines judges lines of a device's log, in their order. What they change, the
// log's new cursor and the notifications are stored as one; on an error
// nothing has changed and the same lines must be given again.
func (w *Watch) Lines(device, file string, lines []hsm.LogLine, cursor []byte) error {
	now := time.Now()
	entry := Entry{File: file, Cursor: cursor}
	var js []Judgement
	var count Events
	for _, l := range lines {
		judged := JudgeLine(Line{l, device, file, now}, w.Settings)
		js = append(js, judged...)
		for _, j := range judged {
			switch {
			case j.Code == "" || j.Test || j.Verdict != Bad:
			case j.Severity == Critical:
				count.Critical++
			default:
				count.Other++
			}
		}
	}
	if count != (Events{}) {
		entry.Events = map[string]Events{device: count}
	}
	return w.step(entry, func(State) []Judgement { return js }, now)
}

// cursorDelay is how long a cursor waits to be stored behind lines that change
// nothing.
const cursorDelay = 5 * time.Second

// step makes the changes that judge finds, and what entry's Events add, durable
// and then true.
func (w *Watch) step(entry Entry, judge func(State) []Judgement, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry.Changes = Eval(w.state, judge(w.state), now)
	for device, add := range entry.Events {
		old := w.state.Events[device]
		entry.Events[device] = Events{old.Critical + add.Critical, old.Other + add.Other}
	}
	for _, c := range entry.Changes {
		if !worthTelling(c) {
			continue
		}
		if entry.Notify == nil {
			entry.Notify = make(map[string][]Notification)
		}
		n := notification(c, w.Addresses[c.Alarm.Device], now)
		for name := range w.Receivers {
			entry.Notify[name] = append(entry.Notify[name], n)
		}
	}
	if len(entry.Changes)+len(entry.Events) == 0 && now.Sub(w.stored[entry.File]) < cursorDelay {
		return nil // read again after a crash, these lines change nothing again
	}
	if err := w.Journal.Write(entry); err != nil {
		return err
	}
	w.stored[entry.File] = now
	w.state.Apply(entry.Changes)
	maps.Copy(w.state.Events, entry.Events)
	for _, c := range entry.Changes {
		if worthTelling(c) {
			a := c.Alarm
			w.Log.Info("alarm", "change", c.Kind, "hsm", a.Device, "group", a.Group, "object", a.Object, "severity", a.Severity, "text", a.Text)
		}
	}
	for name := range entry.Notify {
		select {
		case w.queued[name] <- struct{}{}:
		default:
		}
	}
	return nil
}

func (w *Watch) next() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Next()
}

// Active returns the alarms that stand, worst first.
func (w *Watch) Active() []Alarm {
	w.mu.Lock()
	list := slices.Collect(maps.Values(w.state.Active))
	w.mu.Unlock()
	Sort(list)
	return list
}

// Events returns how many critical and other events a device has reported.
func (w *Watch) Events(device string) (critical, other uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := w.state.Events[device]
	return e.Critical, e.Other
}

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string]Delivery)
	for name, d := range w.stats {
		all[name] = *d
	}
	return all
}

// deliveryTimeout bounds one attempt.
const deliveryTimeout = 30 * time.Second

// deliver empties the queue of one receiver, in order, however long that
// takes. A receiver that is down delays no other.
func (w *Watch) deliver(ctx context.Context, name string, to Notifier) error {
	failures := 0
	for ctx.Err() == nil {
		n, waiting, err := w.Journal.Waiting(name)
		if err != nil {
			w.Log.Error("queue not readable", "receiver", name, "err", err)
		}
		w.count(name, func(d *Delivery) { d.Waiting, d.Oldest = waiting, n.At })
		var pause <-chan time.Time
		if waiting > 0 {
			attempt, cancel := context.WithTimeout(ctx, deliveryTimeout)
			err = to.Notify(attempt, n)
			cancel()
			if err == nil {
				err = w.Journal.Done(name, n.Sequence)
			}
			if err == nil {
				failures = 0
				w.count(name, func(d *Delivery) { d.Delivered++ })
				continue
			}
			if ctx.Err() != nil {
				return nil
			}
			failures++
			w.count(name, func(d *Delivery) { d.Failed++ })
			if failures == 1 {
				w.Log.Warn("notification not delivered; trying again until it is", "receiver", name, "err", err)
			}
			pause = time.After(retryAfter(failures))
		}
		select {
		case <-ctx.Done():
		case <-pause:
		case <-w.queuedUnless(waiting > 0, name):
		}
	}
	return nil
}

// queuedUnless returns the wake-up of a receiver; nil, which never wakes, if a
// pause has to pass first.
func (w *Watch) queuedUnless(pausing bool, name string) <-chan struct{} {
	if pausing {
		return nil
	}
	return w.queued[name]
}

func (w *Watch) count(name string, change func(*Delivery)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w.stats[name])
}

// retryAfter grows from half a second to a minute, less up to a fifth.
func retryAfter(failures int) time.Duration {
	d := min(250*time.Millisecond<<min(failures, 10), time.Minute)
	return d - time.Duration(rand.Float64()*0.2*float64(d))
}
