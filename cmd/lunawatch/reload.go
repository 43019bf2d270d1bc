package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

func reload(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	force := flags.Bool("force", false, "also if none of the HSMs that are watched is left")
	return func(ctx context.Context, _ []string, std stdio) error {
		if err := agent.NewClient(*socket).Reload(ctx, *force); err != nil {
			return err
		}
		fmt.Fprintln(std.out, "The configuration was reloaded.")
		return nil
	}
}
