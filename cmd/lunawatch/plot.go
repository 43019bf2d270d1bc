package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/internal/setting"
)

const (
	plotEvery  = time.Second // the agent is asked
	plotHeight = 12          // of a chart, in lines
	plotWidth  = 80          // in letters, where there is no terminal
)

func plotCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	length := setting.DurationFlag(flags, "for", 10*time.Minute, "how long to go on, a `DURATION` such as 90s or 1h; Ctrl-C ends it before")
	return func(ctx context.Context, words []string, std stdio) error {
		if *length <= 0 {
			return usagef("-for %s is not longer than 0", *length)
		}
		if !slices.Contains(glance.ReadMeasures(), words[1]) {
			return noMeasure(words[1])
		}
		ctx, cancel := context.WithTimeout(ctx, *length)
		defer cancel()
		client, curve := agent.NewClient(*socket), glance.Curve{Measure: words[1], Begun: time.Now()}
		ask := func() error { return askCurve(ctx, client, words[0], &curve) }
		if err := ask(); err != nil {
			return err
		}
		if err := precede(ctx, client, words[0], &curve); err != nil {
			return err
		}
		return follow(ctx, &curve, ask, std.out)
	}
}

// noMeasure says that there is no such measure, and which was meant.
func noMeasure(name string) error {
	all := glance.ReadMeasures()
	return usagef("%q is not a measure that is read of an HSM%s", name, didYouMean(near.Name(name, all), "there are: "+strings.Join(all, ", ")))
}

// kept are the measures of which the agent keeps a day, and what they are there.
var kept = map[string]history.Measure{"battery": "battery_volts", "temperature": "temperature_celsius", "utilization": "utilization_ratio", "storage": "storage_ratio"}

// precede has a curve begin with what the agent has kept of an HSM.
func precede(ctx context.Context, client *agent.Client, name string, c *glance.Curve) error {
	if kept[c.Measure] == "" {
		return nil
	}
	h, err := client.Measured(ctx, name, kept[c.Measure])
	if err == nil && len(h.Series) > 0 {
		c.Precede(h.Series[0].Points())
	}
	return err
}

// askCurve adds what the agent knows now of an HSM, by its name or serial number.
func askCurve(ctx context.Context, client *agent.Client, name string, c *glance.Curve) error {
	snap, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	found, err := chosen(snap.HSMs(), name)
	if err == nil {
		c.Add(found[0], time.Now())
	}
	return err
}

// follow draws a curve until ctx ends: on a terminal again and again in the same place,
// elsewhere once.
func follow(ctx context.Context, curve *glance.Curve, ask func() error, w io.Writer) error {
	shown := look(w, true)
	live := shown.Width > 0 && os.Getenv("TERM") != "dumb"
	if shown.Width == 0 {
		shown.Width = plotWidth
	}
	clock := time.NewTicker(plotEvery)
	defer clock.Stop()
	drawn, why := 0, ""
	for {
		lines := curve.Lines(time.Now(), why, shown.Width, plotHeight, plainLocale())
		ended := ctx.Err() != nil
		if live && drawn > 0 {
			fmt.Fprintf(w, "\x1b[%dA\x1b[J", drawn)
		}
		if live || ended {
			drawn = len(lines)
			if _, err := fmt.Fprintln(w, strings.Join(lines, "\n")); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-clock.C:
			why = ""
			if err := ask(); err != nil && ctx.Err() == nil {
				why = err.Error()
			}
		}
	}
}
