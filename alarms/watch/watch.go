package watch

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

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Watch evaluates snapshots and log lines as they come, keeps the journal,
// and has every receiver told.
type Watch struct {
	Journal   *journal.Journal
	Settings  Settings
	Store     *hsm.Store
	Receivers map[string]notify.Receiver
	Addresses map[string]string          // by device
	Parent    func(device string) string // what a device depends on; "": nothing
	Log       *slog.Logger

	lines sync.Mutex // orders lines; guards heard
	seen  rules.SeenLines

	sender   *notify.Sender
	evaluate chan struct{} // evaluate now

	mu               sync.Mutex // guards what follows and orders writes to the journal
	state            journal.State
	nextNotification time.Time            // when some receiver is to be told something although nothing changes
	asleep           time.Time            // until when polls sleeps
	stored           map[string]time.Time // by log: when its cursor was last stored

	tally   tally
	changed chan struct{} // closed when something changes; nil: nobody waits

	series map[alarms.Series][]alarms.Sample // of the goroutine of polls
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
	w.state = kept
	if w.series, err = w.Journal.LoadSamples(); err != nil {
		return err
	}
	w.stored, w.evaluate = make(map[string]time.Time), make(chan struct{}, 1)
	w.sender = &notify.Sender{Journal: w.Journal, Receivers: w.Receivers, Log: w.Log, Masked: w.masked, Changed: w.delivered}
	w.sender.Open()
	for name := range w.Receivers {
		if w.state.Notified[name] == nil {
			w.state.Notified[name] = make(map[alarms.Key]alarms.Notified)
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
		own := append(w.selfFindings(now), w.forecasts(snap, now)...)
		err := w.step(journal.Entry{}, func(s alarms.State) []alarms.Finding {
			return append(rules.EvaluateSnapshot(snap, s, w.Settings.Thresholds, now), own...)
		}, now)
		switch {
		case err != nil && !failing:
			w.Log.Error("alarms not stored; trying again until they are", "err", err)
		case err == nil && failing:
			w.Log.Info("alarms are stored again")
		}
		failing = err != nil
		w.sleep(ctx, snap, w.nextEvaluation(snap, now, failing))
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
		case <-w.evaluate:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.Store.Wait(ctx, snap)
	cancel()
	<-done
}

// evaluateNow makes polls evaluate now.
func (w *Watch) evaluateNow() {
	select {
	case w.evaluate <- struct{}{}:
	default:
	}
}

// nextEvaluation returns when to evaluate again, even if nothing new is read.
func (w *Watch) nextEvaluation(snap *hsm.Snapshot, now time.Time, failing bool) time.Time {
	if failing {
		return now.Add(time.Second)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Settle(now)
	wake := now.Add(time.Minute) // for certificates, whose days pass
	for _, at := range []time.Time{snap.NextExpiry(now), w.state.Next(w.Settings.Damping), w.nextNotification, w.silenceEdge(now)} {
		if !at.IsZero() && at.Before(wake) {
			wake = at.Add(time.Millisecond)
		}
	}
	w.asleep = wake
	return wake
}

// silenceEdge returns when the next silence begins or ends.
func (w *Watch) silenceEdge(now time.Time) (next time.Time) {
	for _, s := range w.state.Silences {
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
	all := make([]rules.Line, len(lines))
	for i, l := range lines {
		all[i] = rules.Line{LogLine: l, Device: device, File: file, At: now}
	}
	return w.Take(file, all, cursor)
}

// longAgo is how old a line is of which polls may have told the end already.
const longAgo = time.Minute

// Take is [Watch.Lines] for a log that is of several devices, or whose lines
// may have happened long before they were read.
func (w *Watch) Take(file string, lines []rules.Line, cursor []byte) error {
	now, snap := time.Now(), w.Store.Latest()
	w.lines.Lock()
	defer w.lines.Unlock()
	heard, all := w.seen, []alarms.Finding(nil)
	entry := journal.Entry{File: file, Cursor: cursor, Events: make(map[string]alarms.Events)}
	for _, l := range lines {
		l.Sensors = sensors(snap, l.Device)
		js := rules.EvaluateLine(l, w.Settings.Thresholds)
		if len(js) == 0 {
			continue
		}
		var before bool
		if heard, before = heard.With(l); before {
			continue
		}
		if n := entry.Events[l.Device].With(js); n != (alarms.Events{}) {
			entry.Events[l.Device] = n
		}
		if now.Sub(l.At) > longAgo {
			js = rules.StillOpen(js, snap, w.Settings.Thresholds, now)
		}
		all = append(all, js...)
	}
	err := w.step(entry, func(alarms.State) []alarms.Finding { return all }, now)
	if err == nil {
		w.seen = heard
	}
	return err
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
func (w *Watch) step(entry journal.Entry, judge func(alarms.State) []alarms.Finding, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	js := judge(w.state.State)
	entry.Changes = append(entry.Changes, alarms.Eval(w.state.State, js, w.Settings.Damping, now)...)
	idle := len(js) == 0 && now.Sub(w.stored[entry.File]) < cursorDelay
	return w.commit(entry, idle, now)
}

// commit makes entry, and the notifications that follow from it, durable and
// then true. An entry that only moves a cursor waits if idle is set. Lines of a
// log decide on the alarms that they change only: there can be many of both.
func (w *Watch) commit(entry journal.Entry, idle bool, now time.Time) error {
	entry.Events = w.sum(entry.Events)
	var only []alarms.Key
	if entry.File != "" {
		only = make([]alarms.Key, 0, len(entry.Changes))
		for _, c := range entry.Changes {
			if !slices.Contains(only, c.Alarm.Key) {
				only = append(only, c.Alarm.Key)
			}
		}
	}
	again := w.plan(&entry, only, now)
	switch {
	case len(entry.Changes) > 0, len(entry.Events) > 0, entry.Silence != nil, len(entry.Notify) > 0:
	case entry.File == "", idle:
		w.nextNotification = again
		return nil
	}
	if err := w.Journal.Write(entry); err != nil {
		return err
	}
	w.stored[entry.File] = now
	w.nextNotification = again
	w.state.Take(entry, now)
	w.tally.add(entry.Changes)
	w.signalChanged()
	for _, c := range entry.Changes {
		if a := c.Alarm; c.Kind != alarms.Seen {
			w.Log.Info("alarm", "change", c.Kind, "hsm", a.Device, "group", a.Group, "object", a.Object, "severity", a.Severity, "test", a.Test, "text", a.Text)
		}
	}
	for name := range entry.Notify {
		w.sender.Wake(name)
	}
	if soon := alarms.Sooner(again, w.state.Next(w.Settings.Damping)); !soon.IsZero() && soon.Before(w.asleep) {
		w.evaluateNow()
	}
	return nil
}

// sum returns the counts of devices with more added.
func (w *Watch) sum(more map[string]alarms.Events) map[string]alarms.Events {
	total := make(map[string]alarms.Events)
	for device, add := range more {
		total[device] = w.state.Events[device].Plus(add)
	}
	return total
}

// plan adds to entry what every receiver is to be told of some alarms, nil of
// all, and returns when to look again although nothing changes.
func (w *Watch) plan(entry *journal.Entry, only []alarms.Key, now time.Time) (again time.Time) {
	d := w.state.Draft()
	s := notify.Planner{
		Active: &d.Active, Unnotified: &alarms.Overlay[alarms.Alarm]{Base: w.state.Unnotified}, Parent: w.Parent,
		Silences: entry.Silences(w.state.Silences), Now: now, Spacing: w.Settings.NotifyInterval,
	}
	for _, c := range entry.Changes {
		d.Apply(c)
		if c.Kind == alarms.Cleared {
			s.Unnotified.Set(c.Alarm.Key, c.Alarm)
		}
	}
	if only != nil {
		again = w.nextNotification
	}
	entry.Notified, entry.Notify = make(map[string]map[alarms.Key]alarms.Notified), make(map[string][]alarms.Notification)
	for name, r := range w.Receivers {
		changes, at := s.Plan(name, r.Route, w.state.Notified[name], only)
		again = alarms.Sooner(again, at)
		told := make(map[alarms.Key]alarms.Notified)
		if only == nil {
			told = w.forgettable(name, now)
		}
		for _, c := range changes {
			if c.Kind == alarms.Repeated && r.Refresh > 0 && w.sender.IsBehind(name) {
				continue // it is told again once the receiver is back: they would pile up
			}
			told[c.Alarm.Key] = c.Notified(now)
			entry.Notify[name] = append(entry.Notify[name], w.notification(c, now))
		}
		if len(told) > 0 {
			entry.Notified[name] = told
		}
	}
	return again
}

// forgettable returns what need not be remembered of a receiver any more: that it
// was told of an end, long enough ago.
func (w *Watch) forgettable(receiver string, now time.Time) map[alarms.Key]alarms.Notified {
	over := make(map[alarms.Key]alarms.Notified)
	for key, t := range w.state.Notified[receiver] {
		if t.Kind == alarms.Cleared && now.Sub(t.At) > w.Settings.NotifyInterval {
			over[key] = alarms.Notified{}
		}
	}
	return over
}

// masked reports whether a receiver must not be notified of n.
func (w *Watch) masked(receiver string, n alarms.Notification) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Receivers[receiver].Masks(n, w.state.Notified[receiver])
}

// delivered shows what has come of notifications.
func (w *Watch) delivered() {
	w.mu.Lock()
	w.signalChanged()
	w.mu.Unlock()
	w.evaluateNow()
}

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]notify.Delivery { return w.sender.Deliveries() }

// notification names a change by what cannot happen twice.
func (w *Watch) notification(c alarms.Change, now time.Time) alarms.Notification {
	a := c.Alarm
	n := alarms.Notification{
		ID: fmt.Sprintf("%s %d %s %s", a.Key, a.Number, c.Kind, a.Severity),
		At: now, Change: c, Address: w.Addresses[a.Device],
	}
	switch c.Kind {
	case alarms.Raised, alarms.Cleared:
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
func (w *Watch) Counted(device string) alarms.Events {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Events[device]
}

// RaisedBy returns how many alarms were raised since the start, by the
// severity that they had then.
func (w *Watch) RaisedBy() map[alarms.Severity]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tally.raised)
}
