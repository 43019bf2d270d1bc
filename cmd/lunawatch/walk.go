package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

func walk(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	numeric := flags.Bool("On", false, "print OIDs as numbers, as snmpwalk -On does")
	return func(ctx context.Context, _ []string, std stdio) error {
		list, err := agent.NewClient(*socket).Walk(ctx)
		if err != nil {
			return err
		}
		for _, i := range list {
			name := i.Name
			if *numeric {
				name = "." + i.OID
			}
			fmt.Fprintf(std.out, "%s = %s\n", name, i.Value)
		}
		return nil
	}
}
