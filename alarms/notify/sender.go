package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Sender delivers the queues of receivers, each in order, however long that
// takes. A receiver that is down delays no other.
type Sender struct {
	Journal   *journal.Journal
	Receivers map[string]Receiver // until Open; then by Configure
	Log       *slog.Logger
	Masked    func(receiver string, n alarms.Notification) bool // see [Route.Masks]
	Changed   func()                                            // called after a change of a queue or of a receiver's state
	GivenUp   func(receiver string, n alarms.Notification)      // called when a notification was given up
	Answers   func(receiver string)                             // called when a receiver takes something after that
	Owed      func(receiver string) bool                        // whether something was given up before the start
	Active    func(receiver string) []alarms.Notification       // what a receiver takes to be active, for its refresh
	May       func(n alarms.Notification) bool                  // whether this agent is the one that sends it, now; nil: it is
	Member    string                                            // the name of this agent among several; "": it is the only one

	reconfigured chan struct{}

	mu     sync.Mutex // guards what follows
	queues map[string]*queue
	tests  map[string]testRun // by the object of the test alarm
}

// A queue is that of one receiver.
type queue struct {
	to      Receiver
	changed bool          // to is another one than that which it is delivered to
	filled  chan struct{} // there is something to deliver
	retry   chan struct{} // it is worth trying again
	stats   Delivery
}

// Open prepares s. It must be called once, before anything else.
func (s *Sender) Open() {
	s.reconfigured, s.queues, s.tests = make(chan struct{}, 1), make(map[string]*queue), make(map[string]testRun)
	s.Configure(s.Receivers, nil)
}

// Configure replaces the receivers. The queue of one that was there before, and is not
// in changed, goes on undisturbed.
func (s *Sender) Configure(receivers map[string]Receiver, changed []string) {
	owed := make(map[string]bool)
	for name := range receivers {
		owed[name] = s.Owed(name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, to := range receivers {
		q, known := s.queues[name]
		if !known {
			q = &queue{filled: make(chan struct{}, 1), retry: make(chan struct{}, 1)}
			if owed[name] {
				q.stats.owed = time.Now()
			}
			s.queues[name] = q
		}
		if !known || slices.Contains(changed, name) {
			q.to, q.changed = to, true
		}
	}
	maps.DeleteFunc(s.queues, func(name string, _ *queue) bool { _, there := receivers[name]; return !there })
	wait.Signal(s.reconfigured)
}

// Run delivers until ctx is done.
func (s *Sender) Run(ctx context.Context) error {
	running := make(map[string]func()) // what ends the delivery to each receiver
	for ctx.Err() == nil {
		s.reconcile(ctx, running)
		select {
		case <-ctx.Done():
		case <-s.reconfigured:
		}
	}
	for _, end := range running {
		end()
	}
	return nil
}

// reconcile has exactly the receivers that are configured delivered to.
func (s *Sender) reconcile(ctx context.Context, running map[string]func()) {
	start := make(map[string]Receiver)
	s.mu.Lock()
	for name, q := range s.queues {
		if q.changed {
			q.changed, start[name] = false, q.to
		}
	}
	gone := slices.DeleteFunc(slices.Collect(maps.Keys(running)), func(name string) bool { return s.queues[name] != nil })
	s.mu.Unlock()
	for _, name := range slices.AppendSeq(gone, maps.Keys(start)) {
		if end := running[name]; end != nil {
			end()
			delete(running, name)
		}
	}
	for name, to := range start {
		running[name] = s.start(ctx, name, to)
	}
}

// start delivers to a receiver until end, which waits for an attempt to be given up.
func (s *Sender) start(ctx context.Context, name string, to Receiver) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { s.deliver(ctx, name, to) })
	if to.Heartbeat > 0 {
		both.Go(func() { s.heartbeat(ctx, name, to.Heartbeat) })
	}
	return func() {
		cancel()
		both.Wait()
	}
}

// queue returns that of a receiver. One that is gone has one that nobody looks at.
func (s *Sender) queue(receiver string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.queues[receiver], &queue{filled: make(chan struct{}, 1), retry: make(chan struct{}, 1)})
}

// Wake has the queue of a receiver delivered.
func (s *Sender) Wake(receiver string) { wait.Signal(s.queue(receiver).filled) }

// Retry has the queue of a receiver that failed tried at once: it is known to be
// back.
func (s *Sender) Retry(receiver string) { wait.Signal(s.queue(receiver).retry) }

// A delivery is the queue of one receiver at work. It belongs to one goroutine.
type delivery struct {
	*Sender
	queue  *queue
	name   string
	to     Receiver
	taken  uint64        // the last that the receiver took: if the journal fails to remove it, it is not sent twice
	limit  *rate.Limiter // of notifications that are sent one by one
	single int           // so many go one by one, since the receiver rejected them together
	why    error         // of the last failed attempt
	fresh  *time.Timer   // fires when what is active is to be sent again; nil: never
}

