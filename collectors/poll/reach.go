package poll

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// A Reach notices between polls that a device is gone, and that it is back. The zero
// Reach notices nothing.
type Reach struct {
	// Lost receives when a session ended that was kept open.
	Lost <-chan struct{}
	// Again receives when a device must be read at once, such as after its restart.
	Again <-chan struct{}
	// Free: Confirm costs the device nothing, so that each loss is confirmed.
	Free bool
	// Confirm opens a session, in a short time, if there is none. What it returns is
	// what the next command fails with. nil: there is no way but to poll.
	Confirm func(context.Context) error
}

const (
	// confirmed is how many lost rounds begin with Confirm, whose time is short: an
	// appliance that is slow then gets the time that it needs.
	confirmed = 2
	// lookAgain is how often a device is looked for that nothing answers in place of.
	lookAgain = 2 * time.Second
	// mostApart bounds the pause between attempts where something answers, but opens no
	// session. Where each is a login, MaxBackoff does.
	mostApart = 15 * time.Second
	// harmless is how many sessions an appliance may close in an hour without being
	// asked each time whether it is still there.
	harmless = 4
)

// A pause is the time between two rounds.
type pause struct {
	Reach
	lost   int         // rounds in a row without a session
	failed hsm.Failure // of the last round
	mute   bool        // the last session that was confirmed gave no prompt
	closed []time.Time // when sessions ended that were opened again
}

// until waits until a time, or until there is reason to poll at once, which it returns.
func (p *pause) until(ctx context.Context, at time.Time) (now bool) {
	if p.failed == hsm.Unreachable && p.Confirm != nil {
		return p.look(ctx, at)
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return false
		case <-p.Again:
			return true
		case <-p.Lost:
			if p.often(time.Now()) {
				continue
			}
			if p.confirm(ctx) != nil {
				return true
			}
			if !p.Free {
				p.closed = append(p.closed, time.Now())
			}
		}
	}
}

// often reports whether the appliance closes sessions as a habit: it is then asked at
// the next poll.
func (p *pause) often(now time.Time) bool {
	for len(p.closed) > 0 && now.Sub(p.closed[0]) > time.Hour {
		p.closed = p.closed[1:]
	}
	return len(p.closed) >= harmless
}

// look waits for a device that is gone: until a time, or until it is back. While
// nothing answers in its place, looking costs it nothing.
func (p *pause) look(ctx context.Context, at time.Time) (back bool) {
	for time.Until(at) > lookAgain {
		if !wait.Sleep(ctx, wait.Jitter(lookAgain, 0.2)) {
			return false
		}
		err := p.confirm(ctx)
		if err == nil {
			return true
		}
		if !noAnswer(err) {
			break
		}
	}
	if wait.Sleep(ctx, time.Until(at)) && p.lost < confirmed {
		_ = p.confirm(ctx) // the round that follows says why
	}
	return false
}

// noAnswer reports whether a connection was not even opened.
func noAnswer(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" || collectors.LayerOf(err).OfNetwork()
}

// confirm is Confirm, and remembers whether the device takes a login for nothing.
func (p *pause) confirm(ctx context.Context) error {
	err := p.Confirm(ctx)
	p.mute = collectors.LayerOf(err) == hsm.LayerShell
	return err
}

// after returns how long to wait after a round that ended with f.
func (p *pause) after(f hsm.Failure) time.Duration {
	most := MaxBackoff
	if p.Confirm != nil && !p.mute {
		most = mostApart
	}
	d := wait.Jitter(wait.Backoff(p.lost, time.Second, most), 0.2)
	p.lost++
	p.failed = f
	if f == hsm.None {
		p.lost = 0
	}
	return d
}
