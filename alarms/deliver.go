package alarms

import (
	"context"
	"math/rand/v2"
	"time"
)

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
func (w *Watch) deliver(ctx context.Context, name string, to Notifier) error {
	var taken uint64
	failures := 0
	for ctx.Err() == nil {
		waited, err := w.next(ctx, name, to, &taken)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			w.count(name, func(d *Delivery) { d.Failed++ })
			if failures == 1 {
				w.Log.Warn("notification not delivered; trying again until it is", "receiver", name, "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter(failures)):
			}
		case err == nil && failures > 0:
			w.Log.Info("notifications are delivered again", "receiver", name, "after_failures", failures)
			failures = 0
		case !waited:
			select {
			case <-ctx.Done():
			case <-w.queued[name]:
			}
		}
	}
	return nil
}

// next delivers the oldest notification that waits for a receiver, and reports
// whether there was one. taken is the last that the receiver took: it is not
// told twice because the journal failed to remove it.
func (w *Watch) next(ctx context.Context, name string, to Notifier, taken *uint64) (waited bool, err error) {
	n, waiting, err := w.Journal.Waiting(name)
	switch {
	case waiting == 0:
		return false, err
	case err != nil:
		w.Log.Error("a notification in the queue is not readable and is left out", "receiver", name, "sequence", n.Sequence, "err", err)
	case n.Sequence != *taken:
		if err := attempt(ctx, to, n); err != nil {
			return true, err
		}
		*taken = n.Sequence
		w.count(name, func(d *Delivery) { d.Delivered++ })
	}
	return true, w.Journal.Done(name, n.Sequence)
}

func attempt(ctx context.Context, to Notifier, n Notification) error {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	return to.Notify(ctx, n)
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
