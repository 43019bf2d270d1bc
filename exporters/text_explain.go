package exporters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/runbook"
	"github.com/lunawatch/lunawatch/internal/near"
)

// halts says what a code's Halts means to those who use the HSM.
var halts = map[string]string{
	"":                 "The firmware keeps running.",
	"in-reset":         "The card is held in reset: no service.",
	"waits-restart":    "The card waits for a restart: no service.",
	"never-started":    "The firmware was not started: no service.",
	"off-bus":          "The card is off the bus: no service.",
	"limited":          "Only a few commands work.",
	"OOS30":            "The firmware has stopped (system status 30): no service.",
	"OOS30-at-startup": "If it happens at a start, the firmware stops (system status 30): no service. Later, it keeps running.",
}

// Explain writes what a code (2001, ALM2001), a group, an alarm (HSM/ALARM), an event ID
// (13), a line of a log with a code in it, an error of a source or a warning of
// check-config means, and what to do; without a name, one line on each. An unknown name is an error.
func Explain(w io.Writer, name string) error {
	code := strings.TrimLeft(strings.TrimPrefix(strings.ToUpper(name), "ALM"), "_ ")
	if c, ok := alarms.CodeNamed(code); ok {
		explainCode(w, c)
		return nil
	}
	if page, known := runbook.Of(name); known {
		explainGroup(w, page)
		return nil
	}
	if name != "" {
		if explainText(w, name) {
			return nil
		}
		return unexplained(name)
	}
	fmt.Fprintln(w, "Alarms:")
	for _, g := range alarms.Groups() {
		fmt.Fprintf(w, "  %-22s %s\n", g.Name, g.Title)
	}
	fmt.Fprintln(w, "\nCodes in the log:")
	for _, c := range alarms.Catalogue() {
		fmt.Fprintf(w, "  ALM%s  %-13s %-12s %s\n", c.Code, c.Severity, c.Group, c.Text)
	}
	listTroubles(w)
	return nil
}

// unexplained says what could have been meant.
func unexplained(name string) error {
	var all []string
	for _, g := range alarms.Groups() {
		all = append(all, g.Name)
	}
	text := fmt.Sprintf("%q is neither a code such as 2001 or ALM2001 nor an alarm such as temp-warn", name)
	if meant := near.Name(name, all); meant != "" {
		text += fmt.Sprintf("; did you mean %q?", meant)
	}
	return errors.New(text + "; lunawatch alarms explain lists all")
}

func explainCode(w io.Writer, c alarms.Code) {
	g := alarms.GroupNamed(c.Group)
	fmt.Fprintf(w, "ALM%s: %s\n\n", c.Code, c.Text)
	rows := [][2]string{
		{"Meaning", c.Why},
		{"From", c.Component + map[bool]string{true: ", since firmware " + c.Since}[c.Since != ""]},
		{"Severity", c.Severity.String()},
		{"X.733", "event type " + c.Type + ", probable cause " + c.Cause},
		{"Service", halts[c.Halts]},
		{"Alarm", c.Group + " (" + g.Title + ")"},
	}
	switch {
	case c.Kind == alarms.Clear:
		rows[4][1] = "Not affected."
		rows = append(rows, [2]string{"Clears", "alarms of ALM" + strings.Join(c.Clears, ", ALM")})
	case c.Severity == alarms.None:
		rows = append(rows, [2]string{"Raises", "nothing: it is information."})
	default:
		rows = append(rows, [2]string{"What clears it", rules.HowCodeCleared(c)}, [2]string{"What to do", cmp.Or(c.Action, g.Action)})
	}
	printRows(w, rows)
}

func explainGroup(w io.Writer, p runbook.Page) {
	fmt.Fprintf(w, "%s: %s\n\n", p.Name, p.Title)
	printRows(w, p.Rows())
}

func printRows(w io.Writer, rows [][2]string) {
	for _, r := range rows {
		fmt.Fprintf(w, "  %-16s%s\n", r[0]+":", r[1])
	}
}
