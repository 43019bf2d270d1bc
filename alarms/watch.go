package alarms

import (
	"cmp"
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
	Receivers map[string]Receiver
	Addresses map[string]string          // by device
	Parent    func(device string) string // what a device depends on; "": nothing
	Log       *slog.Logger

	taking sync.Mutex // orders lines; guards heard
	heard  heard

	sender *Sender
	nudge  chan struct{} // evaluate now

	mu     sync.Mutex // guards what follows and orders writes to the journal
	kept   Kept
	again  time.Time            // when some receiver is to be told something although nothing changes
	asleep time.Time            // until when polls sleeps
	stored map[string]time.Time // by log: when its cursor was last stored

	tally   tally
	changed chan struct{} // closed when something changes; nil: nobody waits

	series map[Series][]Sample // of the goroutine of polls
}

// A Receiver is somebody who is told of alarms.
type Receiver struct {
	Notifier
	Route
	// Confirms tells that what Notify took has arrived; else it was only sent.
	Confirms bool
	// Digest is how long notifications wait for others, to be delivered by one
	// call of Together; 0: each is delivered by itself, and Together is nil.
	Digest   time.Duration
	Together func(context.Context, []Notification) error
}

// Open loads what the journal remembers. It must be called once, before
// anything else.
func (w *Watch) Open() error {
	if err := w.trim(); err != nil {
		return err
	}
	kept, err := w.Journal.Load()
	if err != nil {
		return err
	}
	w.kept = kept
	if w.series, err = w.Journal.loadSamples(); err != nil {
		return err
	}
	w.stored, w.nudge = make(map[string]time.Time), make(chan struct{}, 1)
	w.sender = &Sender{Journal: w.Journal, Receivers: w.Receivers, Log: w.Log, Masked: w.masked, Changed: w.delivered}
	w.sender.Open()
	for name := range w.Receivers {
		if w.kept.Told[name] == nil {
			w.kept.Told[name] = make(map[Key]Told)
		}
	}
	return nil
}

func (w *Watch) trim() error {
	return w.Journal.Trim(time.Now().Add(-w.Settings.HistoryAge), w.Settings.HistoryAlarms, slices.Collect(maps.Keys(w.Receivers)))
}

// Run evaluates and delivers until ctx is done.
func (w *Watch) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.polls(ctx) })
	g.Go(func() error { return w.keepJournal(ctx) })
	g.Go(func() error { return w.sender.Run(ctx) })
	return g.Wait()
}

// polls evaluates every new Snapshot, and again when data become stale or time
// alone changes something.
func (w *Watch) polls(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		now := time.Now()
		snap := w.Store.Latest()
		own := append(w.ownHealth(now), w.forecasts(snap, now)...)
		err := w.step(Entry{}, func(s State) []Judgement { return append(JudgePolls(snap, s, w.Settings.Thresholds, now), own...) }, now)
		switch {
		case err != nil && !failing:
			w.Log.Error("alarms not stored; trying again until they are", "err", err)
		case err == nil && failing:
			w.Log.Info("alarms are stored again")
		}
		failing = err != nil
		w.sleep(ctx, snap, w.wake(snap, now, failing))
	}
	return nil
}

// sleep returns when there is a newer Snapshot, at a time, or when nudged.
func (w *Watch) sleep(ctx context.Context, snap *hsm.Snapshot, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-w.nudge:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.Store.Wait(ctx, snap)
	cancel()
	<-done
}

// look makes polls evaluate now.
func (w *Watch) look() {
	select {
	case w.nudge <- struct{}{}:
	default:
	}
}

