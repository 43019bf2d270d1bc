package poll

import (
	"context"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
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

// Of returns the interval of a pace.
func (i Intervals) Of(p Pace) time.Duration {
	if p == Counted && i[p] == 0 {
		p = Fast
	}
	return i[p]
}

// maxAge is how long the answer to c is valid: long enough for one missed poll
// and a slow one.
func (i Intervals) maxAge(c Command) time.Duration { return i.Of(c.Pace)*5/2 + c.Timeout }

// Poll calls round until ctx is done. round asks what is due and returns why the
// session was lost, or [hsm.None]. The first round starts at once; the others when
// [Next] says for the device, so that many are not polled together.
func (i Intervals) Poll(ctx context.Context, device string, reach Reach, round func(due func(Pace) bool) hsm.Failure) {
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
			next[pace] = i.next(device, Pace(pace), start)
			waiting[pace] = failure == hsm.Unreachable && time.Now().Add(retry).Before(next[pace])
			if waiting[pace] {
				next[pace] = time.Now().Add(retry)
			}
		}
		if failure.OfSession() { // no login for counters alone, and what opens the rounds says that it is gone
			if waiting[Counted] && next[Counted].Before(next[Fast]) {
				next[Fast], waiting[Fast] = next[Counted], true
			}
			next[Counted], waiting[Counted] = next[Fast], waiting[Fast]
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

// next returns when what was polled at start is polled again: half an interval later or
// more, since start need not be at the device's phase, and together with what is polled
// more often.
func (i Intervals) next(device string, p Pace, start time.Time) time.Time {
	at := Next(device, start.Add(i.Of(p)/2), i.Of(p))
	for _, often := range []Pace{Fast, Counted} {
		if i.Of(often) <= i[Fast] && i.Of(p) > i.Of(often) {
			at = Next(device, at.Add(-1), i.Of(often))
		}
	}
	return at
}
