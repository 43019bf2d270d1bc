package syslog

import (
	"cmp"
	"slices"
	"sync"
)

// A Reason is why lines were refused or dropped.
type Reason string

// The reasons.
const (
	RefusedUnknown    Reason = "unknown peer"
	RefusedHost       Reason = "host that the peer may not speak for"
	RefusedConnection Reason = "too many connections"
	DroppedTooFast    Reason = "too fast"
	DroppedQueueFull  Reason = "queue full"
)

// A Refusal counts what was refused for one reason.
type Refusal struct {
	Reason Reason
	Device string // "": it is not known of which
	Peer   Peer   // the last
	N      uint64
}

// refusals are those since they were last taken. Reasons and devices bound them.
type refusals struct {
	mu  sync.Mutex
	all map[refused]*Refusal
}

type refused struct {
	reason Reason
	device string
}

func (r *refusals) add(reason Reason, device string, peer Peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.all[refused{reason, device}]
	if x == nil {
		if r.all == nil {
			r.all = make(map[refused]*Refusal)
		}
		x = &Refusal{Reason: reason, Device: device}
		r.all[refused{reason, device}] = x
	}
	x.Peer = peer
	x.N++
}

// Refusals returns what was refused since the last call.
func (s *Listener) Refusals() []Refusal {
	s.refusals.mu.Lock()
	defer s.refusals.mu.Unlock()
	var list []Refusal
	for _, x := range s.refusals.all {
		list = append(list, *x)
	}
	s.refusals.all = nil
	slices.SortFunc(list, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Device, b.Device))
	})
	return list
}
