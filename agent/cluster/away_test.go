package cluster

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster/etcdtest"
)

// ask has agents ask each other, as over a network that works.
func ask(others ...**agent) func(a *agent) {
	return func(a *agent) {
		a.Elsewhere = func(ctx context.Context) (quorum, known bool) {
			for _, o := range others {
				quorum = quorum || (*o).Reaches(ctx)
			}
			return quorum, true
		}
	}
}

// pair starts two agents that ask each other, and returns once each has its part.
func pair(t *testing.T, e *etcdtest.Cluster) (a, b *agent) {
	t.Helper()
	ready := make(chan struct{})
	a = start(t, e, "a", func(a *agent) { ask(&b)(a); waitFor(ready)(a) })
	b = start(t, e, "b", func(b *agent) { ask(&a)(b); waitFor(ready)(b) })
	close(ready)
	until(t, "each has its part", 60*time.Second, func() bool {
		n := a.count()
		return n > 0 && n < Shards && n+b.count() == Shards && a.Status().Owners == b.Status().Owners && settled(a)
	})
	for _, one := range []*agent{a, b} {
		one.mu.Lock()
		one.lost = 0
		one.mu.Unlock()
	}
	return a, b
}

// waitFor delays the questions of an agent until the others are there to be asked.
func waitFor(ready chan struct{}) func(*agent) {
	return func(a *agent) {
		elsewhere := a.Elsewhere
		a.Elsewhere = func(ctx context.Context) (bool, bool) {
			<-ready
			return elsewhere(ctx)
		}
	}
}

func settled(a *agent) bool {
	s := a.Status()
	for n, owner := range s.Owners {
		if owner != Place(n, []string{"a", "b"}) {
			return false
		}
	}
	return true
}

// TestEtcdGone: without etcd both go on with what they own and take nothing over; what
// they could not write is written when it is back, and nobody lost anything.
func TestEtcdGone(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"one": 1, "quorum of three": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := etcdtest.Start(t, n)
			a, b := pair(t, e)
			device, had := deviceOf(t, a), a.count()
			a.mu.Lock()
			a.inHeal = func(a *agent) error { return a.put(device, "alarm", "spooled") }
			a.mu.Unlock()
			for _, s := range e.Servers[:n/2+1] {
				s.Kill()
			}
			until(t, "both are degraded", 20*time.Second, func() bool { return a.Degraded() && b.Degraded() })
			if err := a.put(device, "alarm", "refused"); !errors.Is(err, ErrAway) {
				t.Errorf("a commit without etcd: %v", err)
			}
			// Long after the lease would have ended.
			for end := time.Now().Add(7 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				if !a.MaySend(device) || b.Owns(device) {
					t.Fatalf("a may send %v, b owns %v", a.MaySend(device), b.Owns(device))
				}
			}
			if s := a.Status(); !s.Degraded || !s.Away || s.Since < 5*time.Second {
				t.Errorf("status %+v", s)
			}
			for _, s := range e.Servers[:n/2+1] {
				s.Run()
			}
			until(t, "b has what a could not write", 30*time.Second, func() bool { return b.has(device+"/alarm") == "spooled" })
			until(t, "nobody is degraded", 10*time.Second, func() bool {
				return !a.Degraded() && !b.Degraded() && !a.Status().Away && !b.Status().Away
			})
			if !a.see(func() bool { return a.lost == 0 }) || a.count() != had || b.count() != Shards-had {
				t.Errorf("a lost something, or owns %d of %d; b owns %d", a.count(), had, b.count())
			}
		})
	}
}

// TestCutOffAlone: an agent that does not reach etcd, while another does or nobody can be
// asked, may not send when the other can own what it had.
func TestCutOffAlone(t *testing.T) {
	t.Parallel()
	for name, asks := range map[string]bool{"the other reaches it": true, "nobody can be asked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := etcdtest.Start(t, 1)
			a, b := pair(t, e)
			if !asks {
				ready := make(chan struct{})
				close(ready)
				a.end()
				a = start(t, e, "a", nil)
				until(t, "a has its part again", 60*time.Second, func() bool { return settled(a) && a.count() > 0 })
			}
			device := deviceOf(t, a)
			a.cable.Cut()
			until(t, "b owns everything", 20*time.Second, func() bool {
				if a.MaySend(device) && b.Owns(device) {
					t.Fatal("both may send")
				}
				return b.count() == Shards
			})
			if a.Degraded() || a.count() != 0 {
				t.Errorf("a is degraded: %v, owns %d", a.Degraded(), a.count())
			}
			a.cable.Mend()
			until(t, "a has its part again", 60*time.Second, func() bool {
				if a.MaySend(device) && b.Owns(device) {
					t.Fatal("both may send")
				}
				return settled(b) && a.Owns(device)
			})
		})
	}
}

// TestOnlyMember goes on without etcd, under a new lease if its own is gone.
func TestOnlyMember(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	until(t, "a owns everything", 10*time.Second, func() bool { return a.count() == Shards })
	a.cable.Cut()
	until(t, "it is degraded", 10*time.Second, a.Degraded)
	until(t, "its lease is gone", 20*time.Second, func() bool {
		got, err := e.Client.Get(t.Context(), a.memberKey())
		return err == nil && len(got.Kvs) == 0
	})
	if !a.MaySend("hsm1") {
		t.Error("the only member may not send")
	}
	a.mu.Lock()
	a.inHeal = func(a *agent) error { return a.put("hsm1", "alarm", "spooled") }
	a.mu.Unlock()
	a.cable.Mend()
	until(t, "it is healed", 20*time.Second, func() bool {
		return !a.Degraded() && a.see(func() bool { return a.healed > 0 }) && a.has("hsm1/alarm") == "spooled"
	})
	if !a.see(func() bool { return a.lost == 0 }) || a.count() != Shards {
		t.Errorf("it lost something, and owns %d", a.count())
	}
	if err := a.put("hsm1", "alarm", "after"); err != nil {
		t.Error(err)
	}
}

// TestServerStops: one server of three that is stopped, and keeps its connections, keeps
// nothing from being written and read for long.
func TestServerStops(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 3)
	a, b := pair(t, e)
	device := deviceOf(t, a)
	for i, s := range e.Servers {
		s.Stop()
		until(t, "what a writes arrives at b", 20*time.Second, func() bool {
			return a.put(device, "alarm", string(rune('0'+i))) == nil && b.has(device+"/alarm") == string(rune('0'+i))
		})
		s.Continue()
	}
	until(t, "all servers are said to answer", 20*time.Second, func() bool {
		return !slices.ContainsFunc(a.Status().Etcd, func(e Endpoint) bool { return e.Err != nil || !e.Asked })
	})
}
