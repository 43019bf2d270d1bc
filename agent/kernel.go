package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/follow"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// kernelSource is the source that shows whether the kernel's messages are read.
const kernelSource = "kernel log"

// followKernel passes the kernel's messages on the cards in this host to the
// alarms. A failure to read them is an observation.
func (a *Agent) followKernel(ctx context.Context) error {
	file := a.config().LunaCM.KernelLog
	if !a.config().LunaCM.Enabled || file == "" {
		return nil
	}
	report := func(f hsm.Failure, err error) {
		a.report(hsm.Observation{Device: a.config().Host.Name, Kind: hsm.HostMachine, Source: kernelSource, At: time.Now(), Failure: f, Err: err})
	}
	for ctx.Err() == nil {
		works := false
		err := a.readKernel(ctx, file, func(lines []hsm.LogLine, cursor []byte) error {
			if !works {
				works = true
				report(hsm.None, nil)
			}
			return a.kernelLines(ctx, file, lines, cursor)
		})
		if err != nil {
			report(hsm.Command, err)
		}
		wait.Sleep(ctx, kernelRetry)
	}
	return nil
}

// kernelRetry is how long to wait after a failure to read the kernel log.
const kernelRetry = time.Minute

func (a *Agent) readKernel(ctx context.Context, file string, deliver func([]hsm.LogLine, []byte) error) error {
	from, err := a.watch.Journal.Cursor(file)
	if err != nil {
		return fmt.Errorf("where to continue in %s: %w", file, err)
	}
	switch file {
	case config.KernelRing:
		return (&follow.KernelLog{Log: a.log}).Run(ctx, from, deliver)
	case config.KernelJournal:
		return (&follow.JournalLog{Log: a.log}).Run(ctx, from, deliver)
	}
	return (&follow.Follower{File: file, Log: a.log, Watches: &a.watches}).Run(ctx, from, deliver)
}

// kernelLines passes on the lines of cards. The first one waits until the cards
// were polled: only then is it known whose it is, and whether what it says
// still holds.
func (a *Agent) kernelLines(ctx context.Context, file string, lines []hsm.LogLine, cursor []byte) error {
	var all []rules.Line
	for _, l := range lines {
		driver, found := driverOf(l)
		if !found {
			continue
		}
		a.waitForCards(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		device, now := a.cardOf(driver), time.Now()
		line := rules.Line{LogLine: l, Device: device, File: file, At: now, Cards: device == a.config().Host.Name, OneCard: device != a.config().Host.Name}
		zone := file == config.KernelRing || file == config.KernelJournal // the times in a file may have none
		if zone && l.Time.Known && now.Sub(l.Time.Value) > time.Minute {
			line.At = l.Time.Value
		}
		all = append(all, line)
	}
	return a.watch.Take(file, all, cursor)
}

// driverOf returns the driver instance that a line is about, "" if it names none,
// and whether it is about a card at all.
func driverOf(l hsm.LogLine) (driver string, found bool) {
	if l.Alarm != nil {
		return l.Alarm.Card, true
	}
	driver = config.DriverInstance.FindString(strings.ToLower(l.Process + ": " + l.Message))
	return driver, driver != "" || strings.Contains(l.Message, "[HSM]") || strings.Contains(l.Message, "hsm log: ")
}

// cardOf returns the device of a driver instance. How the driver numbers its
// instances cannot be determined, so without kernel_cards only a single card is
// known; otherwise it is the host.
func (a *Agent) cardOf(driver string) string {
	c := a.config().LunaCM
	if serial := c.KernelCards[driver]; serial != "" {
		return a.config().Cards().Device(serial)
	}
	var cards []string
	for _, d := range a.store.Latest().Devices {
		if d.Kind == hsm.CardHSM {
			cards = append(cards, d.Name)
		}
	}
	if len(c.KernelCards) == 0 && len(cards) == 1 && (driver == "k7pf0" || driver == "viper0") {
		return cards[0]
	}
	return a.config().Host.Name
}

// waitForCards returns once LunaCM was polled for the slots of this host, and
// each card once.
func (a *Agent) waitForCards(ctx context.Context) {
	for snap := a.store.Latest(); ; {
		polled := false
		for _, d := range snap.Devices {
			_, slots := d.Sources[lunacm.SlotListSource]
			polled = polled || slots && d.Name == a.config().Host.Name
		}
		for _, d := range snap.Devices {
			polled = polled && (d.Kind != hsm.CardHSM || len(d.Sources) > 0)
		}
		if polled {
			return
		}
		var err error
		if snap, err = a.store.Wait(ctx, snap); err != nil {
			return
		}
	}
}
