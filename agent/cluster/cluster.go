package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Member is an agent of the cluster, as it says itself.
type Member struct {
	Name     string    `json:"name"`
	Address  string    `json:"address"` // where the other agents reach it, host:port; "": nowhere
	Version  string    `json:"version"`
	Estate   string    `json:"estate"` // what its configuration has of HSMs, as one word: that of others is to be equal
	Since    time.Time `json:"since"`  // by its own clock; only shown
	Draining bool      `json:"-"`      // an operator wants it to own nothing
}

// A Cluster is one agent's part in a cluster. Its fields are set before Run, which calls
// the functions among them from one goroutine, in the order of etcd's revisions. Each
// may be nil.
type Cluster struct {
	Settings Settings
	Self     Member // its name is that of Settings
	Log      *slog.Logger

	// Apply is given what others wrote, whole transactions in their order. whole: it is
	// the entire state, at joining and after a long cut; what is missing is removed. It
	// is not given the keys of shards that this agent owns, and is given those of no
	// shard, its own included. After an error the entire state is given to it again.
	Apply func(writes []journal.Write, whole bool) error
	// Gained: this agent owns shards from now on; all that was written of them was applied.
	Gained func(shards []int)
	// Lost: this agent owns shards no more, or is about to give them up. It returns once
	// nothing of them is polled, evaluated or sent. Until then Commit writes of shards
	// that are given up, if they are still owned.
	Lost func(shards []int)
	// Healed: etcd answers again after [ErrAway], and what could not be written is to be
	// committed. After an error it is called again.
	Healed func() error
	// Elsewhere asks the other members, past etcd, whether any of them reaches it. known
	// is false if one did not answer. It is called from a goroutine of its own.
	Elsewhere func(ctx context.Context) (quorum, known bool)

	hold  hold
	link  atomic.Pointer[link]
	lease lease
	epoch epoch
	trouble

	mu   sync.Mutex // of view and out
	view view
	out  error // why this agent is not in the cluster

	// Of the goroutine of Run:
	dirty    bool                  // the view has changed since it was reconciled
	next     time.Duration         // [now] when the second ends in which moved is counted
	moved    int                   // shards given up in this second
	claimed  [Shards]time.Duration // [now] until which a claim may not have come back by the watch
	free     [Shards]time.Duration // [now] since which a shard was seen without an owner; 0: it has one
	released [Shards]int64         // fences of what was given up
}

// Run takes part in the cluster until ctx is done; then it gives up its shards. It goes
// on trying while etcd is away. An error says what is wrong with the settings.
func (c *Cluster) Run(ctx context.Context) error {
	l, err := dial(c.Settings)
	if err != nil {
		return err
	}
	defer l.close()
	c.Self.Name = c.Settings.Name
	c.kick, c.ask = make(chan struct{}, 1), make(chan struct{}, 1)
	c.link.Store(l)
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asking.Go(func() { l.probe(ctx, c.Settings.prefix()) })
	if c.Elsewhere != nil {
		asking.Go(func() { c.askElsewhere(ctx) })
	}
	for ctx.Err() == nil {
		if err := c.session(ctx); ctx.Err() == nil {
			c.outside(err)
			c.decide()
			wait.Sleep(ctx, 100*time.Millisecond)
		}
	}
	c.resign(context.WithoutCancel(ctx))
	return nil
}

// outside keeps, and says once, why this agent is not in the cluster.
func (c *Cluster) outside(err error) {
	c.mu.Lock()
	known := c.out
	c.out = err
	c.mu.Unlock()
	if err != nil && (known == nil || known.Error() != err.Error()) {
		c.Log.Info("not in the cluster", "err", err)
	}
}

