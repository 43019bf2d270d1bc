package poll

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// TestCadence plays the shipped timing in virtual time: from when an appliance goes, at
// the worst moment, to the second failed poll, which raises the alarm, and from when it
// is back to the poll that reads it. What is asked between polls has its answer, or none
// within Timeout; an attempt to connect ends with Connect, or as soon as there is an
// answer, since what was lost is sent again each second.
func TestCadence(t *testing.T) {
	dial := func(why error) error {
		return collectors.Failf(hsm.Unreachable, "connect: %w", &net.OpError{Op: "dial", Err: why})
	}
	for _, test := range []struct {
		name string
		gone error
		free bool          // SNMP
		seen time.Duration // after which it is known that something is wrong
		most time.Duration // until the second failed poll
	}{
		{"refused, SSH and REST", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), false, 0, 5 * time.Second},
		{"silent, SSH and REST", dial(os.ErrDeadlineExceeded), false, DefaultTiming().Every + DefaultTiming().Timeout, 15 * time.Second},
		{"silent, SNMP", collectors.Failf(hsm.Unreachable, "no answer").At(hsm.LayerNoAnswer), true, DefaultTiming().Every + DefaultTiming().Timeout, 15 * time.Second},
	} {
		for _, away := range []time.Duration{30 * time.Second, 90 * time.Second, 10 * time.Minute} {
			synctest.Test(t, func(t *testing.T) {
				var gone, confirmed atomic.Pointer[error]
				silent := test.seen > 0
				attempt := func(limit time.Duration) error { // to reach it
					for end := time.Now().Add(limit); ; {
						why := gone.Load()
						if why == nil {
							return nil
						}
						if !silent || !time.Now().Before(end) {
							return *why
						}
						time.Sleep(min(time.Second, time.Until(end)))
					}
				}
				var failed, read []time.Time
				lost := make(chan struct{}, 1)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					reach := Reach{Lost: lost, Free: test.free, Confirm: func(context.Context) error {
						err := attempt(DefaultTiming().Connect)
						confirmed.Store(nil)
						if err != nil {
							confirmed.Store(&err)
						}
						return err
					}}
					Intervals{time.Hour, time.Hour, time.Hour}.Poll(ctx, "a", reach, func(func(Pace) bool) hsm.Failure {
						err := error(nil)
						if why := confirmed.Swap(nil); why != nil {
							err = *why
						} else {
							err = attempt(10 * time.Second)
						}
						if err != nil {
							failed = append(failed, time.Now())
						} else {
							read = append(read, time.Now())
						}
						return collectors.FailureOf(err)
					})
				}()
				wait.Sleep(ctx, 10*time.Minute)
				start := time.Now()
				gone.Store(&test.gone)
				wait.Sleep(ctx, test.seen)
				lost <- struct{}{}
				wait.Sleep(ctx, away)
				back := time.Now()
				gone.Store(nil)
				wait.Sleep(ctx, time.Minute)
				cancel()
				<-ended
				switch {
				case len(failed) < 2 || len(read) < 2:
					t.Errorf("%s: %d polls failed, %d did not", test.name, len(failed), len(read))
				case failed[1].Sub(start) > test.most:
					t.Errorf("%s: the alarm is raised after %s", test.name, failed[1].Sub(start))
				case read[1].Sub(back) > 5*time.Second:
					t.Errorf("%s: it is read %s after it was back", test.name, read[1].Sub(back))
				default:
					t.Logf("%s: alarm after %s, read %s after it is back", test.name, failed[1].Sub(start).Round(time.Millisecond), read[1].Sub(back).Round(time.Millisecond))
				}
			})
		}
	}
}

// TestFreeAndAgain loses a device 20 times in an hour to which Confirm costs nothing: it
// is asked each time. One that must be read again is read at once.
func TestFreeAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		lost, again, ended := make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
		confirms, rounds := 0, 0
		go func() {
			defer close(ended)
			reach := Reach{Lost: lost, Again: again, Free: true, Confirm: func(context.Context) error { confirms++; return nil }}
			Intervals{2 * time.Hour, 2 * time.Hour, 2 * time.Hour}.Poll(ctx, "a", reach, func(func(Pace) bool) hsm.Failure { rounds++; return hsm.None })
		}()
		for range 20 {
			wait.Sleep(ctx, 2*time.Minute)
			lost <- struct{}{}
		}
		synctest.Wait()
		if confirms != 20 || rounds != 1 {
			t.Errorf("%d of 20 losses confirmed, %d polls", confirms, rounds)
		}
		again <- struct{}{}
		synctest.Wait()
		if rounds != 2 {
			t.Errorf("%d polls after it must be read again", rounds)
		}
		cancel()
		<-ended
	})
}
