// Package watchtest runs a Watch in a test, in a bubble of its own time. It
// knows nothing of the agent.
package watchtest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Log is a log that can be read while it is written.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (n *Log) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

// String returns what was written so far.
func (n *Log) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// A Running is a Watch that runs, in a bubble of its own time.
type Running struct {
	*watch.Watch
	t    *testing.T
	dir  string
	Log  *Log
	Stop func() // and closes the journal
}

// Start runs a Watch on the state in dir, which notifies of everything at once
// unless changed.
func Start(t *testing.T, dir string, receivers map[string]notify.Notifier, changes ...func(*watch.Watch)) *Running {
	t.Helper()
	a := &Running{t: t, dir: dir, Log: new(Log)}
	a.Watch = &watch.Watch{
		Journal: journaltest.Open(t, dir), Store: hsm.NewStore(), Setup: watch.Setup{Settings: watch.DefaultSettings(), Receivers: make(map[string]notify.Receiver), Addresses: map[string]string{"a": "192.0.2.7:22"}},
		Log: slog.New(slog.NewTextHandler(a.Log, nil)),
	}
	a.Settings.NotifyInterval, a.Settings.StormAlarms = 0, 0
	for name, n := range receivers {
		a.Receivers[name] = notify.Receiver{Notifier: n}
	}
	for _, change := range changes {
		change(a.Watch)
	}
	a.Store.Expect(hsm.NetworkHSM, "a")
	if err := a.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	a.Stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		a.Journal.Close()
	}
	synctest.Wait()
	return a
}

// Kernel gives lines of the kernel to the Watch, with the cursor behind them.
func (a *Running) Kernel(cursor string, texts ...string) error {
	var lines []hsm.LogLine
	for _, text := range texts {
		lines = append(lines, syslog.ParseLine(alarmstest.Stamp+"kern info  kernel: "+text))
	}
	err := a.Lines("a", "/log", lines, []byte(cursor))
	synctest.Wait()
	return err
}

// Must fails the test at an error.
func (a *Running) Must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// Polled reports that hsm show was read now.
func (a *Running) Polled(v hsm.Show) {
	a.Store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: time.Now(), MaxAge: 605 * time.Second, Facts: []hsm.Fact{v}})
	synctest.Wait()
}

// ActiveGroups returns the groups of the active alarms, worst first.
func (a *Running) ActiveGroups() (list []string) {
	for _, x := range a.Active() {
		list = append(list, x.Group)
	}
	return list
}

// Advance lets time pass, until everything waits.
func Advance(d time.Duration) {
	time.Sleep(d) // in a bubble, whose time does not take any
	synctest.Wait()
}
