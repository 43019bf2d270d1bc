// Package agentx is the subagent side of AgentX (RFC 2741): one connection to the master agent, one session,
// many registrations, every request answered from an immutable view. It knows nothing of HSMs.
package agentx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Session maintains one AgentX session with the master and answers its requests.
type Session struct {
	config Config
	counts counts

	logged map[string]bool // what was said since the last stable session; of the goroutine of Run

	mu    sync.Mutex // guards what follows, and the registrations in config
	open  *link      // nil while not connected
	renew func()     // ends the connection, so that the next one registers anew; nil: there is none
}

// counts are the counters of Stats over all connections so far.
type counts struct {
	requests [256]atomic.Uint64
	errors   atomic.Uint64
	varbinds atomic.Uint64
	opens    atomic.Uint64
	dials    atomic.Uint64
}

// Stats is the state of a Session.
type Stats struct {
	Connected  bool
	Since      time.Time // of the open session; zero while not connected
	Registered []OID     // granted subtrees
	Refused    []OID     // subtrees that are not granted, or not yet
	Requests   map[PDUType]uint64
	Varbinds   uint64 // answered
	Errors     uint64 // requests answered with an error, notWritable included
	Opens      uint64 // sessions opened; one less is the number of reconnects
	Dials      uint64 // connections attempted
}

// New returns a Session that does nothing until Run.
func New(c Config) *Session { return &Session{config: c, logged: make(map[string]bool)} }

// Run serves until ctx is done and then returns nil. It must be called once. It connects and reconnects as often as
// needed; it returns an error only for a Config that cannot work.
func (s *Session) Run(ctx context.Context) error {
	for failures := 0; ctx.Err() == nil; failures++ {
		begun := time.Now()
		c, current, err := s.next(ctx)
		if err != nil {
			return err
		}
		err = s.serve(current, &c)
		if time.Since(begun) > stable {
			failures = 0
			clear(s.logged)
		}
		if ctx.Err() == nil {
			s.explain(&c, err)
		}
		wait.Sleep(ctx, retryDelay(failures))
	}
	return nil
}

// next returns the configuration of the next connection, and a context until it is to
// be renewed.
func (s *Session) next(ctx context.Context) (Config, context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renew != nil {
		s.renew()
	}
	ctx, s.renew = context.WithCancel(ctx)
	c, err := s.config.complete()
	return c, ctx, err
}

// Register replaces the registrations. If they differ, an open session is closed, and
// opened again at once.
func (s *Session) Register(list []Registration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.EqualFunc(list, s.config.Registrations, func(a, b Registration) bool {
		return slices.Equal(a.Subtree, b.Subtree) && a.Priority == b.Priority && a.Context == b.Context
	}) {
		return
	}
	s.config.Registrations = list
	if s.renew != nil {
		s.renew()
	}
}

// stable is the least age of a session after whose end the next attempt follows at once.
const stable = 2 * time.Second

// retryDelay returns the pause after a number of failures in a row: none, then 50 ms doubling to 250 ms, less up to
// half of it as jitter. An attempt is cheap, and so service resumes well within 1 s of the master's return.
func retryDelay(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	d := min(25*time.Millisecond<<min(failures, 4), 250*time.Millisecond)
	return d - rand.N(d/2)
}

// serve runs one connection from dial to end.
func (s *Session) serve(ctx context.Context, c *Config) error {
	network, address, err := ParseAddress(c.Socket)
	if err != nil {
		return err
	}
	s.counts.dials.Add(1)
	dialCtx, cancel := context.WithTimeout(ctx, c.limit())
	defer cancel()
	conn, err := c.Dial(dialCtx, network, address)
	if err != nil {
		return &unreachableError{err}
	}
	defer conn.Close()
	l := newLink(conn, c, &s.counts)
	l.onOpen = func() { s.opened(c, l) }
	defer s.closed(l)
	return l.run(ctx)
}

func (s *Session) opened(c *Config, l *link) {
	s.counts.opens.Add(1)
	s.mu.Lock()
	s.open = l
	s.mu.Unlock()
	if c.Opened != nil {
		c.Opened()
	}
	if s.once("open") {
		c.Log.Info("AgentX session open", "socket", c.Socket, "session", l.id)
	}
}

func (s *Session) closed(l *link) {
	close(l.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == l {
		s.open = nil
	}
}

// Stats returns the state of s. It may be called at any time.
func (s *Session) Stats() Stats {
	st := Stats{
		Requests: make(map[PDUType]uint64),
		Varbinds: s.counts.varbinds.Load(),
		Errors:   s.counts.errors.Load(),
		Opens:    s.counts.opens.Load(),
		Dials:    s.counts.dials.Load(),
	}
	for kind := range s.counts.requests {
		if n := s.counts.requests[kind].Load(); n > 0 {
			st.Requests[PDUType(kind)] = n
		}
	}
	s.mu.Lock()
	l, wanted := s.open, s.config.Registrations
	s.mu.Unlock()
	if l == nil {
		for _, reg := range wanted {
			st.Refused = append(st.Refused, reg.Subtree)
		}
		return st
	}
	st.Connected, st.Since = true, l.since
	st.Registered, st.Refused = l.registrations()
	return st
}

// An unreachableError is a master that could not be connected to.
type unreachableError struct{ error }

func (e *unreachableError) Unwrap() error { return e.error }

// once reports whether message was not logged yet.
func (s *Session) once(message string) bool {
	before := s.logged[message]
	s.logged[message] = true
	return !before
}

// explain logs why there is no session: once per cause, not per attempt.
func (s *Session) explain(c *Config, err error) {
	var unreachable *unreachableError
	switch {
	case err == nil:
	case errors.As(err, &unreachable):
		advice := Advice(c.Socket, err)
		if s.once(cmp.Or(advice, err.Error())) {
			delete(s.logged, "open")
			c.Log.Warn("AgentX master not reachable, will be retried", "socket", c.Socket, "error", err, "advice", advice)
		}
	case s.once(err.Error()):
		delete(s.logged, "open") // the last word is never that it has ended while it is open
		c.Log.Warn("AgentX session ended, will be opened again", "socket", c.Socket, "error", err)
	}
}

// Advice returns the remedy for an error of connecting to the master at socket; "" if none is known.
func Advice(socket string, err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "this user may not use the socket: put `agentXPerms 0660 0755 root GROUP` into snmpd.conf, " +
			"where GROUP is a group of the user that lunawatch runs as, and restart snmpd"
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("snmpd is not running, or snmpd.conf lacks the lines `master agentx` and `agentXSocket %s`", socket)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nobody listens: start snmpd, and see that snmpd.conf has the lines `master agentx` and `agentXSocket %s`", socket)
	}
	return ""
}
