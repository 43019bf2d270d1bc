package main

import (
	"context"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

func versionCommand(*flag.FlagSet) action {
	return func(_ context.Context, _ []string, std stdio) error {
		version, goversion := agent.Version()
		_, err := fmt.Fprintf(std.out, "lunawatch %s (%s)\n", version, goversion)
		return err
	}
}
