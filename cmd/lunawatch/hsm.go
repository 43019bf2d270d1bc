package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

var hsmShow = command{"hsm show", "state of the HSMs, as LunaSH shows it",
	deviceCommand("hsm show", exporters.ShowText, func(d *hsm.Device) any { return d.Show })}

var hsmInformationShow = command{"hsm information show", "request counters of the HSMs",
	deviceCommand("hsm information show", exporters.InformationText, func(d *hsm.Device) any { return d.Information })}

var hsmPartitionList = command{"hsm partition list", "partitions of the HSMs",
	deviceCommand("hsm partition list", exporters.PartitionsText, func(d *hsm.Device) any { return d.Partitions })}

// socketFlag adds the flag that names the agent's control socket.
func socketFlag(flags *flag.FlagSet) *string {
	return flags.String("control.socket", config.Default().ControlSocket, "control socket of the agent")
}

// deviceCommand prints one section of every HSM, or of the one with -serial.
func deviceCommand(name string, text func(io.Writer, *hsm.Device, time.Time), section func(*hsm.Device) any) func(context.Context, []string, stdio) int {
	return func(ctx context.Context, args []string, std stdio) int {
		flags := newFlags(name, std)
		socket := socketFlag(flags)
		serial := flags.String("serial", "", "serial number of one HSM")
		asJSON := flags.Bool("json", false, "print JSON")
		if code, ok := parseFlags(flags, args, 0); !ok {
			return code
		}
		snap, err := agent.NewClient(*socket).Snapshot(ctx)
		if err != nil {
			return fail(std, name, err)
		}
		found := make(map[string]any)
		for _, d := range snap.HSMs() {
			if *serial != "" && d.Serial() != *serial {
				continue
			}
			found[d.Name] = section(d)
			if !*asJSON {
				text(std.out, d, time.Now())
			}
		}
		if len(found) == 0 && *serial != "" {
			return usageError(std, name, unknownSerial(snap, *serial))
		}
		if *asJSON {
			return printJSON(std, name, found)
		}
		return exitOK
	}
}

func unknownSerial(s *hsm.Snapshot, serial string) error {
	var known []string
	for _, d := range s.HSMs() {
		if d.Serial() != "" {
			known = append(known, fmt.Sprintf("%s (%s)", d.Serial(), d.Name))
		}
	}
	return fmt.Errorf("no HSM with serial number %q is watched; there are: %s", serial, strings.Join(known, ", "))
}

func printJSON(std stdio, name string, v any) int {
	out := json.NewEncoder(std.out)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fail(std, name, err)
	}
	return exitOK
}
