package lunacm

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/poll"
	"github.com/lunawatch/lunawatch/collectors/shell"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// SlotListSource is the source that reports whether LunaCM works on a host.
const SlotListSource = "slot list"

// cardsDir is the directory of the cards in a capture.
const cardsDir = "cards/"

// Cards finds the PCIe, USB and backup HSMs of the host, and polls each as a device
// of its own. It implements [collectors.Source].
type Cards struct {
	Host      string   // device of the host, which reports on LunaCM itself
	Name      string   // prefix of the names of devices: "card" makes card-532018
	Serials   []string // HSMs that are polled even if they are not found
	Path      string   // of lunacm; "": DefaultPath
	Intervals poll.Intervals
	Found     func(device string) // called with each HSM that was found, before [SlotListSource] is reported; or nil
	Replay    string              // directory of a capture, instead of lunacm
}

// Device returns the name of the device with that serial number.
func (c *Cards) Device(serial string) string { return c.Name + "-" + serial }

func (c *Cards) String() string { return "cards of " + c.Host }

// Run implements [collectors.Collector]. It never stops polling an HSM that it has
// found once: that it has no slot any more is an observation.
func (c *Cards) Run(ctx context.Context, report func(hsm.Observation)) error {
	var all sync.WaitGroup
	defer all.Wait()
	polled := make(map[string]bool)
	watch := func(serial string) {
		if polled[serial] {
			return
		}
		polled[serial] = true
		p := c.poller(serial)
		all.Go(func() { _ = p.Run(ctx, report) }) // a poller has no error
	}
	for _, s := range c.Serials {
		watch(s)
	}
	l := &Program{Path: c.Path}
	for lost := 0; ctx.Err() == nil; {
		obs, _, slots := c.list(ctx, l)
		if ctx.Err() != nil {
			break
		}
		for _, s := range slots {
			if isAdmin(s) && !polled[s.Serial] && c.Found != nil {
				c.Found(c.Device(s.Serial))
			}
		}
		report(obs)
		for _, s := range slots {
			if isAdmin(s) {
				watch(s.Serial)
			}
		}
		next := c.Intervals[poll.Slow]
		if lost++; obs.Failure == hsm.None {
			lost = 0
		} else {
			next = wait.Backoff(lost, time.Second, min(next, poll.MaxBackoff))
		}
		wait.Sleep(ctx, wait.Jitter(next, 0.05))
	}
	return nil
}

// Capture implements [collectors.Source].
func (c *Cards) Capture(ctx context.Context, keep func(file, text string), report func(hsm.Observation)) {
	obs, text, slots := c.list(ctx, &Program{Path: c.Path})
	report(obs)
	if obs.Failure == hsm.None {
		keep(cardsDir+shell.SlotList.CaptureFile(), text)
	}
	for _, s := range slots {
		if isAdmin(s) {
			c.poller(s.Serial).Capture(ctx, func(file, text string) { keep(cardsDir+s.Serial+"/"+file, text) }, report)
		}
	}
}

// poller returns the poller of one HSM.
func (c *Cards) poller(serial string) *poll.Poller {
	p := &poll.Poller{Device: c.Device(serial), Kind: hsm.CardHSM, Commands: commands, Runner: &card{lunacm: &Program{Path: c.Path}, serial: serial}, Intervals: c.Intervals}
	if c.Replay != "" {
		p.Runner = poll.Dir{Path: filepath.Join(c.Replay, cardsDir, serial), Commands: commands}
	}
	return p
}

// list returns the slots of the host, also as LunaCM prints them.
func (c *Cards) list(ctx context.Context, l *Program) (hsm.Observation, string, []hsm.Slot) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	obs := hsm.Observation{Device: c.Host, Kind: hsm.HostMachine, Source: SlotListSource, MaxAge: c.Intervals[poll.Slow]*5/2 + timeout}
	start := time.Now()
	var slots []hsm.Slot
	text, err := askOrReplay(ctx, l, "slot list", c.Replay, cardsDir+shell.SlotList.CaptureFile())
	if err == nil {
		slots, obs.Unread, err = readSlots(text)
	}
	obs.At, obs.Failure, obs.Err = time.Now(), collectors.FailureOf(err), err
	obs.Took = obs.At.Sub(start)
	if err == nil {
		obs.Facts = []hsm.Fact{hsm.Slots{Slots: slots}}
	}
	return obs, text, slots
}

// askOrReplay returns the answer of LunaCM to one command, or that in file of the
// capture replay.
func askOrReplay(ctx context.Context, l *Program, command, replay, file string) (string, error) {
	if replay == "" {
		answers, err := l.Ask(ctx, command)
		if err != nil {
			return "", err
		}
		return answers[0], nil
	}
	text, err := os.ReadFile(filepath.Join(replay, filepath.FromSlash(file)))
	if err != nil {
		return "", collectors.Failf(hsm.Command, "%s: replay: %w", command, err)
	}
	return string(text), nil
}
