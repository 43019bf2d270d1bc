package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/watch"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/hsm"
)

// A ledger is a receiver that is down for a third of the time, and remembers
// what it took.
type ledger struct {
	mu    sync.Mutex
	took  map[string]map[string]int // by alarm and kind: IDs, and how often each came
	codes map[string]bool           // of the events that it was notified of
	total int
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if time.Now().UnixMilli()%1500 < 500 {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	var n alarms.Notification
	if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	what := string(n.Change.Kind) + " " + n.Change.Alarm.Key.String()
	if l.took[what] == nil {
		l.took[what] = make(map[string]int)
	}
	l.took[what][n.ID]++
	l.total++
	if a := n.Change.Alarm; n.Change.Kind == alarms.Raised && a.Group == "meta" {
		l.codes[a.Object] = true
	}
}

// posts sends notifications to a ledger.
type posts string

func (p posts) Notify(ctx context.Context, n alarms.Notification) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p), bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// crashChild is in the environment of a process that follows a log until it is
// killed: its directory and the ledger's address.
const crashChild = "LUNAWATCH_CRASH"

func TestMain(m *testing.M) {
	if dir, url, child := strings.Cut(os.Getenv(crashChild), " "); child {
		if err := followUntilKilled(dir, url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func followUntilKilled(dir, url string) error {
	j, err := journal.Open(dir)
	if err != nil {
		return err
	}
	w := &watch.Watch{Journal: j, Store: hsm.NewStore(), Log: slog.New(slog.DiscardHandler),
		Setup: watch.Setup{Settings: watch.DefaultSettings(), Receivers: map[string]notify.Receiver{"ledger": {Notifier: posts(url)}}}}
	w.Settings.StormAlarms, w.Settings.NotifyInterval, w.Settings.EventAge = 0, 0, 24*time.Hour
	w.Store.Expect(hsm.NetworkHSM, "a")
	if err := w.Open(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(context.Background())
	g.Go(func() error { return w.Run(ctx) })
	g.Go(func() error {
		f := follow.Follower{File: filepath.Join(dir, "messages"), Log: w.Log, FromStart: true}
		from, err := j.Cursor("messages")
		if err != nil {
			return err
		}
		return f.Run(ctx, from, func(lines []hsm.LogLine, cursor []byte) error { return w.Lines("a", "messages", lines, cursor) })
	})
	return g.Wait()
}

// TestCrash kills the agent at random moments while events come in and a
// receiver is down for a third of the time. Nothing may be lost, and nothing
// notified twice under two IDs. It runs alone: until a process that was forked
// executes its program, it holds the states that other tests have open. With LUNAWATCH_STRESS=1 it takes 5,000 events
// and 200 kills, and with a higher number so many kills.
func TestCrash(t *testing.T) {
	events, kills := 300, stress(8, 200)
	switch {
	case os.Getenv("LUNAWATCH_STRESS") != "":
		events = 25 * kills
	case testing.Short():
		t.Skip("short")
	}
	dir := t.TempDir()
	book := &ledger{took: make(map[string]map[string]int), codes: make(map[string]bool)}
	server := httptest.NewServer(book)
	defer server.Close()
	log, err := os.OpenFile(filepath.Join(dir, "messages"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	written := make(chan error, 1)
	life := 120 * time.Millisecond // of the agent, at most
	go func() {
		pace := time.Duration(kills) * life / 2 / time.Duration(events)
		for i := range events {
			if _, err := fmt.Fprintf(log, "%skern info  kernel: k7pf%d: [HSM] ALM%04d: event\n", alarmstest.Stamp, 1+i/5000, 3000+i%5000); err != nil {
				written <- err
				return
			}
			time.Sleep(pace)
		}
		written <- nil
	}()
	start := func() *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), crashChild+"="+dir+" "+server.URL)
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range kills {
		c := start()
		time.Sleep(5*time.Millisecond + rand.N(life))
		c.Process.Kill()
		c.Wait()
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	c := start()
	defer func() {
		c.Process.Kill()
		c.Wait()
	}()
	for deadline := time.Now().Add(5 * time.Minute); book.events() < events && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	lost, renamed, again := events-book.events(), 0, 0
	book.mu.Lock()
	defer book.mu.Unlock()
	for what, ids := range book.took {
		if len(ids) > 1 {
			renamed++
			t.Errorf("%s under several IDs: %v", what, ids)
		}
		for _, n := range ids {
			again += n - 1
		}
	}
	t.Logf("%d events, %d kills: %d notifications taken, lost %d, notified again under the same ID %d, under another ID %d", events, kills, book.total, lost, again, renamed)
	if lost != 0 {
		t.Errorf("%d events are lost", lost)
	}
}

// events returns of how many events it was notified.
func (l *ledger) events() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.codes)
}
