package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

const (
	maxLine    = 8 << 20         // bytes of one line of another agent
	maxBatch   = 64              // devices that become true together
	clocksSame = time.Second     // that clocks differ without a matter
	clocksJump = 5 * time.Second // by which a clock was set, or the network is too slow to tell
	firstPause = 500 * time.Millisecond
	mostPause  = 15 * time.Second
)

// follow has the Store follow what a member reads, until ctx is done. What came last
// stays, and becomes stale by its age.
func (p *Peers) follow(ctx context.Context, m Member) {
	for failures := 0; ctx.Err() == nil; failures++ {
		f := follower{Peers: p, of: m}
		err := f.run(ctx)
		if f.begun {
			failures = 0
		}
		if ctx.Err() == nil && failures == 0 {
			p.Log.Info("another agent does not say what it reads; trying again", "agent", m.Name, "address", m.Address, "err", err)
		}
		wait.Sleep(ctx, wait.Jitter(wait.Backoff(failures, firstPause, mostPause), 0.2))
	}
}

// A follower reads one answer of a member.
type follower struct {
	*Peers
	of     Member
	begun  bool          // the first line was right
	behind time.Duration // that its clock is behind this one
	batch  []*hsm.Device // received since its last line with a time
}

// run returns why the answer ended.
func (f *follower) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	deadline := time.AfterFunc(silence, func() { cancel(errors.New("nothing came in time")) })
	defer deadline.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url(f.of, "/devices"), nil)
	if err != nil {
		return err
	}
	asked := time.Now()
	response, err := f.client.Do(r)
	if err != nil {
		return cause(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		deadline.Reset(silence)
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("not a line of an agent: %w", err)
		}
		if err := f.take(l, asked, time.Now()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return cause(ctx, err)
	}
	return io.ErrUnexpectedEOF
}

// cause returns why ctx is done, or err if it is not.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// take does what a line says. asked and now are by this clock.
func (f *follower) take(l line, asked, now time.Time) error {
	switch {
	case !f.begun && l.Agent != f.of.Name:
		return fmt.Errorf("it is the agent %q", l.Agent)
	case !f.begun && l.Now.IsZero():
		return errors.New("it does not say what time it is there")
	case !f.begun:
		f.begun = true
		f.serves(l.Agent, l.Web)
		f.behind = behind(l.Now, asked, now)
	case l.Device != nil:
		l.Device.Shift(f.behind)
		if f.batch = append(f.batch, l.Device); len(f.batch) == maxBatch {
			f.adopt()
		}
	case !l.Now.IsZero():
		f.adopt()
		if far := now.Sub(l.Now.Add(f.behind)); far.Abs() > clocksJump {
			return fmt.Errorf("a clock was set by %s, or the network is as slow", far)
		}
	}
	return nil
}

// adopt has the Store take the devices of the batch.
func (f *follower) adopt() {
	f.Store.Adopt(f.of.Name, f.batch...)
	for _, d := range f.batch {
		if f.Store.Latest().Device(d.Name) == d {
			f.read(d)
		}
	}
	f.batch = nil
}

// behind returns how far the clock of another agent is behind this one, by what it showed
// between two times; 0: not by so much that it matters.
func behind(there, asked, answered time.Time) time.Duration {
	by := asked.Add(answered.Sub(asked) / 2).Sub(there)
	if by.Abs() <= clocksSame {
		return 0
	}
	return by
}
