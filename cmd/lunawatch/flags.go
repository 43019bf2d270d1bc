package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/lunawatch/lunawatch/agent/config"
)

// parse reads the flags of c, before, between and after its arguments, which it
// returns. "-x" and "--x" are the same flag.
func (c command) parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usagef("%w; lunawatch %s -help lists the flags", err, c.name)
		}
		if flags.NArg() == 0 {
			break
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	required, most := c.arguments()
	if len(words) > most {
		return nil, usagef("unexpected argument %q\n%s", words[most], c.synopsis())
	}
	if len(words) < len(required) {
		return nil, usagef("%s\n%s", needs[required[len(words)]], c.synopsis())
	}
	return words, nil
}

// optional returns the argument at i; "": it was left out.
func optional(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// synopsis is how c is typed.
func (c command) synopsis() string {
	return strings.TrimSpace("usage: lunawatch " + c.name + " [flags] " + c.args)
}

// help prints all there is to know about c, whose flags are declared.
func (c command) help(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "%s\n\n%s.\n", c.synopsis(), c.summary)
	fmt.Fprintln(w, "\nExamples:")
	for _, e := range c.examples {
		fmt.Fprintf(w, "  lunawatch %s\n", e)
	}
	declared := false
	flags.VisitAll(func(*flag.Flag) { declared = true })
	if declared {
		fmt.Fprintln(w, "\nFlags:")
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
	if c.more != nil {
		fmt.Fprintln(w)
		c.more(w)
	}
}

// usage prints every command, by its group.
func usage(w io.Writer) {
	fmt.Fprintln(w, "lunawatch monitors Luna HSMs.")
	for _, group := range groups {
		fmt.Fprintf(w, "\n%s:\n", group)
		for _, c := range commands {
			if c.group == group {
				fmt.Fprintf(w, "  %-26s %s\n", c.name, c.summary)
			}
		}
	}
	fmt.Fprintln(w, "\nlunawatch COMMAND -help has examples, and lists the flags of a command.")
}

func socketFlag(flags *flag.FlagSet) *string {
	return flags.String("control.socket", config.Default().ControlSocket, "control `SOCKET` of the agent")
}

func jsonFlag(flags *flag.FlagSet) *bool { return flags.Bool("json", false, "print JSON") }

func configFlag(flags *flag.FlagSet) *string {
	return flags.String("config.file", "/etc/lunawatch/lunawatch.yaml", "configuration `FILE`")
}
