package poll

import (
	"context"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Intervals is how often each [Pace] is polled.
type Intervals [paces]time.Duration

// DefaultIntervals returns intervals that keep the load of monitoring low: every LunaSH command raises
// the HSM's request counter by more than forty and writes two lines into the
// appliance's log, whose disk stops NTLS when it is full.
func DefaultIntervals() Intervals {
	return Intervals{Fast: 5 * time.Minute, Slow: 15 * time.Minute, Hourly: time.Hour}
}

// MaxBackoff bounds the pause after rounds without a session.
const MaxBackoff = 5 * time.Minute

// maxAge is how long the answer to c is valid: long enough for one missed poll
// and a slow one.
func (i Intervals) maxAge(c Command) time.Duration { return i[c.Pace]*5/2 + c.Timeout }

// Poll calls round until ctx is done. round asks what is due and returns why the
// session was lost, or [hsm.None]. The first round starts at once; the others are
// spread by jitter, so that many appliances are not polled together.
func (i Intervals) Poll(ctx context.Context, reach Reach, round func(due func(Pace) bool) hsm.Failure) {
	var next [paces]time.Time
	var waiting [paces]bool // for the appliance to be back
	between := pause{Reach: reach}
	for ctx.Err() == nil {
		start := time.Now()
		failure := round(func(p Pace) bool { return !next[p].After(start) })
		retry := between.after(failure)
		for pace, at := range next {
			if at.After(start) {
				continue
			}
			next[pace] = start.Add(wait.Jitter(i[pace], 0.05))
			waiting[pace] = failure == hsm.Unreachable && time.Now().Add(retry).Before(next[pace])
			if waiting[pace] {
				next[pace] = time.Now().Add(retry)
			}
		}
		if between.until(ctx, slices.MinFunc(next[:], time.Time.Compare)) {
			waiting[Fast] = true
			for pace := range next {
				if waiting[pace] {
					next[pace] = time.Time{}
				}
			}
		}
	}
}
