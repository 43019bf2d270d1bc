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
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/near"
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

// deviceCommand prints one section of every HSM, or of the one with -serial.
func deviceCommand(flags *flag.FlagSet, text func(io.Writer, *hsm.Device, time.Time), section func(*hsm.Device) any) action {
	socket := socketFlag(flags)
	serial := flags.String("serial", "", "serial number of one HSM")
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		snap, err := agent.NewClient(*socket).Snapshot(ctx)
		if err != nil {
			return err
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
			return usageFault{unknownSerial(snap, *serial)}
		}
		if *asJSON {
			return printJSON(std.out, found)
		}
		return nil
	}
}

// unknownHSM says that no HSM has a name or serial number, and which was meant.
func unknownHSM(name string, all []string) error {
	return usagef("no HSM with the name or serial number %q is watched%s", name, didYouMean(near.Name(name, all), "lunawatch status -all lists them"))
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

func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
