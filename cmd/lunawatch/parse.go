package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/formats"
)

var parseCommand = command{
	words: "parse",
	help:  "read captured output and print it as JSON: parse FORMAT [FILE]",
	run:   runParse,
}

// maxInput bounds what is read of a capture, in bytes.
const maxInput = 64 << 20

// softMemory is from where on memory is reclaimed at once rather than later.
const softMemory = 32 << 20

func runParse(_ context.Context, args []string, std stdio) int {
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		parseUsage(std.out)
		return exitOK
	}
	if len(args) < 1 || len(args) > 2 {
		parseUsage(std.err)
		return exitUsage
	}
	format, ok := formats.Named(args[0])
	if !ok {
		fmt.Fprintf(std.err, "lunawatch parse: unknown format %q\n", args[0])
		parseUsage(std.err)
		return exitUsage
	}
	debug.SetMemoryLimit(softMemory)
	text, err := input(args[1:], std.in)
	if err != nil {
		fmt.Fprintf(std.err, "lunawatch parse: %v\n", err)
		return exitError
	}
	return printParsed(format, text, std)
}

func printParsed(format answer.Format, text string, std stdio) int {
	session := answer.Split(text)
	fact, unread, err := format.Read(session)
	if fact != nil {
		out := json.NewEncoder(std.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		if err := out.Encode(fact); err != nil {
			fmt.Fprintf(std.err, "lunawatch parse: write the result: %v\n", err)
			return exitError
		}
	}
	for _, line := range unread {
		fmt.Fprintf(std.err, "unread: %s\n", line)
	}
	if _, complete, _ := session.Last(); !complete && !format.File {
		fmt.Fprintln(std.err, "note: the text has no result line; it may be cut")
	}
	switch {
	case errors.Is(err, answer.ErrUnrecognised):
		fmt.Fprintf(std.err, "lunawatch parse: %v; expected what %q prints\n", err, format.Command)
		return exitError
	case err != nil:
		fmt.Fprintf(std.err, "lunawatch parse: %v\n", err)
		return exitError
	}
	return exitOK
}

func input(files []string, stdin io.Reader) (string, error) {
	in := stdin
	if len(files) == 1 && files[0] != "-" {
		f, err := os.Open(files[0])
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(in, maxInput+1)); err != nil {
		return "", fmt.Errorf("read the capture: %w", err)
	}
	if text.Len() > maxInput {
		return "", fmt.Errorf("the capture is larger than %d MiB; parse a part of it", maxInput>>20)
	}
	return text.String(), nil
}

func parseUsage(w io.Writer) {
	fmt.Fprintln(w, "usage: lunawatch parse FORMAT [FILE]")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "Reads FILE (standard input without one, or for -) as a captured session or log,")
	fmt.Fprintln(w, "prints what it says as JSON, and on standard error the lines it could not read.")
	fmt.Fprintln(w, "The formats, and what prints them:")
	fmt.Fprintln(w)
	for _, f := range formats.All() {
		fmt.Fprintf(w, "  %-26s %s\n", f.Name, f.Command)
	}
}
