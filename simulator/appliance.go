package simulator

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// wire is the faults between an appliance and its clients.
type wire struct {
	slow     time.Duration
	answer   fault
	refuse   bool // refuses the password
	otherKey bool
	gone     bool
	down     bool // rebooting

	// Of the HTTPS side.
	restGone     bool
	restOther    bool // shows the other certificate
	restQuirks   bool // JSON as in the vendor's documents
	restEpoch    int  // changes when its connections end
	restSessions int  // changes when its sessions end
}

// A fault is what happens to an answer on the wire.
type fault int

const (
	none fault = iota
	hang
	hangCard // what needs the card hangs
	drop
	truncate
	garbage
)

// hangs reports whether a command is never answered.
func (w wire) hangs(needsCard bool) bool {
	return w.answer == hang || w.answer == hangCard && needsCard
}

// away reports whether the appliance does not listen.
func (w wire) away() bool { return w.gone || w.down }

// link returns the part of the wire whose change ends all sessions.
func (w wire) link() wire {
	return wire{refuse: w.refuse, otherKey: w.otherKey, gone: w.gone, down: w.down}
}

// web returns the part of the wire whose change ends the connections of the HTTPS side.
func (w wire) web() wire {
	return wire{restGone: w.restGone, down: w.down, restEpoch: w.restEpoch}
}

// An appliance is one simulated Luna: its state, its logs and its sessions.
type appliance struct {
	spec   spec
	dir    string                       // of its logs; "": it stores none
	listen func() (net.Listener, error) // listens on its address again
	users  users
	keys   [2]ssh.Signer // the host key, and the one after the event host-key
	own    *keyring      // its keys
	rsa    *keyring      // its RSA keys
	rest   *restServer   // nil without a web server
	second time.Duration // of the monitor

	// For [Counts].
	connections, logins, commands atomic.Int64
	answered                      atomic.Bool

	mu     sync.Mutex
	state  *state
	linked chan struct{} // closed when the link of the wire changes
	err    error         // the first failure to write a log
}

// users are the credentials that may log in.
type users struct {
	password   string
	authorized map[string]bool // public keys in wire format
}

func newAppliance(sp spec, seed uint64, dir string, log *slog.Logger) *appliance {
	keys := &keyring{dir: dir}
	a := &appliance{spec: sp, dir: dir, own: keys, rsa: keys, state: newState(sp, seed, time.Now()), second: time.Second, linked: make(chan struct{})}
	for _, t := range sp.timeline {
		a.state.after(t.at, func(s *state) {
			if err := s.apply(t.do); err != nil {
				log.Warn("event of the timeline failed", "appliance", sp.name, "event", t.do.String(), "error", err)
			}
		})
	}
	return a
}

// do advances the state to now, calls f with it, and writes the logs.
func (a *appliance) do(f func(*state)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.state.wire
	a.state.advance(time.Now())
	f(a.state)
	if a.dir != "" {
		a.err = cmp.Or(a.err, write(a.dir, a.state.out))
	}
	a.state.out = a.state.out[:0]
	if a.rest != nil && a.state.wire.web() != before.web() {
		a.rest.kept.close()
	}
	if a.state.wire.link() != before.link() {
		close(a.linked)
		a.linked = make(chan struct{})
	}
}

// wireNow returns the current wire, and a channel that is closed when its link changes.
func (a *appliance) wireNow() (wire, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.wire, a.linked
}

// evolve advances the appliances while there are no requests.
func evolve(ctx context.Context, appliances []*appliance) error {
	for wait.Sleep(ctx, time.Second) {
		for _, a := range appliances {
			if a.rests() {
				continue
			}
			var err error
			a.do(func(*state) { err = a.err })
			if err != nil {
				return fmt.Errorf("write the logs of %s: %w", a.spec.name, err)
			}
		}
	}
	return nil
}

// rests reports whether it is enough that the state advances when somebody asks: nothing
// is logged, and nothing is due.
func (a *appliance) rests() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.dir == "" && len(a.state.due) == 0
}

func (a *appliance) inject(e Event) (err error) {
	a.do(func(s *state) { err = s.apply(e) })
	return err
}
