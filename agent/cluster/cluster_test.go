package cluster

import (
	"context"
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

	mu      sync.Mutex
	state   map[string]string
	owned   map[int]bool // by Gained and Lost
	lost    int          // shards that were lost
	wholes  int          // times that Apply had the entire state
	healed  int
	inHeal  func(*agent) error
	refuses error // what Apply returns
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
