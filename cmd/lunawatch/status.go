package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lunawatch/lunawatch/agent"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
)

// exitUnknown is that of the commands whose exit code is a state, where there is none.
const exitUnknown = int(glance.Unknown)

// statusCodes are the exit codes of status: what is not watched is as bad as a major alarm.
var statusCodes = [...]exit{glance.OK: 0, glance.Warning: 1, glance.Critical: 2, glance.Unknown: 2}

func statusCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	all := flags.Bool("all", false, "list the devices that are ok, too")
	asJSON := jsonFlag(flags)
	return func(ctx context.Context, _ []string, std stdio) error {
		client := agent.NewClient(*socket)
		e, err := client.Estate(ctx)
		if err != nil {
			return err
		}
		if *asJSON {
			if err := printJSON(std.out, e); err != nil {
				return err
			}
		} else {
			silences, err := client.Silences(ctx)
			if err != nil {
				return err
			}
			glance.Text(std.out, e, look(std.out, *all))
			exporters.AnnouncedText(std.out, silences, time.Now())
		}
		if code := statusCodes[e.State]; code != exitOK {
			return code
		}
		return nil
	}
}

// look is how a table is printed where it goes to: only a terminal has a width and
// colours, and those not if NO_COLOR is set.
func look(w io.Writer, all bool) glance.Look {
	l := glance.Look{All: all}
	f, ok := w.(*os.File)
	if !ok {
		return l
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return l
	}
	l.Width, l.Colour = int(size.Col), os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return l
}

func checkCommand(flags *flag.FlagSet) action {
	socket := socketFlag(flags)
	format := flags.String("format", "nagios", "nagios (Icinga, Naemon, Centreon) or checkmk, the `FORMAT` of the output")
	c := glance.Check{Warning: glance.Limits{}, Critical: glance.Limits{}}
	flags.Var(c.Warning, "warning", "`MEASURE=RANGE`, such as temperature=60: outside it the state is at least warning; may be repeated")
	flags.Var(c.Critical, "critical", "`MEASURE=RANGE`, such as battery=2.6: outside it the state is critical; may be repeated")
	return func(ctx context.Context, words []string, std stdio) error {
		if !slices.Contains([]string{"nagios", "checkmk"}, *format) {
			return usagef("-format %q is neither nagios nor checkmk", *format)
		}
		e, err := checked(ctx, agent.NewClient(*socket), &c, optional(words, 0))
		switch {
		case err != nil && *format == "checkmk":
			glance.NoAnswerCheckmk(std.out, err)
		case err != nil:
			glance.NoAnswer(std.out, err)
			return exit(exitUnknown)
		case *format == "checkmk":
			c.Checkmk(std.out, e)
		default:
			if state := c.Nagios(std.out, e); state != glance.OK {
				return exit(state)
			}
		}
		return nil
	}
}

// checked asks the agent how an HSM is, or with "" every device, and gives c the
// thresholds of its rules.
func checked(ctx context.Context, client *agent.Client, c *glance.Check, name string) (glance.Estate, error) {
	e, err := client.Estate(ctx)
	if err == nil {
		c.Rules, err = client.Thresholds(ctx)
	}
	if err == nil && name != "" {
		e.Rows, err = oneRow(e.Rows, name)
	}
	return e, err
}

// oneRow returns the row of a name or serial number.
func oneRow(rows []glance.Row, name string) ([]glance.Row, error) {
	var all []string
	for _, r := range rows {
		if r.Name == name || r.Serial.Known && r.Serial.Value == name {
			return []glance.Row{r}, nil
		}
		all = append(all, r.Name, r.Serial.Value)
	}
	return nil, unknownHSM(name, all)
}

// listMeasures says what MEASURE and RANGE may be.
func listMeasures(w io.Writer) {
	fmt.Fprintln(w, "The measures are")
	fmt.Fprintln(w)
	for _, m := range glance.Measures() {
		fmt.Fprintf(w, "  %-16s %s\n", m[0], m[1])
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "A range is 10 (0 to 10), 10: (10 or more), ~:10 (10 or less), 10:20, or @10:20 (not 10 to 20).")
	fmt.Fprintln(w, "Without one, the alarms of the agent decide, and its thresholds are in the performance data.")
	fmt.Fprintln(w, "A value with a limit of its own that is not known, and stale data, are UNKNOWN.")
}
