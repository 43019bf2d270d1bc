package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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
	if c.away.Load() || l == nil {
		return ErrAway
	}
	var ifs []clientv3.Cmp
	var puts, gets []clientv3.Op
	shards := slices.Sorted(maps.Keys(fences))
	for _, n := range shards {
		ifs = append(ifs, clientv3.Compare(clientv3.CreateRevision(c.ownerKey(n)), "=", fences[n]))
		gets = append(gets, clientv3.OpGet(c.ownerKey(n), clientv3.WithKeysOnly()))
	}
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
	var answer *clientv3.TxnResponse
	err = l.do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) (err error) {
		answer, err = client.Txn(ctx).If(ifs...).Then(puts...).Else(gets...).Commit()
		return err
	})
	switch {
	case unanswered(err):
		c.unwritten()
		return fmt.Errorf("%w: %w", ErrAway, err)
	case err != nil:
		return err
	case answer.Succeeded:
		return nil
	}
	lost := new(Lost)
	for i, n := range shards {
		kvs := answer.Responses[i].GetResponseRange().GetKvs()
		if len(kvs) == 0 || kvs[0].CreateRevision != fences[n] {
			lost.Shards = append(lost.Shards, n)
		}
	}
	return lost
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