// wake returns when to evaluate again, even if nothing new is read.
func (w *Watch) wake(snap *hsm.Snapshot, now time.Time, failing bool) time.Time {
	if failing {
		return now.Add(time.Second)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.settle(now)
	wake := now.Add(time.Minute) // for certificates, whose days pass
	for _, at := range []time.Time{snap.NextExpiry(now), w.kept.Next(w.Settings.Damping), w.again, w.silenceEdge(now)} {
		if !at.IsZero() && at.Before(wake) {
			wake = at.Add(time.Millisecond)
		}
	}
	w.asleep = wake
	return wake
}

// silenceEdge returns when the next silence begins or ends.
func (w *Watch) silenceEdge(now time.Time) (next time.Time) {
	for _, s := range w.kept.Silences {
		for _, at := range []time.Time{s.From, s.Until} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
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
		js := JudgeLine(l, w.Settings.Thresholds)
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
			js = unsettled(js, snap, w.Settings.Thresholds, now)
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
		case j.Group == "audit-event":
			e.AuditCritical++
		case j.Group == "failed-login":
			e.FailedLogins++
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
	js := judge(w.kept.State)
	entry.Changes = append(entry.Changes, Eval(w.kept.State, js, w.Settings.Damping, now)...)
	idle := len(js) == 0 && now.Sub(w.stored[entry.File]) < cursorDelay
	return w.commit(entry, idle, now)
}

// commit makes entry, and the notifications that follow from it, durable and
// then true. An entry that only moves a cursor waits if idle is set. Lines of a
// log decide on the alarms that they change only: there can be many of both.
func (w *Watch) commit(entry Entry, idle bool, now time.Time) error {
	entry.Events = w.sum(entry.Events)
	var only []Key
	if entry.File != "" {
		only = make([]Key, 0, len(entry.Changes))
		for _, c := range entry.Changes {
			if !slices.Contains(only, c.Alarm.Key) {
				only = append(only, c.Alarm.Key)
			}
		}
	}
	again := w.tell(&entry, only, now)
	switch {
	case len(entry.Changes) > 0, len(entry.Events) > 0, entry.Silence != nil, len(entry.Notify) > 0:
	case entry.File == "", idle:
		w.again = again
		return nil
	}
	if err := w.Journal.Write(entry); err != nil {
		return err
	}
	w.stored[entry.File] = now
	w.again = again
	w.kept.take(entry, now)
	w.tally.add(entry.Changes)
	w.tellChanged()
	for _, c := range entry.Changes {
		if a := c.Alarm; c.Kind != Seen {
			w.Log.Info("alarm", "change", c.Kind, "hsm", a.Device, "group", a.Group, "object", a.Object, "severity", a.Severity, "test", a.Test, "text", a.Text)
		}
	}
	for name := range entry.Notify {
		w.sender.Wake(name)
	}
	if soon := sooner(again, w.kept.Next(w.Settings.Damping)); !soon.IsZero() && soon.Before(w.asleep) {
		w.look()
	}
	return nil
}

// take makes e part of k.
func (k *Kept) take(e Entry, now time.Time) {
	k.Apply(e.Changes)
	k.settle(now)
	for _, c := range e.Changes {
		if c.Kind == Ended {
			k.Left[c.Alarm.Key] = c.Alarm
		}
	}
	maps.Copy(k.Events, e.Events)
	k.Silences = e.silences(k.Silences)
	k.hear(e.Told)
}

// silences returns a list with the one of e, if it has one.
func (e Entry) silences(list []Silence) []Silence {
	if e.Silence == nil {
		return list
	}
	list = slices.DeleteFunc(slices.Clone(list), func(s Silence) bool { return s.ID == e.Silence.ID })
	return append(list, *e.Silence)
}

// hear notes what receivers were told, and forgets the alarms that ended and
// of which all know it.
func (k *Kept) hear(told map[string]map[Key]Told) {
	for receiver, list := range told {
		for key, t := range list {
			if t == (Told{}) {
				delete(k.Told[receiver], key)
			} else {
				k.Told[receiver][key] = t
			}
		}
	}
	maps.DeleteFunc(k.Left, func(key Key, _ Alarm) bool {
		for _, told := range k.Told {
			if told[key].stands() {
				return false
			}
		}
		return true
	})
}

// sum returns the counts of devices with more added.
func (w *Watch) sum(more map[string]Events) map[string]Events {
	total := make(map[string]Events)
	for device, add := range more {
		total[device] = w.kept.Events[device].plus(add)
	}
	return total
}

// tell adds to entry what every receiver is to be told of some alarms, nil of
// all, and returns when to look again although nothing changes.
func (w *Watch) tell(entry *Entry, only []Key, now time.Time) (again time.Time) {
	d := w.kept.draft()
	s := situation{
		active: &d.active, left: &overlay[Alarm]{base: w.kept.Left}, parent: w.Parent,
		silences: entry.silences(w.kept.Silences), now: now, spacing: w.Settings.NotifyInterval,
	}
	for _, c := range entry.Changes {
		d.apply(c)
		if c.Kind == Ended {
			s.left.set(c.Alarm.Key, c.Alarm)
		}
	}
	if only != nil {
		again = w.again
	}
	entry.Told, entry.Notify = make(map[string]map[Key]Told), make(map[string][]Notification)
	for name, r := range w.Receivers {
		changes, at := s.plan(name, r.Route, w.kept.Told[name], only)
		again = sooner(again, at)
		told := make(map[Key]Told)
		if only == nil {
			told = w.overTold(name, now)
		}
		for _, c := range changes {
			if c.Kind == Repeated && r.Refresh > 0 && w.sender.isBehind(name) {
				continue // it is told again once the receiver is back: they would pile up
			}
			told[c.Alarm.Key] = c.after(now)
			entry.Notify[name] = append(entry.Notify[name], w.notification(c, now))
		}
		if len(told) > 0 {
			entry.Told[name] = told
		}
	}
	return again
}

// overTold returns what need not be remembered of a receiver any more: that it
// was told of an end, long enough ago.
func (w *Watch) overTold(receiver string, now time.Time) map[Key]Told {
	over := make(map[Key]Told)
	for key, t := range w.kept.Told[receiver] {
		if t.Kind == Ended && now.Sub(t.At) > w.Settings.NotifyInterval {
			over[key] = Told{}
		}
	}
	return over
}

// masked reports whether a receiver must not be notified of n.
func (w *Watch) masked(receiver string, n Notification) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Receivers[receiver].masks(n, w.kept.Told[receiver])
}

// delivered shows what has come of notifications.
func (w *Watch) delivered() {
	w.mu.Lock()
	w.tellChanged()
	w.mu.Unlock()
	w.look()
}

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]Delivery { return w.sender.Deliveries() }

