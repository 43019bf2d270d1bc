package main

import (
	"context"
	"strconv"
	"strings"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/agent/cluster"
)

// owners is who owns which shard, as etcd has it, and how often simulated HSMs moved.
type owners struct {
	mu    sync.Mutex
	of    [cluster.Shards]string // the last owner
	polls [cluster.Shards]int    // how many devices of each shard are polled
	moves int                    // of polled devices, to another owner than the last
}

// follow reads them until ctx is done.
func (o *owners) follow(ctx context.Context, client *clientv3.Client) {
	const prefix = "lunawatch/owners/"
	for answer := range client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(1)) {
		for _, e := range answer.Events {
			n, err := strconv.Atoi(strings.TrimPrefix(string(e.Kv.Key), prefix))
			if err == nil && n >= 0 && n < cluster.Shards && e.Type == clientv3.EventTypePut {
				o.put(n, string(e.Kv.Value))
			}
		}
	}
}

func (o *owners) put(shard int, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[shard] != "" && o.of[shard] != name {
		o.moves += o.polls[shard]
	}
	o.of[shard] = name
}

// count counts the moves of a device from now on.
func (o *owners) count(device string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.polls[cluster.Shard(device)]++
}

// moved returns how often polled devices moved.
func (o *owners) moved() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.moves
}

// spread reports whether so many agents own all shards, each a fair part.
func (o *owners) spread(agents int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	shards := make(map[string]int)
	for _, name := range o.of {
		shards[name]++
	}
	for _, n := range shards {
		if n < cluster.Shards/agents/2 {
			return false
		}
	}
	return shards[""] == 0 && len(shards) == agents
}

// devices returns which of the pretended HSMs an agent owns.
func (o *owners) devices(name string) map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	owned := make(map[string]bool)
	for _, d := range pretended() {
		if o.of[cluster.Shard(d)] == name {
			owned[d] = true
		}
	}
	return owned
}
