package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
)

// checkClients is the number of registered clients that the cost is shown for.
const checkClients = 5

func checkConfig(flags *flag.FlagSet) action {
	file := configFlag(flags)
	listen := flags.String("web.listen-address", agent.DefaultListenAddress, "as of lunawatch agent")
	webConfig := flags.String("web.config.file", "", "as of lunawatch agent")
	return func(_ context.Context, _ []string, std stdio) error {
		c, err := config.Read(*file)
		if err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s is valid: %s, %s.\n\n", *file, counted(len(c.HSMs), "HSM"), counted(len(c.Receivers), "receiver"))
		for _, h := range c.HSMs {
			commands, lines := h.Cost(checkClients)
			fmt.Fprintf(std.out, "%s: %d commands a day write %d lines into the appliance's log (with %d registered clients).\n", h.Name, commands, lines, checkClients)
			if lines > 10000 {
				fmt.Fprintf(std.out, "%s: that fills the log disk, and NTLS stops when it is 95 %% full; raise the intervals.\n", h.Name)
			}
		}
		for _, w := range append(c.Warnings(), guard.OpenWeb([]string{*listen}, *webConfig)...) {
			fmt.Fprintf(std.out, "Warning: %s.\n", w)
		}
		for _, r := range c.Receivers {
			printReceiver(std.out, r, c)
		}
		return nil
	}
}

// counted returns n with its noun: 1 HSM, 3 HSMs.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printReceiver prints what a receiver is notified of, and how much somebody
// inside an HSM could signal to it.
func printReceiver(w io.Writer, r config.Receiver, c config.Config) {
	p := r.Route.Policy
	bits, why := p.BitsPerHour(c.Alarms.NotifyInterval, len(c.HSMs)+2) // the host and the agent
	fmt.Fprintf(w, "receiver %s: receives %s.\n", r.Name, routed(r.Route))
	fmt.Fprintf(w, "    A covert channel of at most %.3g bits an hour: %s.\n", bits, why)
}

// routed says in words which alarms a route lets through.
func routed(r notify.Route) string {
	parts := []string{"all alarms"}
	if r.Only.Severity > alarms.Indeterminate {
		parts[0] = "alarms of severity " + r.Only.Severity.String() + " or worse"
	}
	for _, p := range []struct {
		name string
		list []string
	}{{"HSM", r.Only.HSMs}, {"alarm", r.Only.Groups}, {"object", r.Only.Objects}, {"code", r.Only.Codes}} {
		if len(p.list) > 0 {
			parts = append(parts, p.name+" "+strings.Join(p.list, " or "))
		}
	}
	if h := r.Hours; h.From+h.To != "" || len(h.Days) > 0 {
		text := strings.Join(h.Days, " ") + " from " + cmp.Or(h.From, "00:00") + " to " + cmp.Or(h.To, "24:00") + " " + h.Zone
		parts = append(parts, strings.TrimSpace(text))
	}
	if r.UnacknowledgedFor > 0 {
		parts = append(parts, "once nobody has acknowledged it for "+r.UnacknowledgedFor.String())
	}
	return strings.Join(parts, ", ")
}
