package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Status is how the cluster is, as one agent sees it.
type Status struct {
	Members  []Member       // by name; none: not known
	Owners   [Shards]string // names; "": nobody, or not known
	Moves    map[int]string // where operators want shards to be
	Revision int64          // of etcd, that all of this is of; 0: not known
	Joined   bool           // this agent has a lease, and has read the state
	Err      error          // why it is not; nil: it is, or has just begun to
	Lease    time.Duration  // since its last proof; of use only if Joined
	Away     bool           // etcd does not take what is written
	Degraded bool           // this agent goes on without etcd
	Since    time.Duration  // for how long etcd has not answered; 0: it answers
	Etcd     []Endpoint     // in the order of Settings
}

// An Endpoint is how one server of etcd answers.
type Endpoint struct {
	URL     string
	Asked   bool // it was ever asked
	Err     error
	Latency time.Duration // of the last request that it answered; 0: of none
}

// Status returns how the cluster is.
func (c *Cluster) Status() Status {
	c.mu.Lock()
	s := Status{Revision: c.view.revision, Moves: maps.Clone(c.view.moves)}
	for _, name := range slices.Sorted(maps.Keys(c.view.members)) {
		m := c.view.members[name]
		m.Draining = c.view.draining[name]
		s.Members = append(s.Members, m)
	}
	for n, o := range c.view.owners {
		s.Owners[n] = o.name
	}
	s.Err = c.out
	c.mu.Unlock()
	s.Joined, s.Away, s.Degraded = c.hold.joined.Load(), c.away.Load(), c.Degraded()
	s.Lease = now() - time.Duration(c.hold.deadline.Load()) + c.Settings.ttl() - margin
	if c.silent() {
		s.Since = now() - time.Duration(c.answeredT.Load())
	}
	if l := c.link.Load(); l != nil {
		for _, e := range l.ends {
			e.mu.Lock()
			s.Etcd = append(s.Etcd, Endpoint{e.url, e.asked, e.err, e.latency})
			e.mu.Unlock()
		}
	}
	return s
}

// Drain has an agent give up its shards and get none, or ends that. It holds until it is
// ended, over restarts.
func (c *Cluster) Drain(ctx context.Context, name string, drain bool) error {
	return c.wish(ctx, place{kind: drainKey, name: name}, name, drain)
}

// Move has a shard owned by an agent, while that is there; "": by whom the names make its
// owner.
func (c *Cluster) Move(ctx context.Context, shard int, name string) error {
	if shard < 0 || shard >= Shards {
		return fmt.Errorf("shard %d is none of 0 to %d", shard, Shards-1)
	}
	return c.wish(ctx, place{kind: moveKey, shard: shard}, name, name != "")
}

func (c *Cluster) wish(ctx context.Context, p place, value string, put bool) error {
	l := c.link.Load()
	if l == nil {
		return ErrAway
	}
	return l.do(ctx, 5*time.Second, func(ctx context.Context, client *clientv3.Client) (err error) {
		if key := p.key(c.Settings.prefix()); put {
			_, err = client.Put(ctx, key, value)
		} else {
			_, err = client.Delete(ctx, key)
		}
		return err
	})
}