// Of a receiver whose notifications can be sent together, so many go one by one
// in a minute, and as many at once; beyond that, and at the end of a storm,
// batches name each.
const (
	singlePerMinute = 300
	batchMost       = 100
	batchDelay      = 15 * time.Second // how long what was held in a storm waits for more of it
)

// deliver delivers the queue of one receiver until ctx is done.
func (s *Sender) deliver(ctx context.Context, name string, to Receiver) {
	d := &delivery{Sender: s, queue: s.queue(name), name: name, to: to, limit: rate.NewLimiter(rate.Every(time.Minute/singlePerMinute), singlePerMinute)}
	var refresh <-chan time.Time
	if to.Refresh > 0 {
		d.fresh = time.NewTimer(0)
		refresh = d.fresh.C
		defer d.fresh.Stop()
	}
	failures := 0
	for ctx.Err() == nil {
		select {
		case <-refresh:
			d.refresh(ctx)
		default:
		}
		waited, err := d.next(ctx)
		switch {
		case errors.Is(err, errOfAnother):
			wait.Sleep(ctx, anotherDelay)
		case err != nil && ctx.Err() == nil:
			failures++
			d.why = err
			s.count(name, func(d *Delivery) { d.Failed++; d.Error = err.Error() })
			if failures == 1 {
				s.Log.Warn("notification not delivered; retrying until it is", "receiver", name, "err", err)
			}
			d.pause(ctx, retryAfter(failures), refresh)
		case err == nil && failures > 0:
			s.Log.Info("notifications are delivered again", "receiver", name, "after_failures", failures)
			failures = 0
			s.Changed()
		case waited:
			wait.Sleep(ctx, to.Policy.MinInterval)
		default:
			select {
			case <-ctx.Done():
			case <-d.queue.filled:
			case <-refresh:
				d.refresh(ctx)
			}
		}
	}
}

// pause waits before the next attempt: for so long at least, as long as the
// receiver asks for, or until [Sender.Retry]. A refresh does not wait.
func (d *delivery) pause(ctx context.Context, least time.Duration, refresh <-chan time.Time) {
	if later := (*Later)(nil); errors.As(d.why, &later) {
		least = min(max(least, later.After), maxRetryAfter)
	}
	until := time.NewTimer(least)
	defer until.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-d.queue.retry:
		case <-until.C:
		case <-refresh:
			d.refresh(ctx)
			continue
		}
		return
	}
}

// refresh sends all that the receiver takes to be active once more, past its
// queue.
func (d *delivery) refresh(ctx context.Context) {
	d.fresh.Reset(d.to.Refresh)
	for list := range slices.Chunk(d.Active(d.name), refreshMost) {
		err := d.attempt(ctx, d.name, d.to, list)
		if ctx.Err() != nil {
			return
		}
		d.count(d.name, func(s *Delivery) {
			switch {
			case err == nil:
				s.Unrefreshed = time.Time{}
			case s.Unrefreshed.IsZero():
				s.Unrefreshed, s.Error = time.Now(), err.Error()
			default:
				s.Error = err.Error()
			}
		})
		if err != nil {
			d.Changed()
			return
		}
	}
}

// refreshMost bounds how many alarms one message refreshes.
const refreshMost = 500

// maxRetryAfter bounds what a receiver can ask for.
const maxRetryAfter = 15 * time.Minute

// next delivers the oldest notification in the queue, or several, and reports
// whether there was one.
func (d *delivery) next(ctx context.Context) (waited bool, err error) {
	n, waiting, err := d.Journal.Waiting(d.name)
	if waiting == 0 {
		return false, err
	}
	list := []alarms.Notification{n}
	if err == nil && d.to.Together != nil {
		if list, err = d.batch(ctx, n); err != nil || len(list) == 0 {
			return true, err
		}
	}
	rejected := (*Rejected)(nil)
	sent := 0
	for sent < len(list) && list[sent].Sequence <= d.taken {
		sent++
	}
	switch {
	case err != nil:
		d.Log.Error("an unreadable notification in the queue is skipped", "receiver", d.name, "sequence", n.Sequence, "err", err)
	case sent > 0:
		list = list[:sent]
	case d.to.Expire > 0 && time.Since(n.At) > d.to.Expire:
		list = list[:1]
		why := fmt.Errorf("not delivered for %s", d.to.Expire)
		if d.why != nil {
			why = fmt.Errorf("%w: %w", why, d.why)
		}
		d.giveUp(n, why, time.Now(), func(s *Delivery) { s.Expired++ })
	default:
		err := d.attempt(ctx, d.name, d.to, list)
		switch {
		case errors.As(err, &rejected) && len(list) > 1 && d.to.Digest == 0:
			d.single = len(list)
			return true, nil
		case errors.As(err, &rejected):
			for _, n := range list {
				d.giveUp(n, err, time.Now().Add(rejectedAgain), func(s *Delivery) { s.Rejected++ })
			}
		case err != nil:
			return true, err
		default:
			d.taken = list[len(list)-1].Sequence
			d.delivered(len(list))
		}
	}
	done := make([]uint64, len(list))
	for i, n := range list {
		done[i] = n.Sequence
	}
	return true, d.Journal.Done(d.name, done...)
}

