package alarms

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// A Standing is an alarm that stands, and what keeps it from being told.
type Standing struct {
	Alarm
	RelatedTo *Key     `json:"related_to,omitempty"` // the alarm that explains it
	Silence   *Silence `json:"silence,omitempty"`
	Title     string   `json:"title"`  // of its group
	Action    string   `json:"action"` // what to do
}

// Active returns the alarms that stand, worst first.
func (w *Watch) Active() []Standing {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	active := &overlay[Alarm]{base: w.kept.Active}
	list := make([]Standing, 0, len(w.kept.Active))
	for _, a := range w.kept.Active {
		g := GroupNamed(a.Group)
		s := Standing{Alarm: a, Silence: silencedBy(w.kept.Silences, a, now), Title: g.Title, Action: g.Action}
		if cause, ok := causeOf(a, active, w.Parent); ok {
			s.RelatedTo = &cause
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Standing) int { return a.compare(b.Alarm) })
	return list
}

// find returns the alarm that stands under a key, as Key.String writes it, or
// under a number.
func (w *Watch) find(name string) (Alarm, error) {
	number, _ := strconv.ParseUint(name, 10, 64)
	for k, a := range w.kept.Active {
		if k.String() == name || number > 0 && a.Number == number {
			return a, nil
		}
	}
	return Alarm{}, fmt.Errorf("no alarm %q stands; lunawatch alarms list shows what does", name)
}

// operate makes what somebody does to one alarm durable and true.
func (w *Watch) operate(name string, change func(Alarm, time.Time) Change) error {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := w.find(name)
	if err != nil {
		return err
	}
	defer w.look()
	return w.commit(Entry{Changes: []Change{change(a, now)}}, false, now)
}

// Clear ends an alarm by hand: for what no source ever tells to be over.
func (w *Watch) Clear(name, reason string) error {
	return w.operate(name, func(a Alarm, now time.Time) Change {
		a.Cleared, a.Evidence = now, withEvidence(a.Evidence, Evidence{At: now, Text: clip("ended by hand: " + reason)})
		return Change{Ended, a}
	})
}

// Acknowledge notes that somebody looks after an alarm.
func (w *Watch) Acknowledge(name, by, comment string) error {
	return w.operate(name, func(a Alarm, now time.Time) Change {
		a.Ack = &Ack{clip(by), clip(comment), now}
		return Change{Acknowledged, a}
	})
}

// Unacknowledge takes an acknowledgement back.
func (w *Watch) Unacknowledge(name string) error {
	return w.operate(name, func(a Alarm, _ time.Time) Change {
		a.Ack = nil
		return Change{Unacknowledged, a}
	})
}

// Silences returns the silences that hold or are to come, by their end.
func (w *Watch) Silences() []Silence {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	list := slices.DeleteFunc(slices.Clone(w.kept.Silences), func(s Silence) bool { return !now.Before(s.Until) })
	slices.SortFunc(list, func(a, b Silence) int { return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Silence adds a silence and returns its number.
func (w *Watch) Silence(s Silence) (uint64, error) {
	if err := s.Validate(); err != nil {
		return 0, err
	}
	id, err := w.Journal.Count("silences")
	if err != nil {
		return 0, err
	}
	s.ID = id
	return id, w.keepSilence(s)
}

// Unsilence ends a silence. What it kept from being told and still stands is
// told then.
func (w *Watch) Unsilence(id uint64) error {
	for _, s := range w.Silences() {
		if s.ID == id {
			s.Until = time.Now()
			return w.keepSilence(s)
		}
	}
	return fmt.Errorf("there is no silence %d; lunawatch alarms list shows those there are", id)
}

func (w *Watch) keepSilence(s Silence) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.look()
	return w.commit(Entry{Silence: &s}, false, time.Now())
}

// History returns the newest alarms that ended, newest first.
func (w *Watch) History(most int) ([]Alarm, error) { return w.Journal.History(most) }

// A TestResult is what one receiver did with a test alarm.
type TestResult struct {
	Receiver string        `json:"receiver"`
	Result   string        `json:"result"` // confirmed, accepted (sent; nobody confirms), failed, waiting, off
	Took     time.Duration `json:"took_ns"`
	Error    string        `json:"error,omitempty"`
}

// testRun is where the results of one test alarm go.
type testRun struct {
	began  time.Time
	out    chan TestResult
	before map[string]Delivery
}

// testAge is how long a test alarm stands.
const testAge = time.Minute

// Test raises a marked test alarm, has every receiver told of it, whatever its
// route, and returns what each did. It waits until ctx is done at most.
func (w *Watch) Test(ctx context.Context, by string) ([]TestResult, error) {
	now := time.Now()
	id := strconv.FormatInt(now.UnixNano(), 36)
	run := testRun{now, make(chan TestResult, 8*len(w.Receivers)), w.Deliveries()}
	w.mu.Lock()
	w.tests[id] = run
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.tests, id)
		w.mu.Unlock()
	}()
	text := clip("This is a test of the alarm chain by " + by + ". Nothing is wrong.")
	j := Judgement{Key: Key{Device: Self, Group: "test", Object: id, Test: true}, Verdict: Bad, Severity: Warning, Text: text,
		Age: testAge, Evidence: Evidence{At: now, Text: text}}
	if err := w.step(Entry{}, func(State) []Judgement { return []Judgement{j} }, now); err != nil {
		return nil, err
	}
	return w.results(ctx, run), nil
}

func (w *Watch) results(ctx context.Context, run testRun) (list []TestResult) {
	all := make(map[string]TestResult)
	open := 0
	for name, r := range w.Receivers {
		all[name] = TestResult{Receiver: name, Result: "waiting"}
		if r.Policy.Level == LevelOff {
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
	now := w.Deliveries()
	for name, r := range all {
		list = append(list, r.stuck(run, run.before[name], now[name]))
	}
	slices.SortFunc(list, func(a, b TestResult) int { return cmp.Compare(a.Receiver, b.Receiver) })
	return list
}

// stuck explains a test alarm that still waits by what came of the
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

// tested passes the outcome of an attempt on, if it was of a test alarm that
// somebody waits for.
func (w *Watch) tested(name string, to Receiver, n Notification, err error) {
	a := n.Change.Alarm
	if a.Device != Self || a.Group != "test" || n.Change.Kind != Raised {
		return
	}
	w.mu.Lock()
	run, waits := w.tests[a.Object]
	w.mu.Unlock()
	if !waits {
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
