package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/packaging"
)

// runManuals writes manual pages and shell completion into a directory, for packages. Like
// help it is about all commands, and so none of them.
func runManuals(ctx context.Context, args []string, std stdio) int {
	flags := newFlags("manuals", std)
	dir := flags.String("out", ".", "directory, such as /usr/share")
	reference := flags.String("reference", "lunawatch.yaml", "the reference configuration, for lunawatch.yaml(5)")
	if code, ok := parseFlags(flags, args, 0); !ok {
		return code
	}
	text, err := os.ReadFile(*reference)
	if err != nil {
		return fail(std, "manuals", err)
	}
	version, _ := agent.Version()
	for name, text := range packaging.Files(describe(ctx), string(text), version) {
		path := filepath.Join(*dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fail(std, "manuals", err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fail(std, "manuals", err)
		}
		fmt.Fprintln(std.out, path)
	}
	return exitOK
}

// describe returns the commands with the flags that each shows in its help.
func describe(ctx context.Context) (all []packaging.Command) {
	for _, c := range commands {
		var shown helped
		c.run(ctx, []string{"-help"}, stdio{in: nil, out: io.Discard, err: &shown})
		all = append(all, packaging.Command{Words: c.words, Summary: c.help, Flags: shown.flags})
	}
	return all
}

// helped is a standard error that takes the flags of a help instead of its text.
type helped struct{ flags []*flag.Flag }

func (*helped) Write(b []byte) (int, error) { return len(b), nil }

// usageOf is the help of a command with flags.
func usageOf(flags *flag.FlagSet) func() {
	return func() {
		if shown, ok := flags.Output().(*helped); ok {
			flags.VisitAll(func(f *flag.Flag) { shown.flags = append(shown.flags, f) })
			return
		}
		fmt.Fprintf(flags.Output(), "Usage of %s:\n", flags.Name())
		flags.PrintDefaults()
	}
}
