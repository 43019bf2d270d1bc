package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters"
)

var alarmsList = command{"alarms list", "alarms that stand, and what to do", runAlarms}

func runAlarms(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("alarms list", std)
	socket := socketFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	list, err := agent.NewClient(*socket).Alarms(ctx)
	if err != nil {
		return fail(std, "alarms list", err)
	}
	if *asJSON {
		return printJSON(std, "alarms list", list)
	}
	exporters.AlarmsText(std.out, list, time.Now())
	return exitOK
}

var alarmsClear = command{"alarms clear", "end an alarm by hand: alarms clear -reason WHY HSM/ALARM", runAlarmsClear}

func runAlarmsClear(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("alarms clear", std)
	socket := socketFlag(flags)
	reason := flags.String("reason", "", "why it is over")
	if code, ok := parseFlags(flags, args, 1); !ok {
		return code
	}
	if flags.NArg() != 1 || *reason == "" {
		return usageError(std, "alarms clear", errors.New("one alarm, as HSM/ALARM of alarms list, and -reason are needed"))
	}
	if err := agent.NewClient(*socket).ClearAlarm(ctx, flags.Arg(0), *reason); err != nil {
		return fail(std, "alarms clear", err)
	}
	return exitOK
}

var walk = command{"walk", "what SNMP serves, without snmpd", runWalk}

func runWalk(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("walk", std)
	socket := socketFlag(flags)
	numeric := flags.Bool("On", false, "print OIDs as numbers, as snmpwalk -On does")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	list, err := agent.NewClient(*socket).Walk(ctx)
	if err != nil {
		return fail(std, "walk", err)
	}
	for _, i := range list {
		name := i.Name
		if *numeric {
			name = "." + i.OID
		}
		fmt.Fprintf(std.out, "%s = %s\n", name, i.Value)
	}
	return exitOK
}

var checkConfig = command{"check-config", "check a configuration, and tell what it costs", runCheckConfig}

// checkClients is how many registered clients the cost is told for.
const checkClients = 5

func runCheckConfig(_ context.Context, args []string, std stdio) int {
	flags := newFlags("check-config", std)
	file := flags.String("config.file", "/etc/lunawatch/lunawatch.yaml", "configuration")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	c, err := agent.ReadConfig(*file)
	if err != nil {
		return fail(std, "check-config", err)
	}
	fmt.Fprintf(std.out, "%s is good: %d HSMs, %d receivers.\n\n", *file, len(c.HSMs), len(c.Receivers))
	for _, h := range c.HSMs {
		commands, lines := h.Cost(checkClients)
		fmt.Fprintf(std.out, "%s: %d commands a day write %d lines into the appliance's log (with %d registered clients).\n", h.Name, commands, lines, checkClients)
		if lines > 10000 {
			fmt.Fprintf(std.out, "%s: that fills the log disk, and NTLS stops when it is 95 %% full; raise the intervals.\n", h.Name)
		}
	}
	return exitOK
}
