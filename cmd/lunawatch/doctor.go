package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/doctor"
)

func doctorCommand(flags *flag.FlagSet) action {
	file := configFlag(flags)
	web := flags.String("web.listen-address", agent.DefaultListenAddress, "as of lunawatch agent")
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		p, err := doctor.Read(ctx, *file, *web)
		if err != nil {
			return err
		}
		far := progressOn(std.err)
		found := p.Examine(ctx, func(done, all int) { far.show("%d of %d tried", done, all) })
		far.end()
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("interrupted: %w", ctx.Err())
		case *asJSON:
			err = printJSON(std.out, found)
		default:
			doctor.Print(std.out, found)
		}
		if err == nil && doctor.Count(found)[doctor.Failed] > 0 {
			return exit(exitError)
		}
		return err
	}
}
