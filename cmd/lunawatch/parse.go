package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/internal/near"
)

// maxInput bounds what is read of a capture, in bytes.
const maxInput = 64 << 20

// softMemory is from where on memory is reclaimed at once rather than later.
const softMemory = 32 << 20

func parseCommand(*flag.FlagSet) action {
	return func(_ context.Context, words []string, std stdio) error {
		format, ok := formats.Named(words[0])
		if !ok {
			return usagef("unknown format %q%s", words[0], didYouMean(near.Name(words[0], formatNames()), "the formats: "+strings.Join(formatNames(), ", ")))
		}
		debug.SetMemoryLimit(softMemory)
		text, err := input(optional(words, 1), std.in)
		if err != nil {
			return err
		}
		return printParsed(format, text, std)
	}
}

func printParsed(format answer.Format, text string, std stdio) error {
	session := answer.Split(text)
	fact, unread, err := format.Read(session)
	if fact != nil {
		out := json.NewEncoder(std.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		if err := out.Encode(fact); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	for _, line := range unread {
		fmt.Fprintf(std.err, "unread: %s\n", line)
	}
	if _, complete, _ := session.Last(); !complete && !format.File {
		fmt.Fprintln(std.err, "note: the text has no result line; it may be cut")
	}
	if errors.Is(err, answer.ErrUnrecognised) {
		return fmt.Errorf("%w; expected what %q prints", err, format.Command)
	}
	return err
}

func input(file string, stdin io.Reader) (string, error) {
	in := stdin
	if file != "" && file != "-" {
		f, err := os.Open(file)
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

func formatNames() (names []string) {
	for _, f := range formats.All() {
		names = append(names, f.Name)
	}
	return names
}

// listFormats says what FORMAT may be.
func listFormats(w io.Writer) {
	fmt.Fprintln(w, "FILE (standard input without one, or for -) is a captured session or log. What it says is")
	fmt.Fprintln(w, "printed as JSON, and on standard error the lines that could not be read. The formats, and")
	fmt.Fprintln(w, "what prints them:")
	fmt.Fprintln(w)
	for _, f := range formats.All() {
		fmt.Fprintf(w, "  %-26s %s\n", f.Name, f.Command)
	}
}
