package alarms

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
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

	taking sync.Mutex // orders lines; guards heard
	heard  heard

	queued map[string]chan struct{} // by receiver: there is something to deliver

	mu     sync.Mutex // guards what follows and orders writes to the journal
	state  State
	stats  map[string]*Delivery
	stored map[string]time.Time // by log: when its cursor was last stored
}

// A Delivery counts what happened to a receiver's notifications.
type Delivery struct {
	Delivered uint64
	Failed    uint64    // attempts
	Waiting   int       // now
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
	failing := false
	for ctx.Err() == nil {
		now := time.Now()
		snap := w.Store.Latest()
		err := w.step(Entry{}, func(s State) []Judgement { return JudgePolls(snap, s, w.Settings, now) }, now)
		switch {
		case err != nil && !failing:
			w.Log.Error("alarms not stored; trying again until they are", "err", err)
		case err == nil && failing:
			w.Log.Info("alarms are stored again")
		}
		failing = err != nil
		wait, cancel := context.WithDeadline(ctx, w.wake(snap, now, failing))
		w.Store.Wait(wait, snap)
		cancel()
	}
	return nil
}

// wake returns when to evaluate again, even if nothing new is read.
func (w *Watch) wake(snap *hsm.Snapshot, now time.Time, failing bool) time.Time {
	if failing {
		return now.Add(time.Second)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	wake := now.Add(time.Minute) // for certificates, whose days pass
	for _, at := range []time.Time{snap.NextExpiry(now), w.state.Next()} {
		if !at.IsZero() && at.Before(wake) {
			wake = at.Add(time.Millisecond)
		}
	}
	return wake
}

// Lines judges lines of a device's log, in their order, as they are read now.
// What they change, the log's new cursor and the notifications are stored as
// one; on an error nothing has changed and the same lines must be given again.
func (w *Watch) Lines(device, file string, lines []hsm.LogLine, cursor []byte) error {
	now := time.Now()
	all := make([]Line, len(lines))
	for i, l := range lines {
		all[i] = Line{LogLine: l, Device: device, File: file, At: now}
	}
	return w.Take(file, all, cursor)
}

// longAgo is how old a line is of which polls may have told the end already.
const longAgo = time.Minute

// Take is [Watch.Lines] for a log that is of several devices, or whose lines
// may have happened long before they were read.
func (w *Watch) Take(file string, lines []Line, cursor []byte) error {
	now, snap := time.Now(), w.Store.Latest()
	w.taking.Lock()
	defer w.taking.Unlock()
	heard, all := w.heard, []Judgement(nil)
	entry := Entry{File: file, Cursor: cursor, Events: make(map[string]Events)}
	for _, l := range lines {
		l.Sensors = sensors(snap, l.Device)
		js := JudgeLine(l, w.Settings)
		if len(js) == 0 {
			continue
		}
		var before bool
		if heard, before = heard.with(l); before {
			continue
		}
		if n := entry.Events[l.Device].with(js); n != (Events{}) {
			entry.Events[l.Device] = n
		}
		if now.Sub(l.At) > longAgo {
			js = unsettled(js, snap, w.Settings, now)
		}
		all = append(all, js...)
	}
	err := w.step(entry, func(State) []Judgement { return all }, now)
	if err == nil {
		w.heard = heard
	}
	return err
}

// with returns e and what the HSM itself reports in js.
func (e Events) with(js []Judgement) Events {
	for _, j := range js {
		switch {
		case j.Verdict != Bad || j.Test || GroupNamed(j.Group).Trap != CryptoAttention:
		case j.Severity == Critical:
			e.Critical++
		default:
			e.Other++
		}
	}
	return e
}

// sensors returns the sensors of a device as they were last polled.
func sensors(snap *hsm.Snapshot, device string) []hsm.Sensor {
	for _, d := range snap.Devices {
		if d.Name == device {
			return d.Sensors.Value.Sensors
		}
	}
	return nil
}

// cursorDelay is how long a cursor waits to be stored behind lines that say
// nothing: read again after a crash, they say nothing again.
const cursorDelay = 5 * time.Second

// step makes the changes that judge finds, and what entry's Events add, durable
// and then true. On an error nothing has changed.
func (w *Watch) step(entry Entry, judge func(State) []Judgement, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	js := judge(w.state)
	entry.Changes = Eval(w.state, js, now)
	entry.Events = w.sum(entry.Events)
	entry.Notify = w.notifications(entry.Changes, now)
	switch {
	case len(entry.Changes) > 0 || len(entry.Events) > 0:
	case entry.File == "":
		return nil
	case len(js) == 0 && now.Sub(w.stored[entry.File]) < cursorDelay:
		return nil
	}
	if err := w.Journal.Write(entry); err != nil {
		return err
	}
	w.stored[entry.File] = now
	w.state.Apply(entry.Changes)
	maps.Copy(w.state.Events, entry.Events)
	for _, c := range entry.Changes {
		if a := c.Alarm; worthTelling(c) {
			w.Log.Info("alarm", "change", c.Kind, "hsm", a.Device, "group", a.Group, "object", a.Object, "severity", a.Severity, "test", a.Test, "text", a.Text)
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

// sum returns the counts of devices with more added.
func (w *Watch) sum(more map[string]Events) map[string]Events {
	total := make(map[string]Events)
	for device, add := range more {
		old := w.state.Events[device]
		total[device] = Events{old.Critical + add.Critical, old.Other + add.Other}
	}
	return total
}

// notifications returns what every receiver is to be told of changes.
func (w *Watch) notifications(changes []Change, now time.Time) map[string][]Notification {
	var list []Notification
	for i, c := range changes {
		if worthTelling(c) {
			list = append(list, notification(c, i, w.Addresses[c.Alarm.Device], now))
		}
	}
	if len(list) == 0 {
		return nil
	}
	all := make(map[string][]Notification)
	for name := range w.Receivers {
		all[name] = list
	}
	return all
}

// Clear ends the alarm of a key, as Key.String writes it, by hand: for what no
// source ever tells to be over.
func (w *Watch) Clear(key, reason string) error {
	now := time.Now()
	found := false
	err := w.step(Entry{}, func(s State) []Judgement {
		for k := range s.Active {
			if k.String() == key {
				found = true
				return []Judgement{{Key: k, Evidence: Evidence{At: now, Text: clip("ended by hand: " + reason)}}}
			}
		}
		return nil
	}, now)
	if err == nil && !found {
		return fmt.Errorf("no alarm %q stands; lunawatch alarms list shows what does", key)
	}
	return err
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
