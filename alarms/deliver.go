package alarms

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Delivery counts what happened to a receiver's notifications.
type Delivery struct {
	Delivered uint64
	Failed    uint64    // attempts
	Rejected  uint64    // given up: the receiver will never take them
	Expired   uint64    // given up: not delivered in time
	LostAt    time.Time // when one was last given up
	Error     string    // of the last failed attempt
	Waiting   int       // now
	Oldest    time.Time // when the oldest waiting one was made; zero: none waits
}

// Rejected is the error of a receiver that took a notification and will never
// accept it: trying again does not help.
type Rejected struct{ Err error }

func (r *Rejected) Error() string { return "rejected: " + r.Err.Error() }

func (r *Rejected) Unwrap() error { return r.Err }

// Deliveries returns the counts of every receiver.
func (w *Watch) Deliveries() map[string]Delivery {
	all := make(map[string]Delivery)
	w.mu.Lock()
	for name, d := range w.stats {
		all[name] = *d
	}
	w.mu.Unlock()
	for name, d := range all {
		if n, waiting, _ := w.Journal.Waiting(name); waiting > 0 {
			d.Waiting, d.Oldest = waiting, n.At
			all[name] = d
		}
	}
	return all
}

// deliveryTimeout bounds one attempt.
const deliveryTimeout = 30 * time.Second

// deliver empties the queue of one receiver, in order, however long that
// takes. A receiver that is down delays no other.
func (w *Watch) deliver(ctx context.Context, name string, to Receiver) error {
	var taken uint64
	failures := 0
	for ctx.Err() == nil {
		waited, err := w.next(ctx, name, to, &taken)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			w.count(name, func(d *Delivery) { d.Failed++; d.Error = err.Error() })
			if failures == 1 {
				w.Log.Warn("notification not delivered; trying again until it is", "receiver", name, "err", err)
			}
			wait.Sleep(ctx, retryAfter(failures))
		case err == nil && failures > 0:
			w.Log.Info("notifications are delivered again", "receiver", name, "after_failures", failures)
			failures = 0
			w.look()
		case waited:
			wait.Sleep(ctx, to.Policy.MinInterval)
		default:
			select {
			case <-ctx.Done():
			case <-w.queued[name]:
			}
		}
	}
	return nil
}

// next delivers the oldest notification that waits for a receiver, with Digest
// all that wait, and reports whether there was one. taken is the last that the
// receiver took: it is not told twice because the journal failed to remove it.
func (w *Watch) next(ctx context.Context, name string, to Receiver, taken *uint64) (waited bool, err error) {
	n, waiting, err := w.Journal.Waiting(name)
	if waiting == 0 {
		return false, err
	}
	list := []Notification{n}
	if to.Digest > 0 && err == nil {
		list = w.Journal.Queue(name, digestMost)
		if wait := to.collects(list, time.Now()); wait > 0 {
			w.await(ctx, name, wait)
			return true, nil
		}
	}
	rejected := (*Rejected)(nil)
	before := slices.IndexFunc(list, func(n Notification) bool { return n.Sequence == *taken })
	switch {
	case err != nil:
		w.Log.Error("a notification in the queue is not readable and is left out", "receiver", name, "sequence", n.Sequence, "err", err)
	case before >= 0:
		list = list[:before+1]
	case to.Expire > 0 && time.Since(n.At) > to.Expire:
		list = list[:1]
		w.giveUp(name, n, fmt.Errorf("not delivered for %s", to.Expire), func(d *Delivery) { d.Expired++ })
	default:
		err := w.attempt(ctx, name, to, list)
		switch {
		case errors.As(err, &rejected):
			for _, n := range list {
				w.giveUp(name, n, err, func(d *Delivery) { d.Rejected++ })
			}
		case err != nil:
			return true, err
		default:
			*taken = list[len(list)-1].Sequence
			w.count(name, func(d *Delivery) { d.Delivered += uint64(len(list)) })
		}
	}
	done := make([]uint64, len(list))
	for i, n := range list {
		done[i] = n.Sequence
	}
	return true, w.Journal.Done(name, done...)
}

// digestMost is how many notifications go together.
const digestMost = 200

// collects returns how long more are waited for before list goes as one.
// Somebody waits for a test.
func (r Receiver) collects(list []Notification, now time.Time) time.Duration {
	if len(list) == 0 || len(list) == digestMost || slices.ContainsFunc(list, func(n Notification) bool { return n.Change.Alarm.isTest() }) {
		return 0
	}
	return list[0].At.Add(r.Digest).Sub(now)
}

// await returns after a time, or when something else waits for a receiver.
func (w *Watch) await(ctx context.Context, name string, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	case <-w.queued[name]:
	}
}

func (w *Watch) giveUp(name string, n Notification, why error, count func(*Delivery)) {
	w.Log.Error("notification given up", "receiver", name, "id", n.ID, "err", why)
	w.count(name, func(d *Delivery) { count(d); d.LostAt, d.Error = time.Now(), why.Error() })
	w.look()
}

func (w *Watch) attempt(ctx context.Context, name string, to Receiver, list []Notification) (err error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	var limited []Notification
	for _, n := range list {
		if !w.leavesOut(name, to, n) {
			limited = append(limited, to.Policy.Limit(n))
		}
	}
	switch {
	case len(limited) == 0:
	case len(limited) == 1:
		err = to.Notify(ctx, limited[0])
	default:
		err = to.Together(ctx, limited)
	}
	for _, n := range list {
		w.tested(name, to, n, err)
	}
	return err
}

// leavesOut reports whether n is the end of an alarm that the receiver cannot
// tell from another that it was told of and that stands: it would take both to
// be over.
func (w *Watch) leavesOut(name string, to Receiver, n Notification) bool {
	if n.Change.Kind != Ended || to.Policy.Level != LevelCategory {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, told := range w.kept.Told[name] {
		if key != n.Change.Alarm.Key && told.stands() && to.Policy.Level.hides(key, n.Change.Alarm.Key) {
			return true
		}
	}
	return false
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

// Signs of life of the agent itself, without an alarm.
const (
	Started   Kind = "started"
	Heartbeat Kind = "heartbeat"
)

// heartbeat tells a receiver that the agent runs: at its start, and then at an
// interval. A receiver that is down gets one when it is back, and not all.
func (w *Watch) heartbeat(ctx context.Context, name string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	kind := Started
	for {
		now := time.Now()
		n := Notification{ID: fmt.Sprintf("%s %d", kind, now.UnixNano()), At: now, Change: Change{Kind: kind}}
		if _, waiting, _ := w.Journal.Waiting(name); kind == Started || waiting == 0 {
			if err := w.Journal.Write(Entry{Notify: map[string][]Notification{name: {n}}}); err == nil {
				w.wakeUp(name)
				w.mu.Lock()
				w.tellChanged()
				w.mu.Unlock()
			}
		}
		kind = Heartbeat
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
