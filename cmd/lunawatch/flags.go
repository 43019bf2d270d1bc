package main

import (
	"errors"
	"flag"
	"fmt"

	"github.com/lunawatch/lunawatch/agent/config"
)

// newFlags returns the flags of a subcommand; "-x" and "--x" are the same.
func newFlags(name string, std stdio) *flag.FlagSet {
	flags := flag.NewFlagSet("lunawatch "+name, flag.ContinueOnError)
	flags.SetOutput(std.err)
	flags.Usage = usageOf(flags)
	return flags
}

// parseFlags reports whether the command goes on, with at most so many words
// after the flags; if not, code is its exit code.
func parseFlags(flags *flag.FlagSet, args []string, words int) (code int, ok bool) {
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK, false
	case err != nil:
		return exitUsage, false
	case flags.NArg() > words:
		fmt.Fprintf(flags.Output(), "%s: unexpected argument %q\n", flags.Name(), flags.Arg(words))
		flags.Usage()
		return exitUsage, false
	}
	return exitOK, true
}

// parseMixed is [parseFlags] with flags before, between and after the words.
func parseMixed(flags *flag.FlagSet, args []string, most int) (words []string, code int, ok bool) {
	for {
		if code, ok := parseFlags(flags, args, len(args)); !ok {
			return nil, code, false
		}
		if flags.NArg() == 0 {
			break
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	if len(words) > most {
		fmt.Fprintf(flags.Output(), "%s: unexpected argument %q\n", flags.Name(), words[most])
		flags.Usage()
		return nil, exitUsage, false
	}
	return words, exitOK, true
}

// fail prints an error. Faults of a configuration have lines of their own, so
// that editors find their places.
func fail(std stdio, name string, err error) int {
	if faults := config.Faults(nil); errors.As(err, &faults) {
		fmt.Fprintln(std.err, faults)
		return exitError
	}
	fmt.Fprintf(std.err, "lunawatch %s: %s\n", name, err)
	return exitError
}

func usageError(std stdio, name string, err error) int {
	fail(std, name, err)
	return exitUsage
}
