package cluster

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// margin is how long before its lease may end an agent stops to send.
const margin = time.Second

// now is the time since the machine was started, its sleep included. It goes on while
// the process is stopped, and no one can set it.
func now() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return time.Duration(1<<63 - 1) // after every deadline
	}
	return time.Duration(t.Nano())
}

// A hold is which shards this agent owns, and until when it may act on it. It is read by
// everybody at any time, and written by the goroutine of Run but for the times.
type hold struct {
	shards   atomic.Pointer[holding]
	joined   atomic.Bool  // the shards are owned under the lease that deadline is of
	deadline atomic.Int64 // [now] until which etcd keeps the lease, less the margin
	degraded atomic.Int64 // [now] until which nobody else can have the shards, less the margin; 0: not degraded
}

type holding struct {
	fence  [Shards]int64 // create revision of the owner key; 0: not owned
	giving [Shards]bool  // about to be given up: nothing new is begun
}

func (h *hold) get() holding {
	if p := h.shards.Load(); p != nil {
		return *p
	}
	return holding{}
}

// change replaces what is held. Only one goroutine may.
func (h *hold) change(do func(*holding)) {
	next := h.get()
	do(&next)
	h.shards.Store(&next)
}

func (h *hold) owned() (shards []int) {
	held := h.get()
	for n, fence := range held.fence {
		if fence != 0 {
			shards = append(shards, n)
		}
	}
	return shards
}

// until returns the end of the time in which this agent may act as the owner.
func (h *hold) until() time.Duration {
	until := h.degraded.Load()
	if h.joined.Load() {
		until = max(until, h.deadline.Load())
	}
	return time.Duration(until)
}

// acts reports whether this agent owns a shard now.
func (h *hold) acts(shard int) bool {
	p := h.shards.Load()
	return p != nil && p.fence[shard] != 0 && !p.giving[shard] && now() < h.until()
}

func (h *hold) give(shards []int) {
	h.change(func(held *holding) {
		for _, n := range shards {
			held.giving[n] = true
		}
	})
}

func (h *hold) drop(shards []int) {
	h.change(func(held *holding) {
		for _, n := range shards {
			held.fence[n], held.giving[n] = 0, false
		}
	})
}
