package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/agent/capture"
	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

func captureCommand(flags *flag.FlagSet) action {
	file := configFlag(flags)
	out := flags.String("out", "lunawatch-capture.tar", "archive to write")
	return func(ctx context.Context, _ []string, std stdio) error {
		c, err := config.Read(*file)
		if err != nil {
			return err
		}
		f, err := newFile(*out)
		if err != nil {
			return err
		}
		known, _ := agent.NewClient(c.ControlSocket).Snapshot(ctx) // nil: no agent runs
		far, answers := progressOn(std.err), 0
		captured := capture.New(ctx, c, known, func(o hsm.Observation) {
			answers++
			far.show("%d questions asked, the last of %s", answers, exporters.Plain(o.Device))
		})
		far.end()
		for _, why := range captured.AtSite {
			fmt.Fprintf(std.err, "not captured: %s\n", why)
		}
		if len(captured.Files) == 0 {
			err = fmt.Errorf("no source gave an answer")
		} else {
			err = captured.Write(f)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return errors.Join(err, os.Remove(*out))
		}
		fmt.Fprintf(std.out, "%s holds %d answers and logs. Replaced consistently (the same value always gets the same replacement):\n", *out, len(captured.Files))
		for _, what := range slices.Sorted(maps.Keys(captured.Replaced)) {
			fmt.Fprintf(std.out, "  %-24s %d\n", what, captured.Replaced[what])
		}
		fmt.Fprintln(std.out, "Read it before you send it: names of fewer than three letters, or that the product itself uses, stay.")
		return nil
	}
}

// newFile creates a file that only its owner can read. It follows no link and
// overwrites nothing: who may write to the directory could have put one there.
func newFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already and is not overwritten: remove it, or name another with -out", name)
	}
	return f, err
}
