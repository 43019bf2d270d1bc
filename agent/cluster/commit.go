package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/alarms/journal"
)

// MaxWrites is how many writes one [Cluster.Commit] takes.
const MaxWrites = 120

// ErrLost means that this agent does not own what it would write: nothing is written.
var ErrLost = errors.New("owned by another agent")

// A Lost error is [ErrLost] with the shards that are not owned.
type Lost struct{ Shards []int }

func (e *Lost) Error() string { return fmt.Sprintf("shards %v: %v", e.Shards, ErrLost) }

// Unwrap returns [ErrLost].
func (e *Lost) Unwrap() error { return ErrLost }

// Commit writes all of at most [MaxWrites], or nothing: only if this agent owns the shards
// of their devices. The error is a [*Lost]; [ErrAway], if etcd does not answer within a
// second, and whether they are written is unknown; or says that there is too much.
func (c *Cluster) Commit(ctx context.Context, writes []journal.Write) error {
	if len(writes) > MaxWrites {
		return fmt.Errorf("%d writes at once; etcd takes %d", len(writes), MaxWrites)
	}
	if len(writes) == 0 {
		return nil
	}
	fences, err := c.fences(writes)
	if err != nil {
		return err
	}
	l := c.link.Load()
	if c.away.Load() || l == nil || c.lease.get() == clientv3.NoLease {
		return ErrAway
	}
	var lost *Lost
	err = l.do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) error {
		for {
			epoch, err := c.current(ctx, client)
			if err != nil {
				return err
			}
			answer, err := c.transaction(client.Txn(ctx), writes, fences, epoch).Commit()
			switch {
			case unanswered(err):
				c.epoch.outlive(epoch)
				return err
			case err != nil || answer.Succeeded:
				return err
			}
			var newer bool
			if lost, newer = c.refused(answer, fences, epoch); lost != nil {
				return nil
			}
			if !newer {
				return rpctypes.ErrLeaseNotFound
			}
		}
	})
	switch {
	case unanswered(err), errors.Is(err, rpctypes.ErrLeaseNotFound):
		c.unwritten()
		return fmt.Errorf("%w: %w", ErrAway, err)
	case err == nil && lost != nil:
		return lost
	}
	return err
}

// An epoch orders what this agent writes. It is the revision of its member key, which
// every transaction requires. An attempt that was not answered may be carried out much
// later, by a server that was stopped: the key is written before the next attempt, so
// that the late one is refused and cannot put an old value over a newer one.
type epoch struct {
	mu    sync.Mutex
	known int64
	after int64 // an attempt of this epoch may still be under way
}

// outlive has the next transaction refuse all of an epoch.
func (e *epoch) outlive(known int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.after = max(e.after, known)
}

// adopt takes over what etcd says.
func (e *epoch) adopt(known int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = max(e.known, known)
}

func (c *Cluster) memberKey() string {
	return place{kind: memberKey, name: c.Self.Name}.key(c.Settings.prefix())
}

// self returns what is entered under the name of this agent.
func (c *Cluster) self() ([]byte, error) {
	c.epoch.mu.Lock()
	defer c.epoch.mu.Unlock()
	return json.Marshal(c.Self)
}

// Announce has the others know, with the next Commit, that the HSMs of this agent's
// configuration are others.
func (c *Cluster) Announce(estate string) {
	c.epoch.mu.Lock()
	defer c.epoch.mu.Unlock()
	if c.Self.Estate != estate {
		c.Self.Estate, c.epoch.after = estate, max(c.epoch.after, c.epoch.known)
	}
}

// current returns the epoch, a new one where the last must be outlived.
func (c *Cluster) current(ctx context.Context, client *clientv3.Client) (int64, error) {
	c.epoch.mu.Lock()
	defer c.epoch.mu.Unlock()
	if c.epoch.known > c.epoch.after {
		return c.epoch.known, nil
	}
	self, err := json.Marshal(c.Self)
	if err != nil {
		return 0, err
	}
	put, err := client.Put(ctx, c.memberKey(), string(self), clientv3.WithLease(c.lease.get()))
	if err != nil {
		return 0, err
	}
	c.epoch.known = put.Header.Revision
	return c.epoch.known, nil
}

// transaction is writes under the fences of their shards and an epoch.
func (c *Cluster) transaction(txn clientv3.Txn, writes []journal.Write, fences map[int]int64, epoch int64) clientv3.Txn {
	ifs := []clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(c.memberKey()), "=", epoch)}
	gets := []clientv3.Op{clientv3.OpGet(c.memberKey(), clientv3.WithKeysOnly())}
	for _, n := range slices.Sorted(maps.Keys(fences)) {
		ifs = append(ifs, clientv3.Compare(clientv3.CreateRevision(c.ownerKey(n)), "=", fences[n]))
		gets = append(gets, clientv3.OpGet(c.ownerKey(n), clientv3.WithKeysOnly()))
	}
	var puts []clientv3.Op
	for _, w := range writes {
		key := placeOf(w).key(c.Settings.prefix())
		switch {
		case w.Key == "": // that its device is owned is all
		case w.Value == nil:
			puts = append(puts, clientv3.OpDelete(key))
		default:
			puts = append(puts, clientv3.OpPut(key, string(w.Value)))
		}
	}
	return txn.If(ifs...).Then(puts...).Else(gets...)
}

// refused returns which shards of a transaction are lost; if none, whether its epoch was
// over, so that it is to be repeated.
func (c *Cluster) refused(answer *clientv3.TxnResponse, fences map[int]int64, epoch int64) (lost *Lost, newer bool) {
	for i, n := range slices.Sorted(maps.Keys(fences)) {
		kvs := answer.Responses[i+1].GetResponseRange().GetKvs()
		if len(kvs) == 0 || kvs[0].CreateRevision != fences[n] {
			if lost == nil {
				lost = new(Lost)
			}
			lost.Shards = append(lost.Shards, n)
		}
	}
	if kvs := answer.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 && kvs[0].ModRevision != epoch {
		c.epoch.adopt(kvs[0].ModRevision)
		newer = true
	}
	return lost, newer
}

// fences returns the fence of each shard that has a device of writes.
func (c *Cluster) fences(writes []journal.Write) (map[int]int64, error) {
	held := c.hold.get()
	fences := make(map[int]int64)
	lost := new(Lost)
	for _, w := range writes {
		if w.Device == "" {
			continue
		}
		n := Shard(w.Device)
		if fences[n] = held.fence[n]; held.fence[n] == 0 && !slices.Contains(lost.Shards, n) {
			lost.Shards = append(lost.Shards, n)
		}
	}
	if len(lost.Shards) > 0 {
		slices.Sort(lost.Shards)
		return nil, lost
	}
	return fences, nil
}
