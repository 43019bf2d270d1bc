// Package notify plans what receivers are notified of, limits what they may
// learn, and delivers it from their queues. It knows nothing of how a receiver
// is reached.
package notify

import (
	"context"
	"fmt"
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

// Later is the error of a receiver that asks to be tried again after some time.
type Later struct {
	Err   error
	After time.Duration
}

// Error implements error.
func (l *Later) Error() string { return fmt.Sprintf("%s; it asks for a pause of %s", l.Err, l.After) }

// Unwrap returns why the receiver did not take it.
func (l *Later) Unwrap() error { return l.Err }

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
	// Together delivers several notifications by one message that names each; nil:
	// each is delivered by itself.
	Together func(context.Context, []alarms.Notification) error
	// Digest is how long all notifications wait for others; 0: only many at once
	// are delivered together.
	Digest time.Duration
}
