// Package poll asks an HSM a list of commands, each at its own pace. Which
// commands, over which transport and in which format is given to it; it knows
// neither LunaSH nor LunaCM.
package poll

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	mute              bool // it opened sessions and answered nothing
	major             int  // version of the software, or of a card's firmware; 0: not yet known
}

func (p *Poller) String() string { return "poller of " + p.Device }

// Run implements [collectors.Collector].
func (p *Poller) Run(ctx context.Context, report func(hsm.Observation)) error {
	reach := p.Reach
	if reach.Confirm != nil {
		reach.Confirm = p.confirm
	}
	p.Intervals.Poll(ctx, p.Device, reach, func(due func(Pace) bool) hsm.Failure { return p.round(ctx, due, report) })
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
			obs.Err = p.silent(ctx, c, p.ask(ctx, c, &obs))
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

// silent returns err with who is silent after c timed out, by a new session
// and what a command says in it that needs no card.
func (p *Poller) silent(ctx context.Context, c Command, err error) error {
	if err == nil {
		p.mute = false
	}
	if collectors.FailureOf(err) != hsm.Timeout || p.Reach.Confirm == nil || ctx.Err() != nil {
		return err
	}
	if lost := p.Reach.Confirm(ctx); lost != nil {
		return fmt.Errorf("%s did not answer, and then: %w", c.Name, lost)
	}
	if !c.Card {
		return collectors.Failf(hsm.Timeout, "%w", err).At(hsm.LayerShell)
	}
	if silent := p.answers(ctx); silent != nil {
		p.mute = true
		return fmt.Errorf("%s did not answer, and then: %w", c.Name, silent)
	}
	return collectors.Failf(hsm.Timeout, "%w", err).At(hsm.LayerCard)
}

// lightTimeout is within which a command must be answered that needs no card, and is
// asked for that alone.
const lightTimeout = 10 * time.Second

// answers asks the first command that needs no card. An error means that the shell is
// silent.
func (p *Poller) answers(ctx context.Context) error {
	i := slices.IndexFunc(p.Commands, func(c Command) bool { return !c.Card && !c.Optional && c.Since <= p.major })
	if i < 0 {
		return nil
	}
	light := p.Commands[i]
	light.Timeout = lightTimeout
	if err := p.ask(ctx, light, new(hsm.Observation)); collectors.FailureOf(err) != hsm.Timeout {
		return nil
	}
	return collectors.Failf(hsm.Unreachable, "neither did %s, which needs no HSM", light.Name).At(hsm.LayerShell)
}

// confirm is that of Reach. Of one that opened sessions and answered nothing a session
// alone does not prove that it is back.
func (p *Poller) confirm(ctx context.Context) error {
	if err := p.Reach.Confirm(ctx); err != nil || !p.mute {
		return err
	}
	return p.answers(ctx)
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

// ask asks c for o, and stores its answer in the capture, if one is made.
func (p *Poller) ask(ctx context.Context, c Command, o *hsm.Observation) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	session, err := c.ask(ctx, p.Runner)
	o.Answer = session.Text
	if err != nil {
		return err
	}
	facts, unread, err := c.read(session)
	if err != nil {
		if p.keep != nil {
			p.keep(c.Format.Name+collectors.UnrecognisedFile, session.Text)
		}
		return collectors.Failf(hsm.Unrecognised, "%s: %w", c.Name, err)
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
	o.Facts, o.Unread = facts, unread
	return nil
}
