package main

import (
	"context"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters"
)

var haShow = command{"ha show", "HA groups of the client host, and who has lost which member", runHA}

func runHA(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("ha show", std)
	socket := socketFlag(flags)
	asJSON := flags.Bool("json", false, "print JSON")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	snap, err := agent.NewClient(*socket).Snapshot(ctx)
	if err != nil {
		return fail(std, "ha show", err)
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
		return printJSON(std, "ha show", found)
	}
	if len(found) == 0 {
		std.out.Write([]byte("No HA groups are watched; see the key ha of the configuration.\n"))
	}
	return exitOK
}
