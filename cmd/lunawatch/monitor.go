package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/exporters/monitor"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/near"
)

// monitorName is the command as the vendor's error texts name it.
const monitorName = "hsm information monitor"

func hsmInformationMonitor(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	one := choiceFlags(flags)
	interval := flags.String("interval", "5", "seconds of one round, 5 to 999")
	rounds := flags.String("rounds", "1", "rounds, 1 to 65535")
	noHeader := flags.Bool("noheader", false, "leave out the header of the table")
	save := flags.Bool("save", false, "append the output to a file hsm_monitor_PID.txt too")
	asJSON := flags.Bool("json", false, "print each round as a line of JSON")
	bars := flags.Bool("plot", false, "draw the utilization of each round as a bar beside the table")
	asCSV := flags.Bool("csv", false, "print each round as a line of CSV")
	source := flags.String("source", "", "name of an HSM in the configuration, to ask it directly instead of the agent")
	file := configFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		seconds, ok := inRange(std, "interval", *interval, 5, 999)
		if !ok {
			return exit(exitUsage)
		}
		n, ok := inRange(std, "rounds", *rounds, 1, 65535)
		if !ok {
			return exit(exitUsage)
		}
		name, err := one.name()
		switch {
		case err != nil:
			return err
		case name != "" && *source != "":
			return usagef("-source asks an HSM directly, and -hsm the agent: use one of them")
		case *asCSV && *asJSON:
			return usagef("-csv and -json are two forms of one output; use one of them")
		}
		if *bars && (*asCSV || *asJSON) {
			return usagef("-plot draws beside the table, which -csv and -json do not print; leave one of them out")
		}
		every := time.Duration(seconds) * time.Second
		var measure monitor.Rounds
		if *source != "" {
			measure, err = fromHSM(ctx, *file, *source, every, n)
		} else {
			measure, err = measuring(ctx, agent.NewClient(*socket), name, every, n)
		}
		if err != nil {
			return err
		}
		table := monitor.Table{NoHeader: *noHeader, Interval: seconds}
		if *bars {
			table.Bars, table.Plain = monitor.BarWidth(look(std.out, true).Width), plainLocale()
		}
		view := table.Print
		switch {
		case *asJSON:
			view = monitor.JSON
		case *asCSV:
			view = monitor.CSV{NoHeader: *noHeader}.Print
		}
		out := std.out
		if *save {
			file, err := os.OpenFile(fmt.Sprintf("hsm_monitor_%d.txt", os.Getpid()), os.O_CREATE|os.O_APPEND|os.O_WRONLY|syscall.O_NOFOLLOW, 0o640)
			if err != nil {
				return err
			}
			defer file.Close()
			out = io.MultiWriter(out, file)
		}
		if err := view(out, untilInterrupted(ctx, measure)); err != nil {
			return err
		}
		if *save {
			fmt.Fprintf(std.out, "Saved to hsm_monitor_%d.txt, after what was in it.\n", os.Getpid())
		}
		return nil
	}
}

// inRange refuses a value as LunaSH does.
func inRange(std stdio, flag, value string, low, high int) (int, bool) {
	n, err := strconv.Atoi(value)
	if err == nil && n >= low && n <= high {
		return n, true
	}
	fmt.Fprintf(std.err, "Error:  '%s' failed. (C0000102 : RC_DATA_INVALID)\n", monitorName)
	fmt.Fprintf(std.err, "Error:  The value of '-%s' must be in the range %d to %d.\n", flag, low, high)
	return 0, false
}

// measuring has the agent measure an HSM; with "", the only one.
func measuring(ctx context.Context, client *agent.Client, name string, every time.Duration, rounds int) (monitor.Rounds, error) {
	name, err := onlyOne(ctx, client, name)
	return client.Monitor(ctx, name, every, rounds), err
}

// fromHSM measures over a session of its own.
func fromHSM(ctx context.Context, file, name string, every time.Duration, rounds int) (monitor.Rounds, error) {
	c, err := config.Read(file)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(c.HSMs, func(h config.HSM) bool { return h.Name == name })
	if i < 0 {
		var names []string
		for _, h := range c.HSMs {
			names = append(names, h.Name)
		}
		return nil, usagef("no HSM is named %q in %s%s", name, file, didYouMean(near.Name(name, names), "it has "+strings.Join(names, ", ")))
	}
	return func(yield func(hsm.Monitor, error) bool) {
		runner, end := c.HSMs[i].Runner()
		defer end()
		for range rounds {
			m, err := lunash.Monitor(ctx, runner, every)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}, nil
}

// untilInterrupted ends rounds without an error where Ctrl-C has ended them, unless there
// was none yet: what was measured has an average.
func untilInterrupted(ctx context.Context, rounds monitor.Rounds) monitor.Rounds {
	return func(yield func(hsm.Monitor, error) bool) {
		measured := false
		for m, err := range rounds {
			if err != nil && ctx.Err() != nil && measured {
				return
			}
			if !yield(m, err) {
				return
			}
			measured = true
		}
	}
}
