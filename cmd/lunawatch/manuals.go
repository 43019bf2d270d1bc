package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/packaging"
)

// manuals writes manual pages and shell completion, for packages. Like help it is about
// all commands, and so none of them.
var manuals = command{name: "manuals", summary: "write the manual pages and completion into a directory", examples: []string{"manuals -out /usr/share"}, flags: func(flags *flag.FlagSet) action {
	dir := flags.String("out", ".", "`DIRECTORY`, such as /usr/share")
	reference := flags.String("reference", "lunawatch.yaml", "the reference configuration, a `FILE`, for lunawatch.yaml(5)")
	return func(_ context.Context, _ []string, std stdio) error {
		text, err := os.ReadFile(*reference)
		if err != nil {
			return err
		}
		version, _ := agent.Version()
		for name, text := range packaging.Files(described(), string(text), version) {
			path := filepath.Join(*dir, name)
			err := os.MkdirAll(filepath.Dir(path), 0o755)
			if err == nil {
				err = os.WriteFile(path, []byte(text), 0o644)
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(std.out, path)
		}
		return nil
	}
}}

// described returns the commands with the flags of each.
func described() (all []packaging.Command) {
	for _, c := range commands {
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(flags)
		x := packaging.Command{Words: c.name, Args: c.args, Summary: c.summary, Examples: c.examples}
		flags.VisitAll(func(f *flag.Flag) { x.Flags = append(x.Flags, f) })
		all = append(all, x)
	}
	return all
}
