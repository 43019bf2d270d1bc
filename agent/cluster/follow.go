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

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A view is who is there and who owns what, at a revision of etcd.
type view struct {
	revision int64
	members  map[string]Member
	joined   map[string]int64 // create revisions of the keys of members
	draining map[string]bool
	moves    map[int]string
	owners   map[int]owner
	freed    map[int]int64 // the revision at which a shard lost its last owner, of those that nobody owns; 0: not seen
}

type owner struct {
	name  string
	fence int64 // create revision of the key
	lease clientv3.LeaseID
}

func newView() view {
	return view{members: make(map[string]Member), joined: make(map[string]int64), draining: make(map[string]bool), moves: make(map[int]string), owners: make(map[int]owner), freed: make(map[int]int64)}
}

// set changes v by one key; kv without a value, as etcd reports it, removes.
func (v *view) set(p place, kv *mvccpb.KeyValue, remove bool) {
	text := string(kv.Value)
	switch p.kind {
	case memberKey:
		delete(v.members, p.name)
		delete(v.joined, p.name)
		m := Member{}
		if !remove && json.Unmarshal(kv.Value, &m) == nil {
			m.Name = p.name
			v.members[p.name], v.joined[p.name] = m, kv.CreateRevision
		}
	case drainKey:
		if delete(v.draining, p.name); !remove {
			v.draining[p.name] = true
		}
	case moveKey:
		if delete(v.moves, p.shard); !remove {
			v.moves[p.shard] = text
		}
	case ownerKey:
		delete(v.owners, p.shard)
		if v.freed[p.shard] = kv.ModRevision; !remove {
			v.owners[p.shard] = owner{text, kv.CreateRevision, clientv3.LeaseID(kv.Lease)}
		}
	case stateKey:
	}
}

// willing returns the members that may own shards. If all are to be drained, somebody
// must.
func (v *view) willing() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(v.members)) {
		if !v.draining[name] {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return slices.Sorted(maps.Keys(v.members))
	}
	return names
}

func (v *view) onlyMember(name string) bool {
	_, there := v.members[name]
	return there && len(v.members) == 1
}

// target returns who should own a shard; "": there is nobody.
func (v *view) target(shard int, willing []string) string {
	if wish := v.moves[shard]; slices.Contains(willing, wish) {
		return wish
	}
	return Place(shard, willing)
}

// heir returns who of the willing is to claim a shard that nobody owns: one that was a
// member when the last owner lost it, and so heard what that one did not evaluate; else, or
// if that is not known, the one that has been a member for longest.
func (v *view) heir(shard int, willing []string) string {
	var elders []string
	eldest := ""
	for _, name := range willing {
		if v.joined[name] < v.freed[shard] {
			elders = append(elders, name)
		}
		if eldest == "" || v.joined[name] < v.joined[eldest] {
			eldest = name
		}
	}
	if len(elders) == 0 {
		return eldest
	}
	return v.target(shard, elders)
}

// A batch is changes in the order of etcd. err: the order is broken, and everything has
// to be read again.
type batch struct {
	events []*clientv3.Event
	err    error
}

// A following reads what changes.
type following struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	out    chan batch
}

func (f *following) batches() <-chan batch {
	if f == nil {
		return nil
	}
	return f.out
}

// stop returns nil, once nothing runs.
func (f *following) stop() *following {
	if f != nil {
		f.cancel()
		f.done.Wait()
	}
	return nil
}

// follow reads what changes from a revision on, from whichever server answers.
func (c *Cluster) follow(ctx context.Context, from int64) *following {
	ctx, cancel := context.WithCancel(ctx)
	f := &following{cancel: cancel, out: make(chan batch)}
	f.done.Go(func() {
		for ctx.Err() == nil {
			e, i := c.link.Load().at()
			err := c.watch(ctx, e, &from, f.out)
			if errors.Is(err, rpctypes.ErrCompacted) {
				select {
				case f.out <- batch{err: err}:
				case <-ctx.Done():
				}
				return
			}
			c.link.Load().skip(i)
			wait.Sleep(ctx, 50*time.Millisecond)
		}
	})
	return f
}

