package poll

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

func Always(Pace) bool { return true }

// Capture implements [collectors.Source].
func (p *Poller) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	p.keep = keep
	p.round(ctx, Always, report)
	p.keep = nil
}

// A Poller asks one HSM every command at its pace, one at a time.
type Poller struct {
	Device    string
	Kind      hsm.Kind // hsm.CardHSM; "": a Luna Network HSM
	Commands  []Command
	Runner    collectors.Runner
	Rank      int // of its observations
	Intervals Intervals

	keep  func(file, text string) // of every answer that was read; nil: none
	major int                     // version of the software, or of a card's firmware; 0: not yet known
}

// Intervals is how often each [Pace] is polled.
type Intervals [paces]time.Duration

// DefaultIntervals keep the load of watching low: every LunaSH command raises
// the HSM's request counter by more than forty and writes two lines into the
// appliance's log, whose disk stops NTLS when it is full.
var DefaultIntervals = Intervals{Fast: 5 * time.Minute, Slow: 15 * time.Minute, Hourly: time.Hour}

// MaxBackoff bounds the pause after rounds without a session.
const MaxBackoff = 5 * time.Minute

// maxAge is how long the answer to c may be believed: a missed poll and a
// slow one do not hurt.
func (i Intervals) maxAge(c Command) time.Duration { return i[c.Pace]*5/2 + c.Timeout }

func (p *Poller) String() string { return "poller of " + p.Device }

// Run implements [collectors.Collector].
func (p *Poller) Run(ctx context.Context, report func(hsm.Observation)) error {
	p.Intervals.Poll(ctx, func(due func(Pace) bool) hsm.Failure { return p.round(ctx, due, report) })
	return nil
}

// Poll calls round, which asks what is due and tells why the session was lost,
// until ctx is done. The first round starts at once; the following ones are
// spread by jitter, so that many appliances are not asked together.
func (i Intervals) Poll(ctx context.Context, round func(due func(Pace) bool) hsm.Failure) {
	var next [paces]time.Time
	lost := 0 // rounds in a row without a session
	for ctx.Err() == nil {
		start := time.Now()
		failure := round(func(p Pace) bool { return !next[p].After(start) })
		pause := wait.Jitter(wait.Backoff(lost, time.Second, MaxBackoff), 0.2)
		lost++
		if failure == hsm.None {
			lost = 0
		}
		for pace, at := range next {
			if at.After(start) {
				continue
			}
			next[pace] = start.Add(wait.Jitter(i[pace], 0.05))
			if failure == hsm.Unreachable && time.Now().Add(pause).Before(next[pace]) {
				next[pace] = time.Now().Add(pause)
			}
		}
		wait.Sleep(ctx, time.Until(slices.MinFunc(next[:], time.Time.Compare)))
	}
}

// round asks every command that is due and returns why the session was lost,
// or None. Without a session every source of the round shares its failure.
func (p *Poller) round(ctx context.Context, due func(Pace) bool, report func(hsm.Observation)) hsm.Failure {
	var lost, blocked error // no session; the card does not answer
	for _, c := range p.Commands {
		if !due(c.Pace) || p.major < c.Since {
			continue
		}
		obs := hsm.Observation{Device: p.Device, Kind: p.Kind, Source: c.Name, Rank: p.Rank, MaxAge: p.Intervals.maxAge(c)}
		start := time.Now()
		switch {
		case lost != nil:
			obs.Err = lost
		case blocked != nil && c.Card:
			obs.Err = blocked
		default:
			obs.Facts, obs.Unread, obs.Err = p.ask(ctx, c)
		}
		if ctx.Err() != nil {
			return hsm.None
		}
		obs.At = time.Now()
		obs.Took = obs.At.Sub(start)
		obs.Failure = collectors.FailureOf(obs.Err)
		switch {
		case obs.Failure.OfSession():
			lost = obs.Err
		case obs.Failure == hsm.Timeout && c.Card:
			blocked = obs.Err
		}
		report(obs)
	}
	return collectors.FailureOf(lost)
}

func (p *Poller) ask(ctx context.Context, c Command) ([]hsm.Fact, []string, error) {
	text, facts, unread, err := p.askText(ctx, c)
	if err == nil && p.keep != nil {
		p.keep(c.Format.CaptureFile(), string(text))
	}
	return facts, unread, err
}

// askText returns the answer as it came, too.
func (p *Poller) askText(ctx context.Context, c Command) ([]byte, []hsm.Fact, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	ask := c.Ask
	if ask == nil {
		ask = func(ctx context.Context, r collectors.Runner) ([]byte, error) { return Ask(ctx, r, c.Name) }
	}
	text, err := ask(ctx, p.Runner)
	if err != nil {
		return nil, nil, nil, err
	}
	read := c.Read
	if read == nil {
		read = func(text string) ([]hsm.Fact, []string, error) {
			fact, unread, err := c.Format.Parse(text)
			return []hsm.Fact{fact}, unread, err
		}
	}
	facts, unread, err := read(string(text))
	if err != nil {
		return text, nil, nil, collectors.Failf(hsm.Unrecognised, "%s: %w", c.Name, err)
	}
	for _, f := range facts {
		if show, ok := f.(hsm.Show); ok {
			major, _, _ := strings.Cut(cmp.Or(show.SoftwareVersion, show.Firmware), ".")
			p.major, _ = strconv.Atoi(major)
		}
	}
	return text, facts, unread, nil
}

// Ask returns the whole answer to command, and an error unless its result
// line is there and tells success.
func Ask(ctx context.Context, r collectors.Runner, command string) ([]byte, error) {
	text, err := r.Run(ctx, command)
	if err != nil {
		return nil, err
	}
	_, complete, err := answer.Last(string(text))
	if err != nil {
		return nil, collectors.Failf(hsm.Command, "%s: %w", command, err)
	}
	if !complete {
		return nil, collectors.Failf(hsm.Incomplete, "%s: the answer has no result line", command)
	}
	return text, nil
}
