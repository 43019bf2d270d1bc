package main

import (
	"context"
	"flag"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters"
)

func haShow(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		snap, err := agent.NewClient(*socket).Snapshot(ctx)
		if err != nil {
			return err
		}
		found := make(map[string]any)
		for _, d := range snap.Devices {
			if d.HA.IsZero() {
				continue
			}
			found[d.Name] = d.HA
			if !*asJSON {
				exporters.HAText(std.out, d, time.Now())
			}
		}
		if *asJSON {
			return printJSON(std.out, found)
		}
		if len(found) == 0 {
			std.out.Write([]byte("No HA groups are watched; see the key ha of the configuration.\n"))
		}
		return nil
	}
}
