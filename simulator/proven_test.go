package simulator

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lunawatch/lunawatch/alarms/proven"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/hsm"
)

// Run implements collectors.Runner.
func (term *terminal) Run(_ context.Context, command string) ([]byte, error) {
	out, err := term.ask(command)
	_, answer, _ := strings.Cut(out, "\r\n")
	return []byte(promptEnd.ReplaceAllString(strings.ReplaceAll(answer, "\r", ""), "")), err
}

// TestProven: what proves an HSM is never moved by the polling itself or by the services of
// the appliance. With counters read each 50 s it is right within a minute of the last
// request; as shipped it is before it, by an interval at most: the HSM worked then or later.
func TestProven(t *testing.T) {
	for _, test := range []struct {
		version string
		load    string        // percent
		every   time.Duration // counters are read
		early   time.Duration // that a proof is at most
		late    time.Duration
	}{
		{"7.2", "1", 50 * time.Second, time.Minute, time.Minute}, {"7.2", "40", 50 * time.Second, time.Minute, time.Minute}, {"5.4", "40", 50 * time.Second, time.Minute, time.Minute},
		{"7.2", "1", poll.DefaultIntervals().Of(poll.Counted), 5*time.Minute + 10*time.Second, 0},
	} {
		t.Run(fmt.Sprint(test.version, " ", test.load, " ", test.every), func(t *testing.T) {
			intervals := poll.DefaultIntervals()
			intervals[poll.Counted] = test.every
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, test.version)
				s.inject("load 0")
				var store = hsm.NewStore()
				asked := 0
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					done <- lunash.NewPoller("a", s.login(), 0, intervals).Run(ctx, func(o hsm.Observation) {
						if p, ok := proven.By(store.Latest().Device("a"), o); ok {
							o.Facts = append(o.Facts, p)
						}
						if o.Failure == hsm.None {
							asked++
						}
						store.Apply(o)
					})
				}()
				newest := func() time.Time {
					synctest.Wait()
					return store.Latest().Device("a").Proven.At
				}
				time.Sleep(6 * time.Hour) // of the bubble
				if at := newest(); !at.IsZero() || asked < 500 {
					t.Errorf("%d answers without load, and it is proven at %s", asked, at)
				}
				for range 5 {
					s.inject("load " + test.load)
					time.Sleep(17*time.Minute + 7*time.Second)
					s.inject("load 0")
					last := time.Now()
					time.Sleep(2 * time.Hour)
					if apart := newest().Sub(last); apart < -test.early || apart > test.late {
						t.Errorf("the last request was at %s, and it is proven at %s", last, newest())
					}
				}
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
