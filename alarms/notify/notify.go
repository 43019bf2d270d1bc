package notify

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// Rejected is the error of a receiver that took a notification and will never
// accept it: trying again does not help.
type Rejected struct{ Err error }

func (r *Rejected) Error() string { return "rejected: " + r.Err.Error() }

func (r *Rejected) Unwrap() error { return r.Err }

// A Notifier delivers one notification. Retry, order, durability and counters
// are written once, around it: an error means that it is tried again, unless
// it is [Rejected].
type Notifier interface {
	Notify(ctx context.Context, n alarms.Notification) error
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
	Together func(context.Context, []alarms.Notification) error
}
