package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/internal/wait"
)

// A lease is this agent's lease in etcd.
type lease struct {
	id atomic.Int64
}

func (l *lease) set(id clientv3.LeaseID) { l.id.Store(int64(id)) }
func (l *lease) get() clientv3.LeaseID   { return clientv3.LeaseID(l.id.Load()) }

// keep prolongs the lease until ctx is done, or the lease is gone.
func (c *Cluster) keep(ctx context.Context) error {
	every := c.Settings.ttl() / 3
	for {
		begun := now()
		err := c.prolong(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			c.answered(begun)
		case errors.Is(err, rpctypes.ErrLeaseNotFound):
			c.hold.joined.Store(false)
			return errors.New("the lease ended")
		default:
			c.failed(begun)
		}
		pause := every
		if err != nil {
			pause = 100 * time.Millisecond
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-c.kick: // somebody wants to know whether etcd is there
			t.Stop()
			if !wait.Sleep(ctx, 50*time.Millisecond) {
				return ctx.Err()
			}
		case <-t.C:
		}
	}
}

var errTerm = errors.New("etcd elected a leader meanwhile")

// prolong prolongs the lease, and has it proved that it was prolonged. A leader that is
// cut off from the others does prolong leases that they have ended (etcd 3.4): a read
// that a majority confirms, in the same term, excludes that.
func (c *Cluster) prolong(ctx context.Context) error {
	id := c.lease.get()
	return c.link.Load().do(ctx, c.Settings.ttl()/6, func(ctx context.Context, client *clientv3.Client) error {
		kept, err := client.KeepAliveOnce(ctx, id)
		if err != nil {
			return err
		}
		read, err := client.Get(ctx, c.memberKey())
		switch {
		case err != nil:
			return err
		case read.Header.RaftTerm != kept.RaftTerm:
			return errTerm
		case len(read.Kvs) == 0 || clientv3.LeaseID(read.Kvs[0].Lease) != id:
			return rpctypes.ErrLeaseNotFound
		}
		return nil
	})
}
