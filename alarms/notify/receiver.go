// Package notify plans what receivers are notified of, limits what they may
// learn, and delivers it from their queues. It knows nothing of how a receiver
// is reached.
package notify

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// Rejected is the error of a receiver that will never accept a notification:
// retrying does not help.
type Rejected struct{ Err error }

// Error implements error.
func (r *Rejected) Error() string { return "rejected: " + r.Err.Error() }

// Unwrap returns why the receiver rejected it.
func (r *Rejected) Unwrap() error { return r.Err }

// A Notifier delivers one notification. Retry, order, durability and counters
// are written once, around it: after an error it is retried, unless the error
// is [Rejected].
type Notifier interface {
	Notify(ctx context.Context, n alarms.Notification) error
}

// A Receiver is somebody who is notified of alarms.
type Receiver struct {
	Notifier
	Route
	// Confirms: what Notify took has arrived; otherwise it was only sent.
	Confirms bool
	// Digest is how long notifications wait for others, to be delivered by one
	// call of Together; 0: each is delivered by itself, and Together is nil.
	Digest   time.Duration
	Together func(context.Context, []alarms.Notification) error
}
