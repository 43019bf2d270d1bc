package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/lunawatch/lunawatch/agent/cluster/etcdtest"
)

// TestReplicasAreEqual: three agents write 1,000 alarms, each the owner of its device,
// while shards move, agents end, are cut off and come again. In the end every replica is
// what etcd has, and has all of them.
func TestReplicasAreEqual(t *testing.T) {
	t.Parallel()
	e := etcdtest.Start(t, 1)
	var mu sync.Mutex
	agents := make(map[string]*agent)
	for _, name := range []string{"a", "b", "c"} {
		agents[name] = start(t, e, name, nil)
	}
	all := func() map[string]*agent {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(agents)
	}
	until(t, "everything is owned", 20*time.Second, func() bool {
		n := 0
		for _, a := range all() {
			n += a.count()
		}
		return n == Shards
	})

	var writing sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	written := make(chan int, 1000)
	for w := range 4 {
		writing.Go(func() {
			for i := range 1000 {
				if (i%200)%4 != w {
					continue // one writer for each device, so that the last value is known
				}
				time.Sleep(50 * time.Millisecond) // the pace of the alarms
				if !writeSomewhere(ctx, all, fmt.Sprintf("hsm%d", i%200), fmt.Sprintf("alarm%d", i%500), fmt.Sprint(i)) {
					return
				}
				written <- i
			}
		})
	}
	done := make(chan struct{})
	go func() {
		writing.Wait()
		close(done)
	}()
	for n, running := 0, true; running; n++ {
		names := []string{"a", "b", "c"}
		name := names[n%3]
		switch n % 4 {
		case 0:
			for range 20 {
				if err := all()[name].Move(ctx, rand.IntN(Shards), names[rand.IntN(3)]); err != nil {
					t.Error(err)
				}
			}
		case 1:
			all()[name].end()
			again := start(t, e, name, nil)
			mu.Lock()
			agents[name] = again
			mu.Unlock()
		case 2:
			all()[name].cable.Cut()
		case 3:
			for _, a := range all() {
				a.cable.Mend()
			}
		}
		select {
		case <-done:
			running = false
		case <-time.After(1500 * time.Millisecond): // the pace of the faults
		}
	}
	for _, a := range all() {
		a.cable.Mend()
	}
	if len(written) != 1000 {
		t.Fatalf("%d of 1000 alarms were written", len(written))
	}
	want := make(map[string]string)
	for i := range 1000 {
		want[fmt.Sprintf("hsm%d/alarm%d", i%200, i%500)] = fmt.Sprint(i)
	}
	for name, a := range all() {
		until(t, name+" has everything", 30*time.Second, func() bool {
			return a.see(func() bool { return maps.Equal(a.state, want) })
		})
	}
	got, err := e.Client.Get(t.Context(), "lunawatch/state/", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[string]string)
	for _, kv := range got.Kvs {
		p, _ := parse("lunawatch/", string(kv.Key))
		stored[p.name] = string(kv.Value)
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Errorf("etcd (-want +got):\n%s", diff)
	}
}

// writeSomewhere commits a value by whoever owns the device, until somebody has.
func writeSomewhere(ctx context.Context, agents func() map[string]*agent, device, key, value string) bool {
	for ctx.Err() == nil {
		for _, a := range agents() {
			if a.Owns(device) && a.put(device, key, value) == nil {
				return true
			}
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// TestStoppedProcess: a process that is stopped until another owns everything does not
// send with what it believes, not even in its first instruction after.
func TestStoppedProcess(t *testing.T) {
	if endpoint := os.Getenv("LUNAWATCH_CLUSTER_CHILD"); endpoint != "" {
		child(t, endpoint)
		return
	}
	t.Parallel()
	e := etcdtest.Start(t, 1)
	command := exec.Command(os.Args[0], "-test.run=^TestStoppedProcess$")
	command.Env = append(os.Environ(), "LUNAWATCH_CLUSTER_CHILD="+e.URLs()[0])
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(out)
	ask := func() {
		if _, err := fmt.Fprintln(in, "?"); err != nil {
			t.Fatalf("the child has ended: %v", err)
		}
	}
	answer := func() bool {
		if !lines.Scan() {
			t.Fatal("the child has ended")
		}
		return lines.Text() == "true"
	}
	maySend := func() bool {
		ask()
		return answer()
	}
	until(t, "the child may send", 10*time.Second, maySend)
	b := start(t, e, "b", nil)
	until(t, "b has joined", 10*time.Second, func() bool { return len(b.Status().Members) == 2 })
	if err := command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "b owns everything", 20*time.Second, func() bool { return b.count() == Shards })
	if err := b.Drain(t.Context(), "child", true); err != nil { // it gets nothing back
		t.Fatal(err)
	}
	ask() // before anything else that it will do
	if err := command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if answer() {
			t.Fatal("the child may send, and b owns everything")
		}
		ask()
	}
}

// child answers each line whether it may send.
func child(t *testing.T, endpoint string) {
	c := &Cluster{Settings: Settings{Endpoints: []string{endpoint}, Name: "child"}, Log: slog.New(slog.DiscardHandler)}
	go func() { _ = c.Run(t.Context()) }()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(c.MaySend("hsm1"))
	}
}

// BenchmarkTakeover is how long after a cut nobody owns what an agent owned.
func BenchmarkTakeover(b *testing.B) {
	e := etcdtest.Start(b, 1)
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		prefixed := func(a *agent) { a.Settings.Prefix = fmt.Sprintf("bench%d/", n) }
		dies := start(b, e, "dies", prefixed)
		until(b, "it owns everything", 20*time.Second, func() bool { return dies.count() == Shards })
		if err := dies.Drain(b.Context(), "waits", true); err != nil {
			b.Fatal(err)
		}
		waits := start(b, e, "waits", prefixed)
		until(b, "the other has joined", 20*time.Second, func() bool { return len(waits.Status().Members) == 2 })
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond) // anywhere between two keepalives
		b.StartTimer()
		begun := time.Now()
		dies.cable.Cut()
		until(b, "the other owns everything", 20*time.Second, func() bool { return waits.count() == Shards })
		took = append(took, time.Since(begun))
		b.StopTimer()
		dies.cable.Reset()
		dies.cable.Mend()
		waits.end()
		dies.end()
		b.StartTimer()
	}
	var most time.Duration
	for _, d := range took {
		most = max(most, d)
	}
	b.ReportMetric(most.Seconds(), "s-worst")
}

// BenchmarkCommit is one write under its fence.
func BenchmarkCommit(b *testing.B) {
	e := etcdtest.Start(b, 1)
	a := start(b, e, "a", nil)
	until(b, "it owns everything", 20*time.Second, func() bool { return a.count() == Shards })
	for n := 0; b.Loop(); n++ {
		if err := a.put("hsm1", "alarm", fmt.Sprint(n)); err != nil && !errors.Is(err, ErrAway) {
			b.Fatal(err)
		}
	}
}
