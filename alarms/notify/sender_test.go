package notify

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/journal/journaltest"
)

func TestRetryAfter(t *testing.T) {
	for failures, most := range map[int]time.Duration{1: 500 * time.Millisecond, 2: time.Second, 7: 32 * time.Second, 8: time.Minute, 1e6: time.Minute} {
		if d := retryAfter(failures); d > most || d < most*4/5 {
			t.Errorf("after %d failures: %v, at most %v", failures, d, most)
		}
	}
}

// newSender returns a Sender to one receiver, mail, that is not running.
func newSender(t *testing.T, dir string, to Receiver) *Sender {
	t.Helper()
	s := &Sender{Journal: journaltest.Open(t, dir), Receivers: map[string]Receiver{"mail": to}, Log: slog.New(slog.DiscardHandler),
		Masked: func(string, alarms.Notification) bool { return false }, Changed: func() {},
		GivenUp: func(string, alarms.Notification) {}, Answers: func(string) {}, Owed: func(string) bool { return false }, Active: func(string) []alarms.Notification { return nil }}
	s.Open()
	return s
}

// TestDigestTakenOnce: what was taken and could not be removed from the queue
// is not sent with what came since.
func TestDigestTakenOnce(t *testing.T) {
	var calls [][]alarms.Notification
	to := Receiver{Notifier: &alarmstest.Receiver{}, Digest: time.Nanosecond, Together: func(_ context.Context, list []alarms.Notification) error {
		calls = append(calls, list)
		return nil
	}}
	s := newSender(t, t.TempDir(), to)
	if err := s.Journal.Write(journal.Entry{Notify: map[string][]alarms.Notification{"mail": make([]alarms.Notification, 4)}}); err != nil {
		t.Fatal(err)
	}
	d := &delivery{Sender: s, name: "mail", to: to, taken: 2}
	for _, remaining := range []int{2, 0} {
		waited, err := d.next(t.Context())
		if _, n, _ := s.Journal.Waiting("mail"); n != remaining || !waited || err != nil {
			t.Fatalf("%d remain, %v, %v", n, waited, err)
		}
	}
	if len(calls) != 1 || len(calls[0]) != 2 || calls[0][0].Sequence != 3 || d.taken != 4 {
		t.Errorf("%+v, taken %d", calls, d.taken)
	}
}

// TestDigest has what comes meanwhile go together, a test at once, and keeps
// all of it over a failure.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var calls []string
		var down atomic.Bool
		take := func(list []alarms.Notification) error {
			mu.Lock()
			defer mu.Unlock()
			if down.Load() {
				return os.ErrDeadlineExceeded
			}
			var ids []string
			for _, n := range list {
				ids = append(ids, n.ID)
			}
			calls = append(calls, strings.Join(ids, "+"))
			return nil
		}
		one := &alarmstest.Receiver{Answer: func(n alarms.Notification) error { return take([]alarms.Notification{n}) }}
		s := newSender(t, dir, Receiver{
			Notifier: one, Digest: 5 * time.Minute, Together: func(_ context.Context, list []alarms.Notification) error { return take(list) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		send := func(n alarms.Notification) {
			n.At = time.Now()
			if err := s.Journal.Write(journal.Entry{Notify: map[string][]alarms.Notification{"mail": {n}}}); err != nil {
				t.Fatal(err)
			}
			s.Wake("mail")
		}
		now := func(want ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(calls, want) {
				t.Errorf("got %q, want %q", calls, want)
			}
			calls = nil
		}
		send(alarms.Notification{ID: "1"})
		time.Sleep(2 * time.Minute)
		send(alarms.Notification{ID: "2"})
		time.Sleep(3*time.Minute - time.Second)
		now()
		time.Sleep(time.Second)
		now("1+2")
		send(alarms.Notification{ID: "3"})
		time.Sleep(5 * time.Minute)
		now("3")
		send(alarms.Notification{ID: "4"})
		send(alarms.Notification{ID: "5", Change: alarms.Change{Kind: alarms.Raised, Alarm: alarms.Alarm{Key: alarms.Key{Device: alarms.Self, Group: "test", Test: true}}}})
		now("4+5")
		down.Store(true)
		send(alarms.Notification{ID: "6"})
		time.Sleep(6 * time.Minute)
		send(alarms.Notification{ID: "7"})
		now()
		down.Store(false)
		time.Sleep(time.Minute)
		now("6+7")
		if d := s.Deliveries()["mail"]; d.Delivered != 7 || d.Waiting != 0 || d.Failed == 0 {
			t.Errorf("%+v", d)
		}
		cancel()
		<-done
	})
}

// TestPauses: a failing receiver is tried less and less often, not before it asks
// for, and at once when it is known to be back.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var tried []time.Duration
		began, answer := time.Now(), error(os.ErrDeadlineExceeded)
		to := Receiver{Notifier: &alarmstest.Receiver{Answer: func(alarms.Notification) error {
			mu.Lock()
			defer mu.Unlock()
			tried = append(tried, time.Since(began))
			return answer
		}}}
		lasts := func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return tried[len(tried)-1]
		}
		answers := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			answer = err
		}
		s := newSender(t, t.TempDir(), to)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		defer func() {
			cancel()
			<-ended
		}()
		if err := s.Journal.Write(journal.Entry{Notify: map[string][]alarms.Notification{"mail": {{ID: "1"}}}}); err != nil {
			t.Fatal(err)
		}
		s.Wake("mail")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := s.Deliveries()["mail"].Failed; n < 14 || n > 22 || time.Since(began)-lasts() > time.Minute {
			t.Errorf("tried %d times in ten minutes, last after %s", n, lasts())
		}
		answers(&Later{Err: os.ErrDeadlineExceeded, After: 7 * time.Minute})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		asked := lasts()
		answers(nil)
		time.Sleep(7*time.Minute - time.Second - (time.Since(began) - asked))
		synctest.Wait()
		if lasts() != asked {
			t.Errorf("tried %s after it asked for 7m0s", lasts()-asked)
		}
		s.Retry("mail")
		synctest.Wait()
		if got := s.Deliveries()["mail"]; lasts() == asked || got.Delivered != 1 {
			t.Errorf("known to be back, and not tried: %+v", got)
		}
	})
}

// TestTakenBatch: what was taken together and could not be removed from the queue
// is not sent again, one by one.
func TestTakenBatch(t *testing.T) {
	r := &alarmstest.Receiver{}
	s := newSender(t, t.TempDir(), Receiver{Notifier: r})
	if err := s.Journal.Write(journal.Entry{Notify: map[string][]alarms.Notification{"mail": make([]alarms.Notification, 4)}}); err != nil {
		t.Fatal(err)
	}
	d := &delivery{Sender: s, name: "mail", to: Receiver{Notifier: r}, taken: 3}
	for range 4 {
		if _, err := d.next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, taken := r.Attempts(); len(taken) != 1 || taken[0].Sequence != 4 {
		t.Errorf("taken again: %+v", taken)
	}
}
