// Package watch puts alarms together: it evaluates what is read, stores what
// changes, has receivers notified, and does what operators ask. It knows
// nothing of how data are read, or of how a receiver is reached.
package watch

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/audit"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Watch evaluates snapshots and log lines as they come, maintains the
// journal, and has every receiver notified. Its methods are safe for concurrent
// use once Open has returned.
type Watch struct {
	Setup   // until Open; then by Configure
	Journal *journal.Journal
	Store   *hsm.Store
	Log     *slog.Logger

	current atomic.Pointer[Setup]

	// Alive is called after each evaluation of what is read, and so never while one
	// hangs. It must not block. AliveEvery is the longest time between two evaluations
	// of an idle estate; 0, and at most: an hour.
	Alive      func() // nil: nothing is called
	AliveEvery time.Duration

	// Committed is called with each change of alarms once it is stored. It must not block.
	Committed func(changes []alarms.Change, at time.Time) // nil: nothing is called

	// May reports whether this agent is the one that may send a notification now; nil: it
	// is the only one.
	May func(n alarms.Notification) bool

	lines sync.Mutex // orders lines; guards what follows
	seen  seenLines
	audit audit.Sequences
	zones map[string]time.Duration // by device: how far its clock is ahead, by its time zone

	sender   *notify.Sender
	evaluate chan struct{} // wakes polls
	maintain chan struct{} // wakes maintainJournal

	mu               sync.Mutex // guards what follows and orders writes to the journal
	state            journal.State
	nextNotification time.Time            // when some receiver must be notified although nothing changes
	asleep           time.Time            // until when polls sleeps
	incidentsStored  bool                 // nothing has changed since
	stored           map[string]time.Time // by log: when its cursor was last stored

	tally   tally
	rows    mibRows
	changed chan struct{} // closed when something changes; nil: nobody waits

	places    map[string]journal.Place  // by device that this agent owns; guarded by lines
	recent    map[string][]lineFindings // by device that agents share: of the last minutes; guarded by lines
	heard     map[string][]heardLine    // by device that another agent owns: its lines of the last minutes; guarded by lines
	forwarded sync.Mutex                // while lines that other agents forwarded are evaluated
	postponed atomic.Bool               // some of them wait
	gained    atomic.Bool               // devices came from other agents, with their series

	touched map[string]bool // devices whose alarms changed other than by polls; guarded by mu
	anew    bool            // every device is to be evaluated; guarded by mu

	// Of the goroutine of polls.
	remembered   map[string]storedMemory // by device
	evaluated    map[string]evaluated    // by device
	evaluatedAll time.Time

	series map[journal.Series][]journal.Sample // of the goroutine of polls
}

// Open loads what the journal holds. It must be called once, before anything
// else.
func (w *Watch) Open() error {
	w.current.Store(&w.Setup)
	if err := w.trim(); err != nil {
		return err
	}
	state, err := w.Journal.Load()
	if err != nil {
		return err
	}
	w.mu.Lock() // views may ask already
	w.state = state
	w.mu.Unlock()
	w.restoreProofs(time.Now())
	if w.series, err = w.Journal.LoadSamples(); err != nil {
		return err
	}
	files, err := w.Journal.Audit()
	if err != nil {
		return err
	}
	if w.audit, err = audit.Decode(files); err != nil {
		w.Log.Warn("gaps in an audit log while the agent was down are not seen", "err", err)
	}
	if what, open := w.Journal.Damage(); what != "" {
		w.Log.Error("the state was lost", "why", what, "receivers_were_notified_of", open)
	}
	if state.Ahead > 0 {
		w.Log.Warn("times in the state are in the future, and are moved back", "by", state.Ahead)
	}
	w.zones = make(map[string]time.Duration)
	w.stored, w.evaluate = make(map[string]time.Time), make(chan struct{}, 1)
	w.evaluated, w.touched = make(map[string]evaluated), make(map[string]bool)
	w.maintain = make(chan struct{}, 1)
	w.sender = &notify.Sender{Journal: w.Journal, Receivers: w.setup().Receivers, Log: w.Log, Masked: w.masked, Changed: w.delivered, GivenUp: w.givenUp, Answers: w.answers, Owed: w.owed, Active: w.known, May: w.May}
	if w.Journal.Share != nil {
		w.sender.Member = w.Journal.Share.Member
	}
	w.sender.Open()
	w.knowReceivers()
	return nil
}

