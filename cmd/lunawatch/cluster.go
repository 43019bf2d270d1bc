package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

func clusterStatus(flags *flag.FlagSet) action {
	socket, asJSON := socketFlag(flags), jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		report, err := agent.NewClient(*socket).Cluster(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(std.out, report)
		}
		report.Write(std.out)
		return nil
	}
}

func clusterDrain(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	end := flags.Bool("end", false, "it is to watch HSMs again")
	return func(ctx context.Context, args []string, std stdio) error {
		if err := agent.NewClient(*socket).Drain(ctx, args[0], *end); err != nil {
			return err
		}
		fmt.Fprintln(std.out, "Its HSMs move, at most 8 shards a second; lunawatch cluster status shows how far it is.")
		return nil
	}
}

func clusterMove(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	return func(ctx context.Context, args []string, std stdio) error {
		return agent.NewClient(*socket).Move(ctx, args[0], append(args, "")[1])
	}
}
