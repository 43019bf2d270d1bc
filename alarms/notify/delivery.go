package notify

import (
	"time"
)

// A Delivery counts what happened to a receiver's notifications since the
// start.
type Delivery struct {
	Delivered uint64
	Failed    uint64    // attempts
	Rejected  uint64    // given up: the receiver will never take them
	Expired   uint64    // given up: not delivered in time
	LostAt    time.Time // when one was last given up
	Lost      string    // its ID
	// Unrefreshed is since when a receiver that forgets could not be reminded of
	// what is active; zero: it could.
	Unrefreshed time.Time
	Error       string    // of the last failed attempt
	Waiting     int       // in the queue, now
	Oldest      time.Time // when the oldest waiting one was queued; zero: none waits

	owed time.Time // from when on a receiver that answers is notified again of what was given up; zero: nothing was
}

// Deliveries returns the counts of every receiver.
func (s *Sender) Deliveries() map[string]Delivery {
	all := make(map[string]Delivery)
	s.mu.Lock()
	for name, q := range s.queues {
		all[name] = q.stats
	}
	s.mu.Unlock()
	for name, d := range all {
		if n, waiting, _ := s.Journal.Waiting(name); waiting > 0 {
			d.Waiting, d.Oldest = waiting, n.At
			all[name] = d
		}
	}
	return all
}

func (s *Sender) count(name string, change func(*Delivery)) {
	q := s.queue(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&q.stats)
}