// batch returns what is sent together with n, the oldest in the queue, and
// nothing while it waits for more.
func (d *delivery) batch(ctx context.Context, n alarms.Notification) (list []alarms.Notification, err error) {
	held := func(n alarms.Notification) bool { return n.Change.Alarm.AfterStorm }
	switch {
	case d.to.Digest > 0:
		if list, err = d.Journal.Queue(d.name, digestMost); err != nil {
			return nil, err
		}
		if wait := d.to.collects(list, time.Now()); wait > 0 {
			d.await(ctx, wait)
			return nil, nil
		}
		return list, nil
	case d.single > 0:
		d.single--
		return []alarms.Notification{n}, nil
	case d.to.Policy.limited(), n.IsHeartbeat(), n.Change.Alarm.IsTest(), !held(n) && d.limit.Allow():
		return []alarms.Notification{n}, nil
	case !held(n):
		wait.Sleep(ctx, time.Second)
	}
	all, err := d.Journal.Queue(d.name, batchMost)
	if err != nil {
		return nil, err
	}
	end := slices.IndexFunc(all, func(other alarms.Notification) bool {
		return other.IsHeartbeat() || other.Change.Alarm.IsTest() || held(other) != held(n)
	})
	if end >= 0 {
		return all[:end], nil
	}
	if d := time.Until(all[0].At.Add(batchDelay)); held(n) && d > 0 && len(all) < batchMost {
		wait.Sleep(ctx, min(d, time.Second))
		return nil, nil
	}
	return all, nil
}

// rejectedAgain is how soon a receiver gets once more what it has rejected: its
// configuration may have been corrected.
const rejectedAgain = time.Hour

// delivered counts what a receiver has taken. It answers again, so that it gets
// what was given up before.
func (d *delivery) delivered(n int) {
	var owed bool
	d.count(d.name, func(s *Delivery) {
		s.Delivered += uint64(n)
		owed = !s.owed.IsZero() && !time.Now().Before(s.owed)
		if owed {
			s.owed = time.Time{}
		}
	})
	if owed {
		d.Answers(d.name)
	}
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
func (d *delivery) await(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	case <-d.queue.filled:
	}
}

// DeliveryTimeout bounds one attempt.
const DeliveryTimeout = 30 * time.Second

func (s *Sender) attempt(ctx context.Context, name string, to Receiver, list []alarms.Notification) (err error) {
	ctx, cancel := context.WithTimeout(ctx, DeliveryTimeout)
	defer cancel()
	var limited []alarms.Notification
	for _, n := range list {
		if s.May != nil && !s.May(n) {
			return errOfAnother
		}
		if !s.Masked(name, n) {
			limited = append(limited, to.Policy.Limit(s.signed(n)))
		}
	}
	switch {
	case len(limited) == 0:
	case len(limited) == 1:
		err = to.Notify(ctx, limited[0])
	case to.Together != nil:
		err = to.Together(ctx, limited)
	default:
		for _, n := range limited {
			if err = to.Notify(ctx, n); err != nil {
				break
			}
		}
	}
	for _, n := range list {
		s.tested(name, to, n, err)
	}
	return err
}

// signed returns n, with the name of this agent in the ID of what is about the agent itself:
// several have alarms of the same name and number.
func (s *Sender) signed(n alarms.Notification) alarms.Notification {
	if s.Member != "" && n.Change.Alarm.Device == alarms.Self {
		n.ID = s.Member + " " + n.ID
	}
	return n
}

// errOfAnother means that a notification is another agent's to send, or that this agent
// cannot know that it is not. Until that is known, it waits.
var errOfAnother = errors.New("another agent may send it")

// anotherDelay is how soon it is looked at again.
const anotherDelay = 100 * time.Millisecond

// giveUp drops a notification. If its alarm is still active, the receiver is
// notified again once it answers after again.
func (d *delivery) giveUp(n alarms.Notification, why error, again time.Time, count func(*Delivery)) {
	d.Log.Error("notification given up", "receiver", d.name, "id", n.ID, "err", why)
	d.count(d.name, func(s *Delivery) {
		count(s)
		s.LostAt, s.Lost, s.Error = time.Now(), n.ID, why.Error()
		s.owed = alarms.Sooner(s.owed, again)
	})
	d.GivenUp(d.name, n)
	d.Changed()
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
func (s *Sender) heartbeat(ctx context.Context, name string, every time.Duration) {
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
			return
		case <-tick.C:
		}
	}
}
