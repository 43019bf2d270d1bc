package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Sender delivers the queues of receivers, each in order, however long that
// takes. A receiver that is down delays no other.
type Sender struct {
	Journal   *journal.Journal
	Receivers map[string]Receiver
	Log       *slog.Logger
	Masked    func(receiver string, n alarms.Notification) bool // see [Route.Masks]
	Changed   func()                                            // called after a change of a queue or of a receiver's state

	queued map[string]chan struct{} // by receiver: there is something to deliver

	mu    sync.Mutex // guards what follows
	stats map[string]*Delivery
	tests map[string]testRun // by the object of the test alarm
}

// Open prepares s. It must be called once, before anything else.
func (s *Sender) Open() {
	s.queued, s.stats, s.tests = make(map[string]chan struct{}), make(map[string]*Delivery), make(map[string]testRun)
	for name := range s.Receivers {
		s.queued[name], s.stats[name] = make(chan struct{}, 1), &Delivery{}
	}
}

// Run delivers until ctx is done.
func (s *Sender) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for name, r := range s.Receivers {
		g.Go(func() error { return s.deliver(ctx, name, r) })
		if r.Heartbeat > 0 {
			g.Go(func() error { return s.heartbeat(ctx, name, r.Heartbeat) })
		}
	}
	return g.Wait()
}

// Wake has the queue of a receiver delivered.
func (s *Sender) Wake(receiver string) {
	select {
	case s.queued[receiver] <- struct{}{}:
	default:
	}
}

// IsBehind reports whether something waits in the queue of a receiver.
func (s *Sender) IsBehind(receiver string) bool {
	_, waiting, _ := s.Journal.Waiting(receiver)
	return waiting > 0
}

// deliver delivers the queue of one receiver until ctx is done.
func (s *Sender) deliver(ctx context.Context, name string, to Receiver) error {
	var taken uint64
	failures := 0
	for ctx.Err() == nil {
		waited, err := s.next(ctx, name, to, &taken)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			s.count(name, func(d *Delivery) { d.Failed++; d.Error = err.Error() })
			if failures == 1 {
				s.Log.Warn("notification not delivered; retrying until it is", "receiver", name, "err", err)
			}
			wait.Sleep(ctx, retryAfter(failures))
		case err == nil && failures > 0:
			s.Log.Info("notifications are delivered again", "receiver", name, "after_failures", failures)
			failures = 0
			s.Changed()
		case waited:
			wait.Sleep(ctx, to.Policy.MinInterval)
		default:
			select {
			case <-ctx.Done():
			case <-s.queued[name]:
			}
		}
	}
	return nil
}

// next delivers the oldest notification in the queue of a receiver, with Digest
// all of them, and reports whether there was one. taken is the last that the
// receiver took: if the journal fails to remove it, it is not sent twice.
func (s *Sender) next(ctx context.Context, name string, to Receiver, taken *uint64) (waited bool, err error) {
	n, waiting, err := s.Journal.Waiting(name)
	if waiting == 0 {
		return false, err
	}
	list := []alarms.Notification{n}
	if to.Digest > 0 && err == nil {
		if list, err = s.Journal.Queue(name, digestMost); err != nil {
			return true, err
		}
		if wait := to.collects(list, time.Now()); wait > 0 {
			s.await(ctx, name, wait)
			return true, nil
		}
	}
	rejected := (*Rejected)(nil)
	sent := slices.IndexFunc(list, func(n alarms.Notification) bool { return n.Sequence == *taken })
	switch {
	case err != nil:
		s.Log.Error("an unreadable notification in the queue is skipped", "receiver", name, "sequence", n.Sequence, "err", err)
	case sent >= 0:
		list = list[:sent+1]
	case to.Expire > 0 && time.Since(n.At) > to.Expire:
		list = list[:1]
		s.giveUp(name, n, fmt.Errorf("not delivered for %s", to.Expire), func(d *Delivery) { d.Expired++ })
	default:
		err := s.attempt(ctx, name, to, list)
		switch {
		case errors.As(err, &rejected):
			for _, n := range list {
				s.giveUp(name, n, err, func(d *Delivery) { d.Rejected++ })
			}
		case err != nil:
			return true, err
		default:
			*taken = list[len(list)-1].Sequence
			s.count(name, func(d *Delivery) { d.Delivered += uint64(len(list)) })
		}
	}
	done := make([]uint64, len(list))
	for i, n := range list {
		done[i] = n.Sequence
	}
	return true, s.Journal.Done(name, done...)
}

// digestMost is how many notifications one digest holds at most.
const digestMost = 200

// collects returns how much longer to wait before list goes as one. A test does
// not wait: somebody waits for it.
func (r Receiver) collects(list []alarms.Notification, now time.Time) time.Duration {
	if len(list) == 0 || len(list) == digestMost || slices.ContainsFunc(list, func(n alarms.Notification) bool { return n.Change.Alarm.IsTest() }) {
		return 0
	}
	return list[0].At.Add(r.Digest).Sub(now)
}

// await returns after a time, or when something else is queued for a receiver.
func (s *Sender) await(ctx context.Context, name string, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	case <-s.queued[name]:
	}
}

// DeliveryTimeout bounds one attempt.
const DeliveryTimeout = 30 * time.Second

func (s *Sender) attempt(ctx context.Context, name string, to Receiver, list []alarms.Notification) (err error) {
	ctx, cancel := context.WithTimeout(ctx, DeliveryTimeout)
	defer cancel()
	var limited []alarms.Notification
	for _, n := range list {
		if !s.Masked(name, n) {
			limited = append(limited, to.Policy.Limit(n))
		}
	}
	switch {
	case len(limited) == 0:
	case len(limited) == 1:
		err = to.Notify(ctx, limited[0])
	default:
		err = to.Together(ctx, limited)
	}
	for _, n := range list {
		s.tested(name, to, n, err)
	}
	return err
}

func (s *Sender) giveUp(name string, n alarms.Notification, why error, count func(*Delivery)) {
	s.Log.Error("notification given up", "receiver", name, "id", n.ID, "err", why)
	s.count(name, func(d *Delivery) { count(d); d.LostAt, d.Error = time.Now(), why.Error() })
	s.Changed()
}

// retryAfter grows from half a second to a minute, less up to a fifth at
// random.
func retryAfter(failures int) time.Duration {
	d := min(250*time.Millisecond<<min(failures, 10), time.Minute)
	return d - time.Duration(rand.Float64()*0.2*float64(d))
}

// heartbeat notifies a receiver that the agent runs: at its start, and then at
// an interval. A receiver that was down gets one when it is back, not all of
// them.
func (s *Sender) heartbeat(ctx context.Context, name string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	kind := alarms.Started
	for {
		now := time.Now()
		n := alarms.Notification{ID: fmt.Sprintf("%s %d", kind, now.UnixNano()), At: now, Change: alarms.Change{Kind: kind}}
		if _, waiting, _ := s.Journal.Waiting(name); kind == alarms.Started || waiting == 0 {
			if err := s.Journal.Write(journal.Entry{Notify: map[string][]alarms.Notification{name: {n}}}); err == nil {
				s.Wake(name)
				s.Changed()
			}
		}
		kind = alarms.Heartbeat
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
