package cluster

import (
	"context"
	"maps"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// perTxn is how many owner keys a transaction claims or deletes; etcd allows 128.
const perTxn = 60

// movesPerSecond is how many shards change hands in a second, in the whole cluster,
// while both agents live.
const movesPerSecond = 8

// heirFirst is how long a shard is left to its heir: agents that saw different things may
// each take another one for it, and it may be busy.
const heirFirst = 2 * time.Second

func (c *Cluster) ownerKey(shard int) string {
	return place{kind: ownerKey, shard: shard}.key(c.Settings.prefix())
}

// ownership returns who owns what by the last revision.
func (c *Cluster) ownership() (owners map[int]owner, revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.view.owners), c.view.revision
}

// gainOwn holds what is held together with what etcd says: the shards whose keys this
// agent has are gained, those whose keys are gone are lost.
func (c *Cluster) gainOwn() {
	owners, revision := c.ownership()
	held, mine := c.hold.get(), c.lease.get()
	var gained, lost []int
	for n := range Shards {
		switch o := owners[n]; {
		case held.fence[n] == 0 && o.lease == mine && o.fence != 0 && o.fence != c.released[n]:
			gained = append(gained, n)
		case held.fence[n] != 0 && held.fence[n] != o.fence && revision >= held.fence[n]:
			lost = append(lost, n)
		}
	}
	c.lose(lost)
	if len(gained) == 0 {
		return
	}
	c.hold.change(func(h *holding) {
		for _, n := range gained {
			h.fence[n] = owners[n].fence
		}
	})
	if c.Gained != nil {
		c.Gained(gained)
	}
}

// reclaim claims under the present lease what is held under an earlier one, and loses
// what others own by now.
func (c *Cluster) reclaim(ctx context.Context) error {
	owners, _ := c.ownership()
	held := c.hold.get()
	var lost, free []int
	for n, fence := range held.fence {
		switch o, owned := owners[n]; {
		case fence == 0 || owned && o.fence == fence:
		case owned:
			lost = append(lost, n)
		default:
			free = append(free, n)
		}
	}
	for part := range slices.Chunk(free, perTxn) {
		fences, err := c.claim(ctx, part)
		if err != nil {
			return err
		}
		c.hold.change(func(h *holding) {
			for n, fence := range fences {
				h.fence[n] = fence
			}
		})
		for _, n := range part {
			if fences[n] == 0 {
				lost = append(lost, n)
			}
		}
	}
	c.lose(lost)
	return nil
}

// claim makes this agent the owner of shards that have none, and returns the fences of
// those that it owns now.
func (c *Cluster) claim(ctx context.Context, shards []int) (fences map[int]int64, err error) {
	lease := c.lease.get()
	fences = make(map[int]int64)
	for len(shards) > 0 {
		var ifs []clientv3.Cmp
		var puts, gets []clientv3.Op
		for _, n := range shards {
			key := c.ownerKey(n)
			ifs = append(ifs, clientv3.Compare(clientv3.CreateRevision(key), "=", 0))
			puts = append(puts, clientv3.OpPut(key, c.Self.Name, clientv3.WithLease(lease)))
			gets = append(gets, clientv3.OpGet(key))
		}
		var answer *clientv3.TxnResponse
		err := c.link.Load().do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) (err error) {
			answer, err = client.Txn(ctx).If(ifs...).Then(puts...).Else(gets...).Commit()
			return err
		})
		if err != nil {
			return fences, err
		}
		var free []int
		for i, n := range shards {
			switch kvs := answer.Responses[i].GetResponseRange().GetKvs(); {
			case answer.Succeeded:
				fences[n] = answer.Header.Revision
			case len(kvs) == 0:
				free = append(free, n)
			case clientv3.LeaseID(kvs[0].Lease) == lease:
				fences[n] = kvs[0].CreateRevision
			}
		}
		shards = free
	}
	return fences, nil
}

// release deletes the owner keys of shards, if they are still those with these fences.
func (c *Cluster) release(ctx context.Context, fences map[int]int64) error {
	var ops []clientv3.Op
	for n, fence := range fences {
		ops = append(ops, clientv3.OpTxn(
			[]clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(c.ownerKey(n)), "=", fence)},
			[]clientv3.Op{clientv3.OpDelete(c.ownerKey(n))}, nil))
	}
	for part := range slices.Chunk(ops, perTxn) {
		if err := c.link.Load().do(ctx, time.Second, func(ctx context.Context, client *clientv3.Client) error {
			_, err := client.Txn(ctx).Then(part...).Commit()
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// reconcile brings the owners nearer to what the members, and the operators' wishes,
// make of them: it claims what nobody owns at once, and gives up a little at a time.
func (c *Cluster) reconcile(ctx context.Context) {
	at := now()
	if !c.dirty && at < c.next || c.silent() || !c.hold.joined.Load() {
		return
	}
	if c.dirty = false; at >= c.next {
		c.next = at + time.Second
		c.moved = 0
	}
	claims, gives, again := c.plan()
	if !c.patient() {
		claims = nil
		c.dirty = true
	}
	for part := range slices.Chunk(claims, perTxn) {
		fences, err := c.claim(ctx, part)
		if err != nil {
			c.Log.Info("shards not claimed", "err", err)
			return
		}
		for n := range fences {
			c.claimed[n] = at + time.Second
		}
	}
	if len(gives) > 0 {
		held := c.hold.get()
		c.lose(gives)
		for _, n := range gives {
			again[n] = held.fence[n]
			c.released[n] = held.fence[n]
		}
	}
	if len(again) > 0 {
		if err := c.release(ctx, again); err != nil {
			c.Log.Info("shards not given up yet", "err", err)
		}
	}
}

// plan returns which shards to claim and to give up now, and the fences of those that
// were given up and are still owned.
func (c *Cluster) plan() (claims, gives []int, again map[int]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	willing := c.view.willing()
	most := max(1, movesPerSecond/max(1, len(c.view.members)-1)) - c.moved
	held, mine := c.hold.get(), c.lease.get()
	again = make(map[int]int64)
	for n := range Shards {
		target := c.view.target(n, willing)
		if _, owned := c.view.owners[n]; owned {
			c.free[n] = 0
		}
		switch o, owned := c.view.owners[n]; {
		case !owned:
			if c.free[n] == 0 {
				c.free[n] = now()
			}
			mine := c.view.heir(n, willing) == c.Self.Name || target == c.Self.Name && now() > c.free[n]+heirFirst
			if mine && held.fence[n] == 0 && now() > c.claimed[n] {
				claims = append(claims, n)
			}
		case o.lease == mine && o.fence == c.released[n]:
			again[n] = o.fence
		case o.lease == mine && held.fence[n] == o.fence && target != c.Self.Name && target != "" && len(gives) < most:
			gives = append(gives, n)
		}
	}
	c.moved += len(gives)
	return claims, gives, again
}
