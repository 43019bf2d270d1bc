package cluster

import (
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
)

// TestHeirs: what is free goes to an agent that has been a member since before, for only
// such a one heard the lines that nobody evaluated: not to one that was just started again,
// while another one lives.
func TestHeirs(t *testing.T) {
	const lease = 7
	v := newView()
	revision := int64(0)
	set := func(p place, remove bool) {
		revision++
		v.set(p, &mvccpb.KeyValue{Value: []byte(`{}`), CreateRevision: revision, ModRevision: revision, Lease: lease}, remove)
	}
	var since time.Duration // that they are seen to be free
	claims := func(name string) int {
		c := &Cluster{view: v}
		for n := range Shards {
			c.free[n] = now() - since
		}
		c.Self.Name = name
		c.lease.set(lease + 1)
		list, _, _ := c.plan()
		return len(list)
	}
	set(place{kind: memberKey, name: "a"}, false)
	set(place{kind: memberKey, name: "b"}, false)
	for n := range Shards {
		set(place{kind: ownerKey, shard: n}, false)
	}
	set(place{kind: memberKey, name: "a"}, true)
	for n := range Shards {
		set(place{kind: ownerKey, shard: n}, true)
	}
	set(place{kind: memberKey, name: "a"}, false)
	if a, b := claims("a"), claims("b"); a != 0 || b != Shards {
		t.Errorf("the agent that was started again claims %d shards, the other one %d", a, b)
	}
	for n := range Shards { // b gives them up
		set(place{kind: ownerKey, shard: n}, false)
		set(place{kind: ownerKey, shard: n}, true)
	}
	a, b := claims("a"), claims("b")
	if a < 100 || b < 100 || a+b != Shards {
		t.Errorf("of what became free later, a claims %d and b %d", a, b)
	}

	after := newView() // one that does not know since when they are free, as after its start
	after.members, after.joined = v.members, v.joined
	v = after
	if a, b := claims("a"), claims("b"); a != 0 || b != Shards {
		t.Errorf("of shards that are free since nobody knows when, the younger claims %d, the elder %d", a, b)
	}
	since = 3 * time.Second // the elder may take another one for the heir
	if a := claims("a"); a < 100 || a > 156 {
		t.Errorf("of what nobody claims, the younger claims %d shards", a)
	}
	set(place{kind: memberKey, name: "b"}, true)
	if a := claims("a"); a != Shards {
		t.Errorf("the only agent claims %d shards", a)
	}
}
