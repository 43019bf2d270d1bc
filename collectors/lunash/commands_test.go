package lunash

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

// A script is a Runner that answers from captures and fails where the test says so.
type script struct {
	poll.Dir
	mu    sync.Mutex       // guards fails
	fails map[string]error // by command; "" is for all
	asked []string
}

// fail has a command fail from now on.
func (s *script) fail(command string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails[command] = err
}

func (s *script) Run(ctx context.Context, command string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, command)
	for _, key := range []string{"", command} {
		if err := s.fails[key]; err != nil {
			return nil, err
		}
	}
	return s.Dir.Run(ctx, command)
}

// pollFor runs a poller for d of virtual time and returns what it reported.
func pollFor(t *testing.T, s *script, intervals poll.Intervals, d time.Duration) []hsm.Observation {
	t.Helper()
	var got []hsm.Observation
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	p := NewPoller("a", s, 0, intervals)
	if err := p.Run(ctx, func(o hsm.Observation) { got = append(got, o) }); err != nil {
		t.Fatal(err)
	}
	return got
}

func reports(got []hsm.Observation, source string, f hsm.Failure) (n int) {
	for _, o := range got {
		if o.Source == source && o.Failure == f {
			n++
		}
	}
	return n
}

func TestPaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/7.2")}
		got := pollFor(t, s, poll.DefaultIntervals(), 6*time.Hour+20*time.Minute)
		for source, want := range map[string]int{"hsm show": 76, "status sensors": 25, "hsm tamper show": 25, "hsm showpolicies": 7} {
			if n := reports(got, source, hsm.None); n < want-3 || n > want+3 {
				t.Errorf("%s: %d times in six hours, want about %d", source, n, want)
			}
		}
		if got[0].Source != "hsm show" || got[0].At.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 {
			t.Errorf("the first poll is not at once: %+v", got[0])
		}
	})
}

// TestOldVersionsAreNotAskedForTampers: they do not have the command.
func TestOldVersionsAreNotAskedForTampers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/5.4")}
		pollFor(t, s, poll.DefaultIntervals(), time.Minute)
		for _, c := range s.asked {
			if strings.Contains(c, "tamper") {
				t.Errorf("asked %q", c)
			}
		}
	})
}

// TestALostApplianceFailsOnceARound checks that all sources report that failure.
func TestALostApplianceFailsOnceARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/7.2"), fails: map[string]error{"": collectors.Failf(hsm.Unreachable, "gone")}}
		got := pollFor(t, s, poll.DefaultIntervals(), time.Minute)
		if n := len(s.asked); n < 4 || n > 9 {
			t.Errorf("%d attempts in a minute, want a few with growing pauses", n)
		}
		if reports(got, "status sensors", hsm.Unreachable) != len(s.asked) {
			t.Errorf("status sensors does not report each failure: %+v", got)
		}
	})
}

// TestABlockedCardIsAskedOnceARound checks that commands which do not need the
// card go on.
func TestABlockedCardIsAskedOnceARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/7.2"), fails: map[string]error{"hsm show": collectors.Failf(hsm.Timeout, "no prompt")}}
		got := pollFor(t, s, poll.DefaultIntervals(), time.Minute)
		if reports(got, "partition show", hsm.Timeout) != 1 || reports(got, "ntls information show", hsm.None) != 1 {
			t.Errorf("%+v", got)
		}
		for _, c := range s.asked {
			if c == "partition show" {
				t.Error("the blocked card was asked again")
			}
		}
	})
}

// TestAWrongPasswordIsTriedRarely: an appliance may lock the account.
func TestAWrongPasswordIsTriedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/7.2"), fails: map[string]error{"": collectors.Failf(hsm.Login, "refused")}}
		pollFor(t, s, poll.DefaultIntervals(), 14*time.Minute)
		if n := len(s.asked); n < 3 || n > 4 {
			t.Errorf("%d logins in 14 minutes, want the first and one each five", n)
		}
	})
}

func TestFailureOfAnError(t *testing.T) {
	for _, c := range []struct {
		err  error
		want hsm.Failure
	}{
		{nil, hsm.None},
		{collectors.Failf(hsm.Login, "x"), hsm.Login},
		{context.DeadlineExceeded, hsm.Timeout},
		{errors.New("x"), hsm.Unreachable},
	} {
		if got := collectors.FailureOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// TestARefusedCommandIsNoFailure: not every role may ask for the load of the
// appliance. Once it was answered, a refusal is one.
func TestARefusedCommandIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := collectors.Failf(hsm.Command, "not allowed")
		s := &script{Dir: Replay("../formats/testdata/7.2"), fails: map[string]error{"status cpu": refusal}}
		got := pollFor(t, s, poll.DefaultIntervals(), 6*time.Hour+20*time.Minute)
		if n := reports(got, "status cpu", hsm.Command); n > 0 {
			t.Errorf("reported %d refusals", n)
		}
		asked := 0
		for _, c := range s.asked {
			if c == "status cpu" {
				asked++
			}
		}
		if asked < 6 || asked > 9 {
			t.Errorf("asked %d times in six hours, want about 7", asked)
		}
		if n := reports(got, "status mem", hsm.None); n < 20 {
			t.Errorf("status mem: answered %d times", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{Dir: Replay("../formats/testdata/7.2"), fails: make(map[string]error)}
		time.AfterFunc(time.Hour, func() { s.fail("status cpu", collectors.Failf(hsm.Command, "not allowed")) })
		got := pollFor(t, s, poll.DefaultIntervals(), 3*time.Hour)
		if reports(got, "status cpu", hsm.None) == 0 || reports(got, "status cpu", hsm.Command) == 0 {
			t.Error("a refusal after an answer is not reported")
		}
	})
}
