package cluster

import (
	"context"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A trouble is what is known of etcd while it does not answer. Times are of [now].
type trouble struct {
	away      atomic.Bool  // something was not written, or may not be, and Healed has not succeeded since
	answeredT atomic.Int64 // sending of the last keepalive that was answered
	failedT   atomic.Int64 // sending of the last that was not
	recovered atomic.Int64 // when etcd answered again
	nobody    atomic.Int64 // asking of the others, none of whom reached etcd
	alone     atomic.Bool  // this agent was the only member that was last known
	retry     atomic.Int64 // not before this, Healed is called again
	kick      chan struct{}
	ask       chan struct{}
}

// silent reports whether the last keepalive was not answered.
func (t *trouble) silent() bool { return t.failedT.Load() > t.answeredT.Load() }

// answered: what was sent to etcd at begun was answered, and prolonged the lease.
func (c *Cluster) answered(begun time.Duration) {
	if c.silent() {
		c.recovered.Store(int64(now()))
	}
	c.answeredT.Store(int64(max(begun, time.Duration(c.failedT.Load()))))
	c.hold.deadline.Store(int64(begun + c.Settings.ttl() - margin))
}

// failed: what was sent to etcd at begun was not answered.
func (c *Cluster) failed(begun time.Duration) {
	c.failedT.Store(int64(max(begun, time.Duration(c.answeredT.Load())+1)))
	c.away.Store(true)
	wait.Signal(c.ask)
}

// unwritten: a commit was not answered, or refused for want of
// space. The next keepalive, which is due now, shows whether etcd is there.
func (c *Cluster) unwritten() {
	c.away.Store(true)
	wait.Signal(c.kick)
}

// Reaches asks etcd now, for another agent that does not reach it. It takes a quarter
// of a second at most.
func (c *Cluster) Reaches(ctx context.Context) bool {
	l := c.link.Load()
	if l == nil {
		return false
	}
	begun := now()
	answers := make(chan error, len(l.ends))
	for _, e := range l.ends {
		go func() {
			answers <- e.do(ctx, 250*time.Millisecond, func(ctx context.Context, client *clientv3.Client) error {
				_, err := client.Get(ctx, c.Settings.prefix(), clientv3.WithCountOnly())
				return err
			})
		}()
	}
	for range l.ends {
		if <-answers == nil {
			return true
		}
	}
	if ctx.Err() == nil {
		c.failed(begun) // so that it waits, too, before it takes anything over
		wait.Signal(c.kick)
	}
	return false
}

// askElsewhere asks the other members each time a keepalive has failed.
func (c *Cluster) askElsewhere(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ask:
		}
		begun := now()
		asking, cancel := context.WithTimeout(ctx, c.Settings.ttl()/3)
		quorum, known := c.Elsewhere(asking)
		cancel()
		switch {
		case quorum:
			c.nobody.Store(0)
		case known:
			c.nobody.Store(int64(begun))
			c.extend()
		}
	}
}

// extend prolongs the time without etcd, by what is known of the others.
//
// That nobody reaches etcd is good for as long as a lease. When etcd answers again it
// prolongs the leases that it has, and an agent that did not reach it waits as long
// before it takes over what it did not own ([Cluster.patient]).
func (c *Cluster) extend() {
	evidence := c.nobody.Load()
	if c.alone.Load() {
		evidence = max(evidence, c.failedT.Load())
	}
	if c.silent() && evidence > c.answeredT.Load() {
		c.hold.degraded.Store(evidence + int64(c.Settings.ttl()-margin))
	}
}

// decide is called again and again. It returns true once this agent may not act as an
// owner any more, and has lost what it owned.
func (c *Cluster) decide() (over bool) {
	c.extend()
	if !c.silent() && c.hold.joined.Load() {
		c.hold.degraded.Store(0)
	}
	if now() < c.hold.until() {
		return false
	}
	c.lose(c.hold.owned())
	return true
}

// patient reports whether this agent may own what another did: not for a while after
// etcd was away, in which that one learns that it is there again.
func (c *Cluster) patient() bool {
	at := c.recovered.Load()
	return !c.silent() && (at == 0 || now() > time.Duration(at)+c.Settings.ttl()-margin)
}

// heal has written what could not be, once etcd answers.
func (c *Cluster) heal() {
	if !c.away.Load() || c.silent() || int64(now()) < c.retry.Load() {
		return
	}
	c.away.Store(false)
	if c.Healed == nil {
		return
	}
	if err := c.Healed(); err != nil {
		c.Log.Info("not written to etcd yet", "err", err)
		c.away.Store(true)
		c.retry.Store(int64(now() + time.Second))
	}
}

// Degraded reports whether this agent goes on without etcd.
func (c *Cluster) Degraded() bool {
	return c.silent() && int64(now()) < c.hold.degraded.Load()
}
