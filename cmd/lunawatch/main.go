// Command lunawatch monitors Thales/SafeNet Luna HSMs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/lunawatch/lunawatch/agent/config"
)

// Exit codes of every subcommand.
const (
	exitOK    = 0
	exitError = 1 // the command failed; standard error says why and what to do
	exitUsage = 2 // the command line is wrong, or names what does not exist
)

// A usageFault is what is wrong with a command line.
type usageFault struct{ error }

func usagef(format string, args ...any) error { return usageFault{fmt.Errorf(format, args...)} }

// An exit is the exit code of a command that has said all there is to say.
type exit int

// Error is never printed.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "hsm" { // a link called so takes "hsm information monitor" as typed in LunaSH
		args = append([]string{"hsm"}, args...)
	}
	os.Exit(run(ctx, args, stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs a command line, and returns its exit code.
func run(ctx context.Context, args []string, std stdio) int {
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:len(args):len(args)], "-help")
	}
	if c, rest, found := lookUp(args); found {
		return c.run(ctx, rest, std)
	}
	if len(args) > 0 && args[0] == manuals.name {
		return manuals.run(ctx, args[1:], std)
	}
	words := wordsOf(args)
	list := beginning(words)
	switch {
	case len(words) == 0:
		list = commands
	case len(list) == 0:
		fmt.Fprintf(std.err, "lunawatch: %s\n", noCommand(args))
		return exitUsage
	}
	if len(args) > len(words) && isHelp(args[len(words)]) {
		fmt.Fprintln(std.out, "lunawatch monitors Luna HSMs.")
		usage(std.out, list)
		return exitOK
	}
	fmt.Fprintln(std.err, "lunawatch: a command is needed, one of these.")
	usage(std.err, list)
	return exitUsage
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// run runs c on what follows its name, and returns the exit code.
func (c command) run(ctx context.Context, args []string, std stdio) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	do := c.flags(flags)
	words, err := c.parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		c.help(std.out, flags)
		return exitOK
	}
	if err == nil {
		err = do(ctx, words, std)
	}
	return c.report(std, err)
}

// report prints why a command failed, and returns its exit code. Faults of a
// configuration have lines of their own, so that editors find their places.
func (c command) report(std stdio, err error) int {
	var (
		code   exit
		wrong  usageFault
		faults config.Faults
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &faults):
		fmt.Fprintln(std.err, faults)
	default:
		fmt.Fprintf(std.err, "lunawatch %s: %s\n", c.name, err)
	}
	switch {
	case c.verdict:
		return exitUnknown
	case errors.As(err, &wrong):
		return exitUsage
	}
	return exitError
}
