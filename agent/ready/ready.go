// Package ready notifies systemd that the agent is ready, what it waits for, and that it
// lives. It knows nothing of what the agent does.
package ready

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

const (
	// readyWithin is how long systemd waits for what does not come: it would end an
	// agent that watches all the rest.
	readyWithin = time.Minute
	// statusPause is the least time between two messages to systemd.
	statusPause = 100 * time.Millisecond
	// maxNamed is how many things a status names.
	maxNamed = 5
)

// A Waiting is what must be there before systemd is notified that the agent is ready,
// and whether the evaluation of alarms runs. Its methods may be called at any time.
type Waiting struct {
	changed, alive chan struct{}

	mu      sync.Mutex
	missing []missing // in the order in which they were begun
}

// A missing thing, and why it is.
type missing struct{ name, why string }

// New returns a Waiting for nothing.
func New() *Waiting {
	return &Waiting{changed: make(chan struct{}, 1), alive: make(chan struct{}, 1)}
}

// Await has the agent wait for something until it has arrived.
func (r *Waiting) Await(name, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing = append(r.missing, missing{name, why})
	wait.Signal(r.changed)
}

// Arrived ends Await. Of what nobody waits for it does nothing.
func (r *Waiting) Arrived(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.missing, func(m missing) bool { return m.name == name }); i >= 0 {
		r.missing = slices.Delete(r.missing, i, i+1)
		wait.Signal(r.changed)
	}
}

// Tried awaits a source, which arrives with its first observation: a failure is one, too.
func (r *Waiting) Tried(source string, report func(hsm.Observation)) func(hsm.Observation) {
	r.Await(source, "it has neither answered nor failed")
	arrived := sync.OnceFunc(func() { r.Arrived(source) })
	return func(o hsm.Observation) {
		report(o)
		arrived()
	}
}

func (r *Waiting) left() []missing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.missing)
}

// Evaluated is called after each evaluation of alarms.
func (r *Waiting) Evaluated() { wait.Signal(r.alive) }

// Notify sends messages of sd_notify(3) until ctx is done: what is awaited; that the
// agent is ready, once nothing is or readyWithin is over; then the summary, whenever
// changes closes its channel; and a sign of life after each evaluation.
func (r *Waiting) Notify(ctx context.Context, send func(string), summary func() string, changes func() <-chan struct{}) {
	begun, late := time.Now(), time.After(readyWithin)
	ready, before := false, ""
	for {
		changed, left := changes(), r.left()
		var message []string
		if !ready && (len(left) == 0 || time.Since(begun) >= readyWithin) {
			ready = true
			message = append(message, daemon.SdNotifyReady)
		}
		if status := status(ready, summary(), left); status != before {
			message, before = append(message, "STATUS="+status), status
		}
		if len(message) > 0 {
			send(strings.Join(message, "\n"))
		}
		wait.Sleep(ctx, statusPause)
		select {
		case <-ctx.Done():
			send(daemon.SdNotifyStopping)
			return
		case <-r.alive:
			send(daemon.SdNotifyWatchdog)
		case <-r.changed:
		case <-changed:
		case <-late:
		}
	}
}

// status returns one line about an agent.
func status(ready bool, summary string, left []missing) string {
	if len(left) == 0 {
		return summary
	}
	var names []string
	for _, m := range left[:min(len(left), maxNamed)] {
		if ready {
			m.name += " (" + m.why + ")"
		}
		names = append(names, m.name)
	}
	if more := len(left) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	text := "waiting for " + strings.Join(names, ", ")
	if ready {
		text = summary + "; still " + text
	}
	return strings.Join(strings.Fields(text), " ")
}
