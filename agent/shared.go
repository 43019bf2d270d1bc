package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/agent/cluster"
	"github.com/lunawatch/lunawatch/agent/peers"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// newCluster returns this agent's part in the cluster; nil: it is on its own.
func (a *Agent) newCluster() *cluster.Cluster {
	c := a.config()
	if !c.Cluster.Enabled() {
		return nil
	}
	version, _ := Version()
	return &cluster.Cluster{
		Settings: c.Cluster, Self: cluster.Member{Name: c.Cluster.Name, Version: version}, Log: a.log,
		Apply: a.hear, Gained: a.gained, Lost: a.lost, Healed: a.healed,
	}
}

// newPeers returns how this agent asks the others of the cluster, past etcd.
func (a *Agent) newPeers() *peers.Peers {
	c := a.config().Cluster
	return &peers.Peers{
		Self: c.Name, Settings: peers.Settings{Listen: c.Listen, Endpoints: c.Endpoints, CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile},
		Log: a.log, Store: a.store, Owns: a.cluster.Owns, Reaches: a.cluster.Reaches, Read: a.history.Observe,
		Members: func() (list []peers.Member) {
			for _, m := range a.cluster.Status().Members {
				list = append(list, peers.Member{Name: m.Name, Address: m.Address})
			}
			return list
		},
		Address: func(device string) (string, bool) {
			h, known := a.config().HSM(device)
			return h.AnyAddress(), known && h.AnyAddress() != ""
		},
	}
}

// runCluster takes part in the cluster until ctx is done.
func (a *Agent) runCluster(ctx context.Context) error {
	others := a.peers
	address, err := others.Listen()
	if err != nil {
		return err
	}
	others.Web = peers.WebAt(address, *a.web.Flags.WebListenAddresses, *a.web.Flags.WebConfigFile != "")
	a.cluster.Self.Address, a.cluster.Self.Since, a.cluster.Elsewhere = address, a.started, others.Elsewhere
	a.cluster.Self.Estate = cluster.Estate(hsmNames(a.config()))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return others.Run(ctx) })
	g.Go(func() error { return a.cluster.Run(ctx) })
	g.Go(func() error { return a.watchCluster(ctx) })
	return g.Wait()
}

// share has the journal shared with the other agents of the cluster.
func (a *Agent) share(j *journal.Journal) {
	if a.cluster == nil {
		return
	}
	j.Share = &journal.Share{
		Member: a.config().Cluster.Name, Has: a.isShared, Owns: a.evaluates, Holds: a.cluster.Holds, Number: a.numbered,
		Commit: func(writes []journal.Write) error {
			err := a.cluster.Commit(context.Background(), writes)
			if errors.Is(err, cluster.ErrAway) && a.cluster.Degraded() {
				return journal.ErrSpooled
			}
			return err
		},
	}
	a.watch.May = func(n alarms.Notification) bool {
		device := n.Change.Alarm.Device
		return n.IsHeartbeat() || !a.isShared(device) || a.cluster.MaySend(device)
	}
}

// isShared reports whether the agents of a cluster share a device: all but the host of each,
// its cards, and the agent itself.
func (a *Agent) isShared(device string) bool {
	c := a.config()
	return device != "" && device != alarms.Self && device != c.Host.Name && !strings.HasPrefix(device, c.Cards().Device(""))
}

// watchCluster raises alarms while this agent has no etcd, or nobody could stand in for it.
func (a *Agent) watchCluster(ctx context.Context) error {
	for wait.Sleep(ctx, clusterInterval); ctx.Err() == nil; wait.Sleep(ctx, clusterInterval) {
		a.shareRefusals(ctx)
		if err := a.watch.Report(a.clusterReport().Findings(time.Now())); err != nil {
			a.log.Error("the state of the cluster is not reported", "err", err)
		}
	}
	return nil
}

// clusterInterval is how soon trouble with etcd or among the agents is an alarm.
const clusterInterval = 5 * time.Second

// shareRefusals has every agent know which passwords an appliance has refused: several
// agents would lock an account out that one does not.
func (a *Agent) shareRefusals(ctx context.Context) {
	others, err := a.watch.Journal.Refusals()
	if err == nil {
		err = a.refusals.Run(ctx, a.config().RefusedLogins(), others, a.watch.Journal.Refused)
	}
	if err != nil {
		a.log.Warn("refused passwords are not shared", "err", err)
	}
}

// owns reports whether this agent is to ask a device.
func (a *Agent) owns(device string) bool {
	return a.cluster == nil || !a.isShared(device) || a.cluster.Owns(device)
}

// evaluates reports whether this agent owns a device, and knows its alarms.
func (a *Agent) evaluates(device string) bool {
	return a.taken[cluster.Shard(device)].Load() && a.cluster.Owns(device)
}

// numbered returns the number of an alarm, after the last of all agents.
func (a *Agent) numbered(device string, last uint64) uint64 {
	return cluster.Number(device, a.isShared(device), last)
}

// hear takes what other agents wrote. Where they share nothing yet, or etcd has lost it all,
// this agent's own state is what they are to share.
func (a *Agent) hear(writes []journal.Write, whole bool) error {
	if whole {
		a.seeding = len(writes) == 0 && !slices.ContainsFunc(hsmNames(a.config()), a.cluster.Holds)
	}
	if a.seeding && whole {
		return nil
	}
	err := a.watch.Apply(writes, whole)
	if whole || slices.ContainsFunc(writes, journal.Write.OfEntity) {
		a.entities.Reload()
	}
	return err
}

// gained has the devices of shards watched: from what their former owner knew.
func (a *Agent) gained(shards []int) {
	a.reown(cluster.In(shards), func(taken bool) {
		for _, n := range shards {
			a.taken[n].Store(taken)
		}
	})
	if a.seeding {
		if err := a.watch.Journal.Seed(cluster.In(shards)); err != nil {
			a.log.Error("the state of this agent is not shared", "err", err)
		}
	}
	a.shareRefusals(context.Background())
	a.restartTasks()
	a.log.Info("watching HSMs of more shards", "shards", len(shards))
}

// lost has the devices of shards watched no more.
func (a *Agent) lost(shards []int) {
	for _, n := range shards {
		a.taken[n].Store(false)
	}
	a.restartTasks()
	theirs := cluster.In(shards)
	var gone []string
	for _, h := range a.config().HSMs {
		if theirs(h.Name) {
			gone = append(gone, h.Name)
		}
	}
	a.store.Forget(gone...)
	a.answers.Forget(gone...)
	for _, name := range gone {
		a.store.Expect(hsm.NetworkHSM, name)
	}
	a.reown(func(string) bool { return false }, func(bool) {})
	a.log.Info("watching HSMs of fewer shards", "shards", len(shards))
}

// reown has the alarms go on with what this agent owns, until that is so.
func (a *Agent) reown(gained func(device string) bool, take func(bool)) {
	if err := a.watch.Reown(gained, take); err != nil {
		a.log.Warn("alarms of HSMs not taken over or given up yet; retrying", "err", err)
		time.AfterFunc(time.Second, func() { a.reown(gained, take) })
	}
}

// restartTasks has exactly what this agent owns asked.
func (a *Agent) restartTasks() {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	all := a.tasksOf(a.config())
	for _, name := range a.tasks.end(all) {
		a.ready.Arrived(name)
	}
	a.tasks.start(all)
}

// healed has the other agents hold what was stored while etcd was away.
func (a *Agent) healed() error { return a.watch.Journal.Flush() }
