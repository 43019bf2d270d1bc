package main

import (
	"context"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

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
