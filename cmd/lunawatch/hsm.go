package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"time"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

func hsmShow(flags *flag.FlagSet) action {
	return deviceCommand(flags, exporters.ShowText, func(d *hsm.Device) any { return d.Show })
}

func hsmInformationShow(flags *flag.FlagSet) action {
	return deviceCommand(flags, exporters.InformationText, func(d *hsm.Device) any { return d.Information })
}

func hsmPartitionList(flags *flag.FlagSet) action {
	return deviceCommand(flags, exporters.PartitionsText, func(d *hsm.Device) any { return d.Partitions })
}

// deviceCommand prints one section of every HSM, or of the one that is chosen.
func deviceCommand(flags *flag.FlagSet, text func(io.Writer, *hsm.Device, time.Time), section func(*hsm.Device) any) action {
	socket := socketFlag(flags)
	one := choiceFlags(flags)
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		name, err := one.name()
		if err != nil {
			return err
		}
		snap, err := agent.NewClient(*socket).Snapshot(ctx)
		if err != nil {
			return err
		}
		devices, err := chosen(snap.HSMs(), name)
		if err != nil {
			return err
		}
		found := make(map[string]any)
		for _, d := range devices {
			found[d.Name] = section(d)
			if !*asJSON {
				text(std.out, d, time.Now())
			}
		}
		if *asJSON {
			return printJSON(std.out, found)
		}
		return nil
	}
}

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