// session is the time of one lease. It returns why it ended; what may be held without
// etcd still is.
func (c *Cluster) session(ctx context.Context) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	c.hold.joined.Store(false)
	if err := c.join(ctx); err != nil {
		cancel()
		return err
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	gone := make(chan error, 1)
	running.Go(func() { gone <- c.keep(ctx) })
	var f *following
	defer func() { f.stop() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if f == nil && !c.silent() {
			revision, err := c.snapshot(ctx)
			if err == nil {
				c.outside(nil)
				f = c.follow(ctx, revision+1)
			} else if ctx.Err() == nil {
				c.Log.Info("state of the cluster not read", "err", err)
				wait.Sleep(ctx, 100*time.Millisecond)
			}
		}
		if f != nil {
			c.reconcile(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-gone:
			c.decide()
			return err
		case b := <-f.batches():
			if err := c.take(b); err != nil {
				c.Log.Info("changes of the cluster not followed", "err", err)
				f = f.stop()
			}
		case <-tick.C:
			if c.decide() {
				f = f.stop() // what it owns by the keys in etcd, it owns again after a snapshot
			} else {
				c.heal()
			}
		}
	}
}

// join gets a lease, and enters the name of this agent under it.
func (c *Cluster) join(ctx context.Context) error {
	self, err := c.self()
	if err != nil {
		return err
	}
	l := c.link.Load()
	begun := now()
	var id clientv3.LeaseID
	err = l.do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) error {
		g, err := client.Grant(ctx, int64(math.Ceil(c.Settings.ttl().Seconds())))
		if err == nil {
			id = g.ID
		}
		return err
	})
	if err != nil {
		c.failed(begun)
		return fmt.Errorf("lease: %w", err)
	}
	key := c.memberKey()
	for {
		free := false
		err = l.do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) error {
			answer, err := client.Txn(ctx).
				If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
				Then(clientv3.OpPut(key, string(self), clientv3.WithLease(id))).
				Else(clientv3.OpGet(key)).Commit()
			if err == nil {
				free = answer.Succeeded || leaseOf(answer) == id
			}
			return err
		})
		if err == nil && !free {
			err = errNameTaken
		}
		if err == nil {
			c.lease.set(id)
			c.answered(begun)
			return nil
		}
		if !errors.Is(err, errNameTaken) || now() > begun+c.Settings.ttl()-margin {
			_ = c.revoke(ctx, id)
			return err
		}
		if !wait.Sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
}

var errNameTaken = errors.New("another agent has the name of this one, or this one was ended less than cluster.ttl ago")

// leaseOf returns the lease of the key that the first read of a transaction found.
func leaseOf(answer *clientv3.TxnResponse) clientv3.LeaseID {
	for _, r := range answer.Responses {
		if got := r.GetResponseRange(); got != nil && len(got.Kvs) > 0 {
			return clientv3.LeaseID(got.Kvs[0].Lease)
		}
	}
	return clientv3.NoLease
}

// resign gives up everything, so that others need not wait for the lease to end.
func (c *Cluster) resign(ctx context.Context) {
	owned := c.hold.owned()
	c.hold.give(owned)
	c.lose(owned)
	c.hold.joined.Store(false)
	if id := c.lease.get(); id != clientv3.NoLease {
		_ = c.revoke(ctx, id) // else it ends by itself
	}
}

// revoke ends a lease, with all keys under it.
func (c *Cluster) revoke(ctx context.Context, id clientv3.LeaseID) error {
	return c.link.Load().do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) error {
		_, err := client.Revoke(ctx, id)
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return nil
		}
		return err
	})
}

// lose has Lost end all work on shards, whose fences hold until then.
func (c *Cluster) lose(shards []int) {
	if len(shards) == 0 {
		return
	}
	c.hold.give(shards)
	if c.Lost != nil {
		c.Lost(shards)
	}
	c.hold.drop(shards)
}

// Owns reports whether this agent is the owner of a device now. It is cheap.
func (c *Cluster) Owns(device string) bool { return c.hold.acts(Shard(device)) }

// Holds reports whether this agent is the owner of a device by the last that etcd said,
// although its lease may have ended since.
func (c *Cluster) Holds(device string) bool { return c.hold.get().fence[Shard(device)] != 0 }

// MaySend reports whether a notification about a device may be sent now: this agent
// owns it, and its lease lasts for another second at least, by a clock that goes on
// while the process is stopped; or nobody else can have taken it.
func (c *Cluster) MaySend(device string) bool { return c.Owns(device) }
