package alarmstest

import (
	"context"
	"slices"
	"sync"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Receiver is a notifier that records what it is given.
type Receiver struct {
	Answer func(n alarms.Notification) error // nil: always taken

	mu       sync.Mutex
	attempts []string // IDs
	taken    []alarms.Notification
}

// Notify records n, and takes it if Answer does.
func (r *Receiver) Notify(ctx context.Context, n alarms.Notification) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, n.ID)
	if r.Answer != nil {
		if err := r.Answer(n); err != nil {
			return err
		}
	}
	r.taken = append(r.taken, n)
	return ctx.Err()
}

// Attempts returns the IDs of what it was given, and what it took.
func (r *Receiver) Attempts() (attempts []string, taken []alarms.Notification) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.attempts), slices.Clone(r.taken)
}

// Received describes what was taken, in its order.
func (r *Receiver) Received() (list []string) {
	_, taken := r.Attempts()
	for _, n := range taken {
		list = append(list, Describe([]alarms.Change{n.Change})...)
	}
	return list
}

// Forget drops what was recorded.
func (r *Receiver) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts, r.taken = nil, nil
}
