package notify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A TestResult is what one receiver did with a test alarm.
type TestResult struct {
	Receiver string        `json:"receiver"`
	Result   string        `json:"result"` // confirmed, accepted (sent; nobody confirms), failed, waiting, off
	Took     time.Duration `json:"took_ns"`
	Error    string        `json:"error,omitempty"`
}

// A testRun is one test alarm, and where its results go.
type testRun struct {
	began  time.Time
	out    chan TestResult
	before map[string]Delivery
	off    map[string]bool // receivers that are notified of nothing
}

// Expect records what each receiver does with the test alarm on an object.
// results waits for it until ctx is done at most; forget stops recording.
func (s *Sender) Expect(object string, now time.Time) (results func(context.Context) []TestResult, forget func()) {
	before := s.Deliveries()
	run := testRun{now, make(chan TestResult, 8*len(before)), before, make(map[string]bool)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, q := range s.queues {
		run.off[name] = q.to.Policy.Level == LevelOff
	}
	s.tests[object] = run
	return func(ctx context.Context) []TestResult { return s.results(ctx, run) }, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.tests, object)
	}
}

func (s *Sender) results(ctx context.Context, run testRun) (list []TestResult) {
	all := make(map[string]TestResult)
	open := 0
	for name := range run.before {
		all[name] = TestResult{Receiver: name, Result: "waiting"}
		if run.off[name] {
			all[name] = TestResult{Receiver: name, Result: "off"}
			continue
		}
		open++
	}
	for open > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case r := <-run.out:
			all[r.Receiver] = r
			if r.Result != "failed" {
				open--
			}
		}
	}
	now := s.Deliveries()
	for name, r := range all {
		list = append(list, r.stuck(run, run.before[name], now[name]))
	}
	slices.SortFunc(list, func(a, b TestResult) int { return cmp.Compare(a.Receiver, b.Receiver) })
	return list
}

// stuck explains a test alarm that still waits by what happened to the
// notifications before it: between two attempts, the last one counts.
func (r TestResult) stuck(run testRun, before, now Delivery) TestResult {
	if r.Result != "waiting" || now.Waiting == 0 {
		return r
	}
	r.Error = now.Error
	behind := now.Error != "" && now.Oldest.Before(run.began) && now.Delivered == before.Delivered
	if now.Failed > before.Failed || behind {
		r.Result, r.Took = "failed", time.Since(run.began)
	}
	return r
}

// tested records the outcome of an attempt, if it was of a test alarm that
// somebody waits for.
func (s *Sender) tested(name string, to Receiver, n alarms.Notification, err error) {
	a := n.Change.Alarm
	if a.Device != alarms.Self || a.Group != "test" || n.Change.Kind != alarms.Raised {
		return
	}
	s.mu.Lock()
	run, expected := s.tests[a.Object]
	s.mu.Unlock()
	if !expected {
		return
	}
	r := TestResult{Receiver: name, Result: "accepted", Took: time.Since(run.began)}
	switch {
	case err != nil:
		r.Result, r.Error = "failed", err.Error()
	case to.Confirms:
		r.Result = "confirmed"
	}
	select {
	case run.out <- r:
	default:
	}
}