func (w *Watch) trim() error {
	return w.Journal.Trim(time.Now().Add(-w.setup().Settings.HistoryAge), w.setup().Settings.HistoryAlarms, slices.Collect(maps.Keys(w.setup().Receivers)))
}

// Run evaluates and delivers until ctx is done.
func (w *Watch) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.polls(ctx) })
	g.Go(func() error { return w.maintainJournal(ctx) })
	g.Go(func() error { return w.sender.Run(ctx) })
	if w.Journal.Share != nil {
		g.Go(func() error { return w.forwardLines(ctx) })
	}
	return g.Wait()
}

// polls evaluates every new Snapshot, and again when data become stale or time
// alone changes something.
func (w *Watch) polls(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		now := time.Now()
		snap := w.Store.Latest()
		err := w.evaluateSnapshot(snap, now)
		switch {
		case err != nil && !failing:
			w.Log.Error("alarms not stored; retrying until they are", "err", err)
		case err == nil && failing:
			w.Log.Info("alarms are stored again")
		}
		failing = err != nil
		if w.Alive != nil {
			w.Alive()
		}
		w.sleep(ctx, snap, w.nextEvaluation(now, failing))
	}
	return nil
}

// evaluateSnapshot commits what a Snapshot shows, and remembers it: some devices at a
// time, so that no line of a log waits for the whole estate.
func (w *Watch) evaluateSnapshot(snap *hsm.Snapshot, now time.Time) error {
	devices, all := w.toEvaluate(snap, now)
	for {
		part := devices[:min(len(devices), together)]
		last := len(part) == len(devices)
		err := w.evaluateDevices(part, now, func(s alarms.State) []alarms.Finding {
			findings := rules.Evaluate(snap, part, s, w.setup().Settings.Thresholds, now)
			if all && last {
				findings = slices.Concat(findings, rules.Unwatched(snap, s, now), w.withoutReceiver(s, now))
			}
			return findings
		})
		if err != nil {
			w.wereEvaluated(devices, now, err)
			if all {
				w.evaluatedAll = time.Time{}
			}
		}
		if err != nil || last {
			return err
		}
		devices = devices[len(part):]
	}
}

// together is how many devices are evaluated at once.
const together = 32

// evaluateDevices commits the findings of devices, and on Lunawatch itself, and
// remembers what the devices show.
func (w *Watch) evaluateDevices(devices []*hsm.Device, now time.Time, evaluate func(alarms.State) []alarms.Finding) error {
	more := append(w.selfFindings(now), w.forecasts(devices, now)...)
	w.mu.Lock()
	err := w.stepLocked(journal.Entry{}, func(s alarms.State) []alarms.Finding { return append(evaluate(s), more...) }, now, false)
	w.mu.Unlock()
	w.wereEvaluated(devices, now, err)
	if err == nil {
		w.remember(devices, now)
	}
	return err
}

// sleep returns when there is a newer Snapshot, at a time, or when woken by
// evaluateNow.
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
	_, _ = w.Store.Wait(ctx, snap) // its error is the context's
	cancel()
	<-done
}

// evaluateNow wakes polls.
func (w *Watch) evaluateNow() {
	wait.Signal(w.evaluate)
}

// How long nothing is evaluated at most: after a change, which lines plan for their
// own alarms only, and where nothing changes. What depends on time says when it
// does, so that an idle estate costs nothing.
const (
	afterChange = time.Minute
	idleLimit   = time.Hour
)

