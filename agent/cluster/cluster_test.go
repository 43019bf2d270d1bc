package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/agent/cluster/etcdtest"
	"github.com/lunawatch/lunawatch/alarms/journal"
)

// An agent is a Cluster with a replica of the state.
type agent struct {
	*Cluster
	cable *etcdtest.Cable
	end   func() // returns once Run has

	work sync.RWMutex // held to read by what Lost waits for

	mu      sync.Mutex
	state   map[string]string
	owned   map[int]bool // by Gained and Lost
	lost    int          // shards that were lost
	wholes  int          // times that Apply had the entire state
	healed  int
	inHeal  func(*agent) error
	refuses error // what Apply returns
	refused int   // times that it did
}

// start runs an agent through a cable of its own. change may be nil.
func start(t testing.TB, e *etcdtest.Cluster, name string, change func(*agent)) *agent {
	t.Helper()
	a := &agent{cable: e.Cable(t), state: make(map[string]string), owned: make(map[int]bool)}
	var out io.Writer = io.Discard
	if testing.Verbose() && os.Getenv("LUNAWATCH_LOG") != "" {
		out = os.Stderr
	}
	a.Cluster = &Cluster{
		Settings: Settings{Endpoints: a.cable.URLs, Name: name, TTL: 3 * time.Second},
		Self:     Member{Address: name + ":9477", Version: "test"},
		Log:      slog.New(slog.NewTextHandler(out, nil)).With("agent", name),
		Apply:    a.apply,
		Gained:   func(shards []int) { a.have(shards, true) },
		Lost:     func(shards []int) { a.have(shards, false) },
		Healed:   a.heals,
	}
	if change != nil {
		change(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.Run(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}()
	a.end = func() {
		cancel()
		<-done
	}
	t.Cleanup(a.end)
	return a
}

func (a *agent) apply(writes []journal.Write, whole bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses != nil {
		a.refused++
		return a.refuses
	}
	if whole {
		a.wholes++
		// What this agent owns is its own to say.
		maps.DeleteFunc(a.state, func(key, _ string) bool { return !a.owned[shardOfKey(key)] })
	}
	for _, w := range writes {
		if w.Device != "" {
			return fmt.Errorf("%s has the device %s", w.Key, w.Device)
		}
		if w.Value == nil {
			delete(a.state, w.Key)
		} else {
			a.state[w.Key] = string(w.Value)
		}
	}
	return nil
}

// shardOfKey: the keys of these tests are device/something.
func shardOfKey(key string) int {
	for i := range key {
		if key[i] == '/' {
			return Shard(key[:i])
		}
	}
	return everybody
}

func (a *agent) have(shards []int, own bool) {
	if !own {
		a.work.Lock() // what is being written is in the replica before another may write
		defer a.work.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range shards {
		if own {
			a.owned[n] = true
		} else {
			delete(a.owned, n)
			a.lost++
		}
	}
}

func (a *agent) heals() error {
	a.mu.Lock()
	a.healed++
	do := a.inHeal
	a.mu.Unlock()
	if do != nil {
		return do(a)
	}
	return nil
}

// put commits one value of a device and keeps it.
func (a *agent) put(device, key, value string) error {
	a.work.RLock()
	defer a.work.RUnlock()
	w := journal.Write{Key: device + "/" + key, Value: []byte(value), Device: device}
	if err := a.Commit(context.Background(), []journal.Write{w}); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state[w.Key] = value
	return nil
}

func (a *agent) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.owned)
}

// see reads what the callbacks keep.
func (a *agent) see(is func() bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return is()
}

func (a *agent) has(key string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state[key]
}

// until waits for a condition, and fails the test if it does not come.
func until(t testing.TB, what string, within time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// deviceOf returns a device that an agent owns.
func deviceOf(t testing.TB, a *agent) string {
	t.Helper()
	for i := range 10000 {
		if d := fmt.Sprintf("hsm%d", i); a.Owns(d) {
			return d
		}
	}
	t.Fatal("it owns no device")
	return ""
}

// TestTakeover: two agents own all shards together and none twice; what one writes the
// other has; when one dies the other gains everything, with what the dead wrote.
func TestTakeover(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	until(t, "a owns everything", 10*time.Second, func() bool { return a.count() == Shards })
	b := start(t, e, "b", nil)
	want := 0
	for n := range Shards {
		if Place(n, []string{"a", "b"}) == "b" {
			want++
		}
	}
	until(t, "b owns its part", 60*time.Second, func() bool { return b.count() == want && a.count() == Shards-want })
	device := deviceOf(t, a)
	if b.Owns(device) {
		t.Errorf("both own %s", device)
	}
	if err := a.put(device, "alarm", "1"); err != nil {
		t.Fatal(err)
	}
	until(t, "b has what a wrote", 5*time.Second, func() bool { return b.has(device+"/alarm") == "1" })
	names := func() (names []string) {
		for _, m := range b.Status().Members {
			names = append(names, m.Name+" at "+m.Address)
		}
		return names
	}
	if got := names(); !slices.Equal(got, []string{"a at a:9477", "b at b:9477"}) {
		t.Errorf("members are %q", got)
	}
	a.cable.Cut()
	until(t, "b owns everything", 20*time.Second, func() bool { return b.count() == Shards })
	if a.MaySend(device) {
		t.Error("a may send although b owns everything")
	}
	if got := b.has(device + "/alarm"); got != "1" || !b.MaySend(device) {
		t.Errorf("b has %q, may send: %v", got, b.MaySend(device))
	}
}

// TestFence: what a former owner writes late is refused, whole, and so is an attempt that
// is carried out after a later one.
func TestFence(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	until(t, "a owns everything", 10*time.Second, func() bool { return a.count() == Shards })
	device := deviceOf(t, a)
	if err := a.put(device, "alarm", "first"); err != nil {
		t.Fatal(err)
	}

	writes := []journal.Write{{Key: device + "/alarm", Value: []byte("late"), Device: device}}
	fences, err := a.fences(writes)
	if err != nil {
		t.Fatal(err)
	}
	late := a.transaction(e.Client.Txn(t.Context()), writes, fences, a.epoch.known)
	a.epoch.outlive(a.epoch.known) // as after an attempt that was not answered
	if err := a.put(device, "alarm", "second"); err != nil {
		t.Fatal(err)
	}
	if answer, err := late.Commit(); err != nil || answer.Succeeded {
		t.Errorf("an attempt from before is carried out after a newer one: %v, %v", answer, err)
	}

	// Another takes the shard while a believes to own it, as after a long stop.
	key := a.ownerKey(Shard(device))
	if _, err := e.Client.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Client.Put(t.Context(), key, "b"); err != nil {
		t.Fatal(err)
	}
	a.hold.change(func(h *holding) { h.fence[Shard(device)] = fences[Shard(device)] })
	var lost *Lost
	if err := a.put(device, "alarm", "third"); !errors.Is(err, ErrLost) || !errors.As(err, &lost) || !slices.Equal(lost.Shards, []int{Shard(device)}) {
		t.Errorf("a former owner's write: %v", err)
	}
	got, err := e.Client.Get(t.Context(), place{stateKey, Shard(device), device + "/alarm"}.key("lunawatch/"))
	if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "second" {
		t.Errorf("etcd has %v, %v", got, err)
	}
	if err := a.Commit(t.Context(), make([]journal.Write, MaxWrites+1)); err == nil || errors.Is(err, ErrAway) || errors.Is(err, ErrLost) {
		t.Errorf("%d writes: %v", MaxWrites+1, err)
	}
}

// TestDrainAndMove: a drained agent gives everything to the other, a shard goes where an
// operator wants it, and the last one that is there keeps all.
func TestDrainAndMove(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	until(t, "a owns everything", 10*time.Second, func() bool { return a.count() == Shards })
	if err := a.Drain(t.Context(), "a", true); err != nil {
		t.Fatal(err)
	}
	b := start(t, e, "b", nil)
	shard := 17
	if err := a.Move(t.Context(), shard, "b"); err != nil {
		t.Fatal(err)
	}
	until(t, "b owns everything", 60*time.Second, func() bool { return b.count() == Shards && a.count() == 0 })
	if s := b.Status(); len(s.Members) != 2 || !s.Members[0].Draining || s.Members[1].Draining || s.Owners[shard] != "b" || s.Moves[shard] != "b" {
		t.Errorf("status %+v", s)
	}
	if err := b.Drain(t.Context(), "a", false); err != nil {
		t.Fatal(err)
	}
	back := shardOf(t, "b")
	if err := b.Move(t.Context(), back, "a"); err != nil {
		t.Fatal(err)
	}
	until(t, "the shard is a's", 30*time.Second, func() bool { return b.Status().Owners[back] == "a" })
	a.end()
	until(t, "b owns everything again", 2*time.Second, func() bool { return b.count() == Shards })
}

// shardOf returns a shard that belongs to an agent, of a and b.
func shardOf(t testing.TB, name string) int {
	t.Helper()
	for n := range Shards {
		if Place(n, []string{"a", "b"}) == name {
			return n
		}
	}
	t.Fatal("no shard")
	return 0
}

// TestLeaseLost: an agent whose lease another ended loses everything before it owns it
// again.
func TestLeaseLost(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	until(t, "a owns everything", 10*time.Second, func() bool { return a.count() == Shards })
	if _, err := e.Client.Revoke(t.Context(), a.lease.get()); err != nil {
		t.Fatal(err)
	}
	until(t, "a lost everything and has it again", 10*time.Second, func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.lost == Shards && len(a.owned) == Shards
	})
}

// TestCompactedMeanwhile: an agent that was cut off while etcd forgot what happened reads
// the whole state.
func TestCompactedMeanwhile(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	b := start(t, e, "b", nil)
	until(t, "both have joined", 10*time.Second, func() bool { return len(b.Status().Members) == 2 && len(a.Status().Members) == 2 })
	if err := a.Commit(t.Context(), []journal.Write{{Key: "silence-1", Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	until(t, "b has it", 5*time.Second, func() bool { return b.has("silence-1") == "x" })
	b.cable.Cut()
	for _, w := range []journal.Write{{Key: "silence-1"}, {Key: "silence-2", Value: []byte("y")}} {
		if err := a.Commit(t.Context(), []journal.Write{w}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := e.Client.Get(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Client.Compact(t.Context(), s.Header.Revision); err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	wholes := b.wholes
	b.mu.Unlock()
	b.cable.Reset()
	b.cable.Mend()
	until(t, "b has the present", 20*time.Second, func() bool { return b.has("silence-1") == "" && b.has("silence-2") == "y" })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wholes <= wholes {
		t.Error("b was not given the whole state")
	}
}

// TestApplyFails: an agent that cannot keep what others wrote is given everything again.
func TestApplyFails(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	a := start(t, e, "a", nil)
	b := start(t, e, "b", nil)
	until(t, "both have joined", 10*time.Second, func() bool {
		return len(b.Status().Members) == 2 && a.count() > 0 && b.see(func() bool { return b.wholes > 0 })
	})
	b.mu.Lock()
	b.refuses = errors.New("disk full")
	b.mu.Unlock()
	if err := a.Commit(t.Context(), []journal.Write{{Key: "silence-1", Value: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	until(t, "b stops to follow", 5*time.Second, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.refused > 0
	})
	b.mu.Lock()
	b.refuses = nil
	b.mu.Unlock()
	until(t, "b has it", 5*time.Second, func() bool { return b.has("silence-1") == "x" && b.see(func() bool { return b.wholes > 1 }) })
}
