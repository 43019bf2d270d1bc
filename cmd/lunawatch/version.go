package main

import (
	"context"
	"fmt"

	"github.com/lunawatch/lunawatch/agent"
)

var versionCommand = command{"version", "print the version", runVersion}

func runVersion(_ context.Context, args []string, std stdio) int {
	if code, ok := parseFlags(newFlags("version", std), args, 0); !ok {
		return code
	}
	version, goversion := agent.Version()
	fmt.Fprintf(std.out, "lunawatch %s (%s)\n", version, goversion)
	return exitOK
}