// notification names a change by what cannot happen twice.
func (w *Watch) notification(c Change, now time.Time) Notification {
	a := c.Alarm
	n := Notification{
		ID: fmt.Sprintf("%s %d %s %s", a.Key, a.Number, c.Kind, a.Severity),
		At: now, Change: c, Address: w.Addresses[a.Device],
	}
	switch c.Kind {
	case Raised, Ended:
	default: // these can come again
		n.ID += fmt.Sprintf(" %d", now.UnixNano())
	}
	for _, d := range w.Store.Latest().Devices {
		if d.Name == a.Device {
			n.Label = d.Show.Value.Label.Value
			n.Change.Alarm.Serial = cmp.Or(a.Serial, d.Serial())
		}
	}
	return n
}

// Events returns how many critical and other events a device has reported. Its
// audit log counts where its alarms tell less: both may tell of the same event.
func (w *Watch) Events(device string) (critical, other uint64) {
	e := w.Counted(device)
	return max(e.Critical, e.AuditCritical), e.Other
}

// Counted returns what was counted of a device.
func (w *Watch) Counted(device string) Events {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.Events[device]
}

// RaisedBy returns how many alarms were raised since the start, by the
// severity that they had then.
func (w *Watch) RaisedBy() map[Severity]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tally.raised)
}
