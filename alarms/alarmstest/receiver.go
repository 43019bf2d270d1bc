package alarmstest

import (
	"context"
	"slices"
	"sync"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Receiver keeps what it is given.
type Receiver struct {
	Answer func(n alarms.Notification) error // nil: always taken

	mu       sync.Mutex
	attempts []string // IDs
	taken    []alarms.Notification
}

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

// Attempts returns copies of what it was given.
func (r *Receiver) Attempts() (attempts []string, taken []alarms.Notification) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.attempts), slices.Clone(r.taken)
}

func (r *Receiver) Received() (list []string) {
	_, taken := r.Attempts()
	for _, n := range taken {
		list = append(list, Describe([]alarms.Change{n.Change})...)
	}
	return list
}

func (r *Receiver) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts, r.taken = nil, nil
}
