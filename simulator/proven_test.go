package simulator

import (
	"context"
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

// TestProven: with the intervals as they are shipped, what proves an HSM is right within
// a minute of its last request, and never moved by the polling itself or by the services
// of the appliance.
func TestProven(t *testing.T) {
	for _, test := range []struct {
		version string
		load    string // percent
	}{{"7.2", "1"}, {"7.2", "40"}, {"5.4", "40"}} {
		t.Run(test.version+" "+test.load, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, test.version)
				s.inject("load 0")
				var store = hsm.NewStore()
				asked := 0
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					done <- lunash.NewPoller("a", s.login(), 0, poll.DefaultIntervals()).Run(ctx, func(o hsm.Observation) {
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
					if apart := newest().Sub(last).Abs(); apart > time.Minute {
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
