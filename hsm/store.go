package hsm

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A Store has the latest Snapshot. It is made by [NewStore], and safe for concurrent
// use.
type Store struct {
	latest atomic.Pointer[Snapshot]

	mu      sync.Mutex // serialises changes; guards changed
	changed chan struct{}
}

// NewStore returns a Store with an empty Snapshot.
func NewStore() *Store {
	s := &Store{changed: make(chan struct{})}
	s.latest.Store(&Snapshot{})
	return s
}

// Latest returns the current Snapshot. It never blocks.
func (s *Store) Latest() *Snapshot { return s.latest.Load() }

// Apply adds obs to the Snapshot and wakes every waiter.
func (s *Store) Apply(obs Observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace(s.Latest().With(obs))
}

// replace makes next the latest Snapshot. s.mu is held.
func (s *Store) replace(next *Snapshot) {
	s.latest.Store(next)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Wait blocks until the latest Snapshot is not seen, and returns it, or the error of ctx
// once that is done. A slow waiter skips Snapshots; it never delays Apply.
func (s *Store) Wait(ctx context.Context, seen *Snapshot) (*Snapshot, error) {
	for {
		s.mu.Lock()
		snap, changed := s.Latest(), s.changed
		s.mu.Unlock()
		if seen == nil || snap.Seq != seen.Seq {
			return snap, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

// Expect adds devices of a kind before they are observed, so that views show what is
// missing.
func (s *Store) Expect(kind Kind, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Snapshot{Seq: s.Latest().Seq + 1, Devices: slices.Clone(s.Latest().Devices)}
	for _, name := range names {
		next.device(name).Kind = kind
	}
	s.replace(next)
}

// Forget removes devices.
func (s *Store) Forget(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Snapshot{Seq: s.Latest().Seq + 1}
	for _, d := range s.Latest().Devices {
		if !slices.Contains(names, d.Name) {
			next.Devices = append(next.Devices, d)
		}
	}
	s.replace(next)
}
