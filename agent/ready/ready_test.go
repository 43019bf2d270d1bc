package ready

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// messages collects what is sent to systemd.
type messages struct {
	mu  sync.Mutex
	all []string
}

func (m *messages) send(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, text)
}

func (m *messages) take() (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list, m.all = m.all, nil
	return list
}

// TestReadyIsBounded has a source that never answers and never fails: systemd would end
// an agent that waits for it, so it is ready after a minute, and says what is missing.
func TestReadyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got messages
		r := New()
		report := r.Tried("poller of hsm1", func(hsm.Observation) {})
		r.Tried("poller of hsm2", func(hsm.Observation) {})
		changes := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.Notify(ctx, got.send, func() string { return "2 HSMs, 1 alarm" }, func() <-chan struct{} { return changes })
		}()
		want := func(messages ...string) {
			t.Helper()
			synctest.Wait()
			if all := got.take(); !slices.Equal(all, messages) {
				t.Errorf("%q, want %q", all, messages)
			}
		}
		want("STATUS=waiting for poller of hsm1, poller of hsm2")
		time.Sleep(time.Second)
		report(hsm.Observation{})
		report(hsm.Observation{})
		want("STATUS=waiting for poller of hsm2")
		time.Sleep(58 * time.Second)
		r.Evaluated()
		want("WATCHDOG=1")
		time.Sleep(time.Second + statusPause)
		want("READY=1\nSTATUS=2 HSMs, 1 alarm; still waiting for poller of hsm2 (it has neither answered nor failed)")
		time.Sleep(time.Hour)
		want() // no timer feeds the watchdog
		r.Arrived("poller of hsm2")
		want("STATUS=2 HSMs, 1 alarm")
		cancel()
		want("STOPPING=1")
		<-done
	})
}

func TestStatus(t *testing.T) {
	var many []missing
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many = append(many, missing{name, "it is late"})
	}
	for _, test := range []struct {
		ready bool
		left  []missing
		want  string
	}{
		{false, nil, "7 HSMs, 0 alarms"},
		{false, many, "waiting for a, b, c, d, e, 2 more"},
		{true, many[:1], "7 HSMs, 0 alarms; still waiting for a (it is late)"},
		{false, []missing{{"a\nREADY=1", ""}}, "waiting for a READY=1"},
	} {
		if got := status(test.ready, "7 HSMs, 0 alarms", test.left); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
