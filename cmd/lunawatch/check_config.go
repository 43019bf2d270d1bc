package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/exporters"
)

// checkClients is the number of registered clients that the cost is shown for.
const checkClients = 5

func checkConfig(flags *flag.FlagSet) action {
	file := configFlag(flags)
	listen := flags.String("web.listen-address", agent.DefaultListenAddress, "as of lunawatch agent")
	webConfig := flags.String("web.config.file", "", "as of lunawatch agent")
	schema := flags.Bool("schema", false, "print the JSON Schema of a configuration, for editors, and check nothing")
	return func(_ context.Context, _ []string, std stdio) error {
		if *schema {
			fmt.Fprint(std.out, config.Schema())
			return nil
		}
		c, unchecked, err := config.Check(*file)
		for _, w := range unchecked {
			fmt.Fprintf(std.err, "Warning: %s.\n", w)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s is valid: %s, %s.\n\n", *file, watches(c), exporters.Counted(len(c.Receivers), "receiver"))
		for _, h := range c.HSMs {
			printCost(std.out, h)
		}
		for _, w := range slices.Concat(c.Warnings(), guard.OpenWeb([]string{*listen}, *webConfig), c.Web.Warnings([]string{*listen}, *webConfig)) {
			fmt.Fprintf(std.out, "Warning: %s.\n", w)
		}
		for _, r := range c.Receivers {
			printReceiver(std.out, r, c)
		}
		return nil
	}
}

// watches says what a configuration watches.
func watches(c config.Config) string {
	text := exporters.Counted(len(c.HSMs), "HSM")
	if c.LunaCM.Enabled {
		text += ", the cards of this host"
	}
	if c.HA.Enabled {
		text += ", the HA groups of this host"
	}
	return text
}

// printCost prints what the polling of an HSM costs its appliance.
func printCost(w io.Writer, h config.HSM) {
	switch commands, lines := h.Cost(checkClients); {
	case h.Replay != "":
		fmt.Fprintf(w, "%s: captured answers in %s, which cost an appliance nothing.\n", h.Name, h.Replay)
	case h.Address == "":
		fmt.Fprintf(w, "%s: its SNMP agent, and no LunaSH: no command, and no line in its log.\n", h.Name)
	default:
		fmt.Fprintf(w, "%s: %d commands a day write %d lines into the appliance's log (with %d registered clients).\n", h.Name, commands, lines, checkClients)
		if lines > 10000 {
			fmt.Fprintf(w, "%s: that fills the log disk, and NTLS stops when it is 95 %% full; raise the intervals.\n", h.Name)
		}
	}
}

// devices counts what a receiver can be notified of: HSMs, the host and the agent.
func devices(hsms int) int { return hsms + 2 }

// printReceiver prints what a receiver is notified of, and how much somebody
// inside an HSM could signal to it.
func printReceiver(w io.Writer, r config.Receiver, c config.Config) {
	p := r.Route.Policy
	bits, why := p.BitsPerHour(c.Alarms.NotifyInterval, devices(len(c.HSMs)))
	fmt.Fprintf(w, "receiver %s: receives %s.\n", r.Name, r.Route.Words())
	fmt.Fprintf(w, "    A covert channel of at most %.3g bits an hour: %s.\n", bits, why)
}