// nextEvaluation returns when to evaluate again even if nothing new is read.
func (w *Watch) nextEvaluation(now time.Time, failing bool) time.Time {
	if failing {
		return now.Add(time.Second)
	}
	late := w.nextLate(now)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state.Settle(now)
	wake := now.Add(idleLimit)
	if w.AliveEvery > 0 && w.AliveEvery < idleLimit {
		wake = now.Add(w.AliveEvery)
	}
	for _, at := range []time.Time{w.nextDue(), late,
		w.state.Next(w.setup().Settings.Damping), w.nextNotification, w.silenceEdge(now)} {
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
		s = s.At(now)
		for _, at := range []time.Time{s.From, s.Until} {
			if at.After(now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// Report evaluates findings of the agent about itself and its sources.
func (w *Watch) Report(findings []alarms.Finding) error {
	return w.step(journal.Entry{}, func(alarms.State) []alarms.Finding { return findings }, time.Now())
}

// cursorDelay is how long the cursor behind lines without findings may wait to
// be stored: read again after a crash, they have none again.
const cursorDelay = 5 * time.Second

// step commits entry with the changes that the findings of evaluate cause. On
// an error nothing has changed.
func (w *Watch) step(entry journal.Entry, evaluate func(alarms.State) []alarms.Finding, now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stepLocked(entry, evaluate, now, true)
}

// stepLocked is step with w.mu held. touch: the devices whose alarms change are to be
// evaluated again.
func (w *Watch) stepLocked(entry journal.Entry, evaluate func(alarms.State) []alarms.Finding, now time.Time, touch bool) error {
	findings := w.own(evaluate(w.state.State))
	entry.Changes = append(entry.Changes, alarms.Eval(w.state.State, findings, w.setup().Settings.Damping, now)...)
	idle := len(findings) == 0 && now.Sub(w.stored[entry.File]) < cursorDelay
	err := w.commit(entry, idle, now)
	if err == nil && touch {
		w.touch(entry.Changes)
	}
	return err
}

// commit stores entry with the notifications that it causes, and then makes it
// part of the state. An entry that only moves a cursor waits if idle is set.
// For lines of a log, only the alarms that they change are planned: there can
// be many of both. w.mu is held.
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
	case len(entry.Changes) > 0, len(entry.Events) > 0, len(entry.Places) > 0, entry.Silence != nil, len(entry.Notify) > 0:
	case entry.File == "", idle:
		w.nextNotification = again
		return nil
	}
	for _, part := range w.Journal.Parts(entry) {
		if err := w.Journal.Write(part); err != nil {
			return err
		}
		w.committed(part, again, now)
	}
	return nil
}

// committed makes an entry that is stored part of the state. w.mu is held.
func (w *Watch) committed(entry journal.Entry, again, now time.Time) {
	w.stored[entry.File] = now
	w.nextNotification = again
	w.incidentsStored = w.incidentsStored && len(entry.Notified) == 0
	if !w.incidentsStored || w.Journal.Trouble() != nil {
		wait.Signal(w.maintain)
	}
	w.state.Take(entry, now)
	w.tally.add(entry.Changes)
	w.show(entry.Changes, now)
	for _, c := range entry.Changes {
		if a := c.Alarm; c.Kind != alarms.Seen {
			w.Log.Info("alarm", "change", c.Kind, "hsm", a.Device, "group", a.Group, "object", a.Object, "severity", a.Severity, "test", a.Test, "text", a.Text)
		}
	}
	for name := range entry.Notify {
		w.sender.Wake(name)
	}
	if at := now.Add(afterChange); (len(entry.Changes) > 0 || len(entry.Notify) > 0) && at.Before(w.asleep) {
		w.asleep = at
		time.AfterFunc(afterChange, w.evaluateNow)
	}
	if soon := alarms.Sooner(again, w.state.Next(w.setup().Settings.Damping)); !soon.IsZero() && soon.Before(w.asleep) {
		w.evaluateNow()
	}
}

// show has every view show changes that are part of the state. w.mu is held.
func (w *Watch) show(changes []alarms.Change, now time.Time) {
	if w.Committed != nil && len(changes) > 0 {
		w.Committed(changes, now)
	}
	w.rows.drop(changes)
	w.signalChanged()
}

// sum returns the counts of the devices in more, with more added.
func (w *Watch) sum(more map[string]alarms.Events) map[string]alarms.Events {
	total := make(map[string]alarms.Events)
	for device, add := range more {
		total[device] = w.state.Events[device].Plus(add)
	}
	return total
}

// Changed returns a channel that is closed at the next change of alarms,
// silences, queues or deliveries.
func (w *Watch) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// signalChanged closes the channel of Changed. w.mu is held.
func (w *Watch) signalChanged() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