// watch reads from one server until it does not answer. from is what comes next.
func (c *Cluster) watch(ctx context.Context, e *end, from *int64, out chan<- batch) error {
	ctx, cancel := context.WithCancel(ctx)
	var alive sync.WaitGroup
	defer alive.Wait()
	defer cancel()
	alive.Go(func() {
		defer cancel()
		c.whileAlive(ctx, e)
	})
	watcher := clientv3.NewWatcher(e.client)
	defer watcher.Close()
	for answer := range watcher.Watch(ctx, c.Settings.prefix(), clientv3.WithPrefix(), clientv3.WithRev(*from), clientv3.WithProgressNotify()) {
		if err := answer.Err(); err != nil {
			return err
		}
		if len(answer.Events) > 0 {
			select {
			case out <- batch{events: answer.Events}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		*from = max(*from, answer.Header.Revision+1)
	}
	return ctx.Err()
}

// whileAlive returns once a server does not answer. One that is stopped keeps its
// connections, and a watch waits for it.
func (c *Cluster) whileAlive(ctx context.Context, e *end) {
	for wait.Sleep(ctx, c.Settings.ttl()/6) {
		if e.do(ctx, attempt, func(ctx context.Context, client *clientv3.Client) error {
			_, err := client.Get(ctx, c.Settings.prefix(), clientv3.WithCountOnly())
			return err
		}) != nil {
			return
		}
	}
}

// page is how many keys are read at once.
const page = 500

// read returns all keys at one revision.
func (c *Cluster) read(ctx context.Context) (kvs []*mvccpb.KeyValue, revision int64, err error) {
	key, end := c.Settings.prefix(), clientv3.GetPrefixRangeEnd(c.Settings.prefix())
	for {
		var got *clientv3.GetResponse
		err := c.link.Load().do(ctx, 5*time.Second, func(ctx context.Context, client *clientv3.Client) (err error) {
			got, err = client.Get(ctx, key, clientv3.WithRange(end), clientv3.WithRev(revision), clientv3.WithLimit(page))
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		if revision == 0 {
			revision = got.Header.Revision
		}
		kvs = append(kvs, got.Kvs...)
		if !got.More || len(got.Kvs) == 0 {
			return kvs, revision, nil
		}
		key = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// snapshot reads everything. What this agent still holds it claims again under its
// lease, or loses; then what it could not write is written, and what others wrote is
// applied. It returns the revision of what was read.
func (c *Cluster) snapshot(ctx context.Context) (int64, error) {
	kvs, revision, err := c.read(ctx)
	if err != nil {
		return 0, err
	}
	v := newView()
	v.revision = revision
	for _, kv := range kvs {
		if p, ok := parse(c.Settings.prefix(), string(kv.Key)); ok {
			v.set(p, kv, false)
		}
	}
	c.mu.Lock()
	c.view = v
	c.mu.Unlock()
	c.dirty = true
	c.alone.Store(v.onlyMember(c.Self.Name))
	if err := c.reclaim(ctx); err != nil {
		return 0, err
	}
	c.hold.joined.Store(true)
	c.heal()
	held := c.hold.get()
	var writes []journal.Write
	for _, kv := range kvs {
		p, ok := parse(c.Settings.prefix(), string(kv.Key))
		if ok && p.kind == stateKey && (p.shard == everybody || held.fence[p.shard] == 0) {
			writes = append(writes, journal.Write{Key: p.name, Value: present(kv.Value)})
		}
	}
	if c.Apply != nil {
		if err := c.Apply(writes, true); err != nil {
			return 0, fmt.Errorf("state of the cluster not applied: %w", err)
		}
	}
	c.gainOwn()
	return revision, nil
}

// present returns a value that is not nil, which would remove its key.
func present(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// take applies what changed. After an error everything has to be read again.
func (c *Cluster) take(b batch) error {
	if b.err != nil {
		return b.err
	}
	var writes []journal.Write
	held := c.hold.get()
	c.mu.Lock()
	for _, e := range b.events {
		p, ok := parse(c.Settings.prefix(), string(e.Kv.Key))
		remove := e.Type == clientv3.EventTypeDelete
		switch {
		case !ok:
		case p.kind != stateKey:
			c.view.set(p, e.Kv, remove)
			c.dirty = true
		case p.shard != everybody && held.fence[p.shard] != 0 && e.Kv.ModRevision > held.fence[p.shard]: // it wrote that itself
		case remove:
			writes = append(writes, journal.Write{Key: p.name})
		default:
			writes = append(writes, journal.Write{Key: p.name, Value: present(e.Kv.Value)})
		}
		c.view.revision = e.Kv.ModRevision
	}
	c.alone.Store(c.view.onlyMember(c.Self.Name))
	c.mu.Unlock()
	if len(writes) > 0 && c.Apply != nil {
		if err := c.Apply(writes, false); err != nil {
			return fmt.Errorf("changes of the cluster not applied: %w", err)
		}
	}
	c.gainOwn()
	return nil
}
