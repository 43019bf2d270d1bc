package poll

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// An appliance is one whose session is kept open between polls.
type appliance struct {
	lost   chan struct{}
	mu     sync.Mutex      // guards what follows
	gone   error           // why there is no session; nil: there is one
	rounds []time.Duration // when it was polled, since the start
	looks  int             // for it, between polls
	start  time.Time
}

// watch polls an appliance each hour while story plays.
func watch(t *testing.T, story func(a *appliance)) *appliance {
	t.Helper()
	a := new(appliance)
	synctest.Test(t, func(t *testing.T) {
		a.lost, a.start = make(chan struct{}, 1), time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			reach := Reach{Lost: a.lost, Confirm: func(context.Context) error {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.looks++
				return a.gone
			}}
			Intervals{time.Hour, time.Hour, time.Hour}.Poll(ctx, "a", reach, func(due func(Pace) bool) hsm.Failure {
				if !due(Fast) {
					t.Error("the fast commands are not due")
				}
				a.mu.Lock()
				defer a.mu.Unlock()
				a.rounds = append(a.rounds, time.Since(a.start))
				return collectors.FailureOf(a.gone)
			})
		}()
		synctest.Wait()
		story(a)
		cancel()
		<-ended
	})
	return a
}

// ends ends the session, for good if there is a reason.
func (a *appliance) ends(why error) {
	a.mu.Lock()
	a.gone = why
	a.mu.Unlock()
	a.lost <- struct{}{}
	synctest.Wait()
}

var (
	refused  = collectors.Failf(hsm.Unreachable, "connect: %w", &net.OpError{Op: "dial", Err: errors.New("connection refused")})
	noBanner = collectors.Failf(hsm.Unreachable, "no SSH answer in time")
)

// TestGoneIsSeenAtOnce: two attempts follow the loss of a session within seconds, and
// the return of the appliance is noticed within seconds, too, and it is polled then.
func TestGoneIsSeenAtOnce(t *testing.T) {
	for _, why := range []error{refused, noBanner} {
		var back time.Duration
		a := watch(t, func(a *appliance) {
			time.Sleep(10 * time.Minute)
			a.ends(why)
			time.Sleep(2 * time.Second)
			a.mu.Lock()
			if n := len(a.rounds); n < 3 {
				t.Errorf("%v: %d polls", why, n)
			}
			a.mu.Unlock()
			time.Sleep(20*time.Minute - 2*time.Second)
			a.mu.Lock()
			a.gone, back = nil, time.Since(a.start)
			a.mu.Unlock()
			time.Sleep(10 * time.Minute)
		})
		i := slices.IndexFunc(a.rounds, func(at time.Duration) bool { return at >= back })
		switch {
		case i < 0:
			t.Errorf("%v: it was not polled again: %v", why, a.rounds)
		case errors.Is(why, refused) && a.rounds[i]-back > 5*time.Second:
			t.Errorf("polled %s after it was back", a.rounds[i]-back)
		case a.rounds[i]-back > mostApart*12/10:
			t.Errorf("%v: polled %s after it was back", why, a.rounds[i]-back)
		}
		if n := len(a.rounds); n > 20*60/12 {
			t.Errorf("%v: %d polls in 20 minutes", why, n)
		}
		if errors.Is(why, noBanner) && a.looks > 2*20*60/12 {
			t.Errorf("%d connections to something that answers", a.looks)
		}
	}
}

// TestSilentShellIsLeftAlone: each look for a shell that gives no prompt is a login, which
// the appliance logs.
func TestSilentShellIsLeftAlone(t *testing.T) {
	a := watch(t, func(a *appliance) {
		a.ends(collectors.Failf(hsm.Unreachable, "no prompt").At(hsm.LayerShell))
		time.Sleep(time.Minute)
		a.mu.Lock()
		if n := len(a.rounds); n < 4 {
			t.Errorf("%d polls in the first minute", n)
		}
		a.mu.Unlock()
		time.Sleep(19 * time.Minute)
	})
	if n := len(a.rounds); n > 15 {
		t.Errorf("%d polls in twenty minutes", n)
	}
}

// TestIdleSessionClosed: an appliance that closes sessions, and opens new ones, is not
// gone, is not polled more often, and is not asked each time.
func TestIdleSessionClosed(t *testing.T) {
	a := watch(t, func(a *appliance) {
		for range 20 {
			time.Sleep(2 * time.Minute)
			a.ends(nil)
		}
	})
	if len(a.rounds) != 1 || a.looks != harmless {
		t.Errorf("%d polls, %d times asked", len(a.rounds), a.looks)
	}
}
