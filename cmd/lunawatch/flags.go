package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/internal/near"
)

// parse reads the flags of c, before, between and after its arguments, which it
// returns. "-x" and "--x" are the same flag.
func (c command) parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, c.wrongFlag(flags, err)
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

// wrongFlag says what is wrong with a flag, and which one was meant.
func (c command) wrongFlag(flags *flag.FlagSet, err error) error {
	if name := undefined.FindStringSubmatch(err.Error()); name != nil {
		var all []string
		flags.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
		if meant := near.Name(name[1], all); meant != "" {
			return usagef("unknown flag -%s; did you mean -%s? lunawatch %s -help lists the flags", name[1], meant, c.name)
		}
		err = fmt.Errorf("unknown flag -%s", name[1])
	}
	return usagef("%w; lunawatch %s -help lists the flags", err, c.name)
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

func socketFlag(flags *flag.FlagSet) *string {
	return flags.String("control.socket", config.Default().ControlSocket, "control `SOCKET` of the agent")
}

func jsonFlag(flags *flag.FlagSet) *bool { return flags.Bool("json", false, "print JSON") }

// defaultConfig is where packages put the configuration.
const defaultConfig = "/etc/lunawatch/lunawatch.yaml"

func configFlag(flags *flag.FlagSet) *string {
	return flags.String("config.file", defaultConfig, "configuration `FILE`")
}
