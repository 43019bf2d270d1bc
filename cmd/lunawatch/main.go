// Command lunawatch monitors Thales/SafeNet Luna HSMs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Exit codes of every subcommand.
const (
	exitOK    = 0
	exitError = 1 // the command failed; standard error says why and what to do
	exitUsage = 2 // the command line or a value in it is wrong
)

// A command is one subcommand. Each has its own file.
type command struct {
	words string // as typed, blank separated: "hsm information monitor"
	help  string
	run   func(ctx context.Context, args []string, std stdio) int
}

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

func run(ctx context.Context, args []string, std stdio) int {
	if len(args) == 0 {
		usage(std.err)
		return exitUsage
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(std.out)
		return exitOK
	}
	if args[0] == "manuals" {
		return runManuals(ctx, args[1:], std)
	}
	for _, c := range commands {
		words := strings.Fields(c.words)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.words {
			return c.run(ctx, args[len(words):], std)
		}
	}
	fmt.Fprintf(std.err, "lunawatch: unknown command %q; lunawatch help lists them\n", strings.Join(args, " "))
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "lunawatch monitors Luna HSMs.")
	fmt.Fprintln(w)
	for _, c := range commands {
		fmt.Fprintf(w, "  %-26s %s\n", c.words, c.help)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "lunawatch COMMAND -help lists the flags of a command.")
}
