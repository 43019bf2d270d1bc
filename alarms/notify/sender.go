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

// A Delivery counts what happened to a receiver's notifications.
type Delivery struct {
	Delivered uint64
	Failed    uint64    // attempts
	Rejected  uint64    // given up: the receiver will never take them
	Expired   uint64    // given up: not delivered in time
	LostAt    time.Time // when one was last given up
	Error     string    // of the last failed attempt
	Waiting   int       // now
	Oldest    time.Time // when the oldest waiting one was made; zero: none waits
}

// A Sender empties the queues of receivers, each in order, however long that
// takes. A receiver that is down delays no other.
type Sender struct {
	Journal   *journal.Journal
	Receivers map[string]Receiver
	Log       *slog.Logger
	Masked    func(receiver string, n alarms.Notification) bool // see [Route.Masks]
	Changed   func()                                            // called when a queue or how a receiver does has changed

	queued map[string]chan struct{} // by receiver: there is something to deliver

	mu    sync.Mutex // guards what follows
	stats map[string]*Delivery
	tests map[string]testRun // by the object of the alarm
}

// Open must be called once, before anything else.
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

// Wake has the queue of a receiver emptied: there is something in it.
func (s *Sender) Wake(receiver string) {
	select {
	case s.queued[receiver] <- struct{}{}:
	default:
	}
}

// Deliveries returns the counts of every receiver.
func (s *Sender) Deliveries() map[string]Delivery {
	all := make(map[string]Delivery)
	s.mu.Lock()
	for name, d := range s.stats {
		all[name] = *d
	}
	s.mu.Unlock()
	for name, d := range all {
		if n, waiting, _ := s.Journal.Waiting(name); waiting > 0 {
			d.Waiting, d.Oldest = waiting, n.At
			all[name] = d
		}
	}
	return all
}

// IsBehind reports whether something waits for a receiver.
func (s *Sender) IsBehind(receiver string) bool {
	_, waiting, _ := s.Journal.Waiting(receiver)
	return waiting > 0
}

// DeliveryTimeout bounds one attempt.
const DeliveryTimeout = 30 * time.Second

// deliver empties the queue of one receiver.
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
				s.Log.Warn("notification not delivered; trying again until it is", "receiver", name, "err", err)
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

// next delivers the oldest notification that waits for a receiver, with Digest
// all that wait, and reports whether there was one. taken is the last that the
// receiver took: it is not told twice because the journal failed to remove it.
func (s *Sender) next(ctx context.Context, name string, to Receiver, taken *uint64) (waited bool, err error) {
	n, waiting, err := s.Journal.Waiting(name)
	if waiting == 0 {
		return false, err
	}
	list := []alarms.Notification{n}
	if to.Digest > 0 && err == nil {
		list = s.Journal.Queue(name, digestMost)
		if wait := to.collects(list, time.Now()); wait > 0 {
			s.await(ctx, name, wait)
			return true, nil
		}
	}
	rejected := (*Rejected)(nil)
	before := slices.IndexFunc(list, func(n alarms.Notification) bool { return n.Sequence == *taken })
	switch {
	case err != nil:
		s.Log.Error("a notification in the queue is not readable and is left out", "receiver", name, "sequence", n.Sequence, "err", err)
	case before >= 0:
		list = list[:before+1]
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

// digestMost is how many notifications go together.
const digestMost = 200

// collects returns how long more are waited for before list goes as one.
// Somebody waits for a test.
func (r Receiver) collects(list []alarms.Notification, now time.Time) time.Duration {
	if len(list) == 0 || len(list) == digestMost || slices.ContainsFunc(list, func(n alarms.Notification) bool { return n.Change.Alarm.IsTest() }) {
		return 0
	}
	return list[0].At.Add(r.Digest).Sub(now)
}

// await returns after a time, or when something else waits for a receiver.
func (s *Sender) await(ctx context.Context, name string, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	case <-s.queued[name]:
	}
}

func (s *Sender) giveUp(name string, n alarms.Notification, why error, count func(*Delivery)) {
	s.Log.Error("notification given up", "receiver", name, "id", n.ID, "err", why)
	s.count(name, func(d *Delivery) { count(d); d.LostAt, d.Error = time.Now(), why.Error() })
	s.Changed()
}

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

func (s *Sender) count(name string, change func(*Delivery)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.stats[name])
}

// retryAfter grows from half a second to a minute, less up to a fifth.
func retryAfter(failures int) time.Duration {
	d := min(250*time.Millisecond<<min(failures, 10), time.Minute)
	return d - time.Duration(rand.Float64()*0.2*float64(d))
}

// heartbeat tells a receiver that the agent runs: at its start, and then at an
// interval. A receiver that is down gets one when it is back, and not all.
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
