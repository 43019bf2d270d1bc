// Package poll asks an HSM a list of commands, each at its own pace. Which
// commands, over which transport and in which format is given to it; it knows
// neither LunaSH nor LunaCM.
package poll

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Poller asks one HSM its commands, each at its pace and one at a time.
type Poller struct {
	Device    string
	Kind      hsm.Kind // hsm.CardHSM; "": a Luna Network HSM
	Commands  []Command
	Runner    collectors.Runner
	Rank      int // of its observations
	Intervals Intervals
	Reach     Reach

	keep func(file, text string) // receives every answer; nil: no capture is made
	// Of optional commands: those that were answered once, and those that were
	// refused and never answered.
	answered, refused map[string]bool
	mute              bool // the last command that needs no card timed out
	major             int  // version of the software, or of a card's firmware; 0: not yet known
}

func (p *Poller) String() string { return "poller of " + p.Device }

// Run implements [collectors.Collector].
func (p *Poller) Run(ctx context.Context, report func(hsm.Observation)) error {
	p.Intervals.Poll(ctx, p.Device, p.Reach, func(due func(Pace) bool) hsm.Failure { return p.round(ctx, due, report) })
	return nil
}

// Capture implements [collectors.Source].
func (p *Poller) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	p.keep = keep
	p.round(ctx, Always, report)
	p.keep = nil
}

// round asks every command that is due and returns why the session was lost, or
// None. After that all remaining sources of the round report the same failure.
func (p *Poller) round(ctx context.Context, due func(Pace) bool, report func(hsm.Observation)) hsm.Failure {
	var lost, blocked error // there is no session; the card does not answer
	for _, c := range p.Commands {
		pace := c.Pace
		if p.refused[c.Name] {
			pace = Hourly
		}
		if !due(pace) || p.major < c.Since {
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
			obs.Err = p.silent(ctx, c, obs.Err)
		}
		if ctx.Err() != nil {
			return hsm.None
		}
		obs.At = time.Now()
		obs.Took = obs.At.Sub(start)
		obs.Failure, obs.Layer = collectors.FailureOf(obs.Err), collectors.LayerOf(obs.Err)
		switch {
		case obs.Failure.OfSession():
			lost = obs.Err
		case obs.Failure == hsm.Timeout && c.Card:
			blocked = obs.Err
		}
		if !c.Optional || !p.isRefused(c.Name, obs.Failure) {
			report(obs)
		}
	}
	return collectors.FailureOf(lost)
}

// silent returns err with who is silent after c timed out, which a new session
// tells: the next command needs one anyway.
func (p *Poller) silent(ctx context.Context, c Command, err error) error {
	late := collectors.FailureOf(err) == hsm.Timeout
	if !c.Card {
		p.mute = late
	}
	if !late || p.Reach.Confirm == nil || ctx.Err() != nil {
		return err
	}
	layer := hsm.LayerShell
	if lost := p.Reach.Confirm(ctx); lost != nil {
		return fmt.Errorf("%s did not answer, and then: %w", c.Name, lost)
	} else if c.Card && !p.mute {
		layer = hsm.LayerCard
	}
	return collectors.Failf(hsm.Timeout, "%w", err).At(layer)
}

// isRefused reports whether an optional command was never answered, by what came
// of it now.
func (p *Poller) isRefused(name string, f hsm.Failure) bool {
	if p.refused == nil {
		p.refused, p.answered = make(map[string]bool), make(map[string]bool)
	}
	p.answered[name] = p.answered[name] || f == hsm.None
	p.refused[name] = !p.answered[name] && f == hsm.Command
	return !p.answered[name] && f != hsm.None
}

// ask asks c, and stores its answer in the capture, if one is made.
func (p *Poller) ask(ctx context.Context, c Command) ([]hsm.Fact, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	session, err := c.ask(ctx, p.Runner)
	if err != nil {
		return nil, nil, err
	}
	facts, unread, err := c.read(session)
	if err != nil {
		if p.keep != nil {
			p.keep(c.Format.Name+collectors.UnrecognisedFile, session.Text)
		}
		return nil, nil, collectors.Failf(hsm.Unrecognised, "%s: %w", c.Name, err)
	}
	for _, f := range facts {
		if show, ok := f.(hsm.Show); ok {
			major, _, _ := strings.Cut(cmp.Or(show.SoftwareVersion, show.Firmware), ".")
			p.major, _ = strconv.Atoi(major)
		}
	}
	if p.keep != nil {
		p.keep(c.Format.CaptureFile(), session.Text)
	}
	return facts, unread, nil
}
