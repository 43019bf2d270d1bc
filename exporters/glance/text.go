package glance

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

// A Look is how an estate is printed.
type Look struct {
	Width  int  // of the terminal, in letters; 0: lines are as long as they are
	Colour bool // states are coloured
	All    bool // devices that are well are printed, too
}

// A column is one of the table.
type column struct {
	name   string
	always bool // the others are left out, the last first, where the terminal is narrow
	cell   func(Row, time.Time) string
}

// columns are those before REASON, in the order in which they are printed.
var columns = []column{
	{"STATE", true, func(r Row, _ time.Time) string { return r.word() }},
	{"NAME", true, func(r Row, _ time.Time) string { return r.Name }},
	{"AGE", true, func(r Row, now time.Time) string { return Ago(r.Newest, now) }},
	{"SINCE", true, func(r Row, now time.Time) string { return Short(r.Since, now) }},
	{"BATTERY", false, func(r Row, _ time.Time) string { return value(r, r.Battery, "%.3f V", 1) }},
	{"TEMP", false, func(r Row, _ time.Time) string { return value(r, r.Temperature, "%.0f C", 1) }},
	{"LOAD", false, func(r Row, _ time.Time) string { return value(r, r.Utilization, "%.0f %%", 100) }},
	{"STATUS", false, func(r Row, _ time.Time) string { return word(r, r.Status) }},
	{"FIRMWARE", false, func(r Row, _ time.Time) string { return word(r, r.Firmware) }},
	{"MODEL", false, func(r Row, _ time.Time) string { return word(r, r.Model) }},
	{"WORKED", false, func(r Row, now time.Time) string { return Short(r.Proven, now) }},
}

// reasonWidth is what REASON has at least on a terminal, in letters.
const reasonWidth = 28

// longestName is where names are cut on a terminal, in letters.
const longestName = 20

// Text prints an estate: a line that sums it up, and the devices that are not well.
func Text(w io.Writer, e Estate, look Look) {
	fmt.Fprintf(w, "%s: %s\n", e.At.Format(exporters.TimeLayout), e.Summary())
	rows := e.Rows
	if !look.All {
		rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.State == OK })
	}
	if len(rows) > 0 {
		fmt.Fprintln(w)
		table(w, rows, e.At, look)
	}
	if well := len(e.Rows) - len(rows); well > 0 {
		fmt.Fprintf(w, "\n%d of %d are ok and not shown; -all shows them.\n", well, len(e.Rows))
	}
}

// Summary says how many devices are in which state.
func (e Estate) Summary() string {
	if len(e.Rows) == 0 {
		return "no HSM is watched"
	}
	count, parts := e.Count(), []string{}
	for _, s := range []State{Critical, Unknown, Warning, OK} {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

func table(w io.Writer, rows []Row, now time.Time, look Look) {
	t := NewTable(rows, now, look)
	fmt.Fprintln(w, t.Heading())
	for _, r := range rows {
		fmt.Fprintln(w, t.Line(r, now))
	}
}

// A Table is how rows are printed, one a line: the columns that have room.
type Table struct {
	shown  []column
	widths []int // in letters
	look   Look
}

// NewTable returns the table of rows at now.
func NewTable(rows []Row, now time.Time, look Look) Table {
	shown, widths := fit(rows, now, look.Width)
	return Table{shown, widths, look}
}

// Heading returns the names of the columns.
func (t Table) Heading() string {
	return t.line("REASON", func(c column) string { return c.name }, func(s string) string { return s })
}

// Line returns one row at now. What an HSM says in it cannot move the cursor of a terminal.
func (t Table) Line(r Row, now time.Time) string {
	return t.line(exporters.Plain(r.reason()), func(c column) string { return exporters.Plain(c.cell(r, now)) }, func(s string) string {
		if t.look.Colour {
			return colours[r.State] + s + reset
		}
		return s
	})
}

// line returns cells, the first of them coloured, and the reason behind them.
func (t Table) line(reason string, cell func(column) string, colour func(string) string) string {
	var line strings.Builder
	for i, c := range t.shown {
		text := cut(cell(c), t.widths[i])
		padding := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(text)+2)
		if i == 0 {
			text = colour(text)
		}
		line.WriteString(text + padding)
	}
	if t.look.Width > 0 {
		reason = cut(reason, t.look.Width-visible(t.widths))
	}
	return strings.TrimRight(line.String()+reason, " ")
}

// visible returns how many letters columns take with what parts them.
func visible(widths []int) (n int) {
	for _, width := range widths {
		n += width + 2
	}
	return n
}

// fit returns the columns that have room on a terminal, and the letters of each.
func fit(rows []Row, now time.Time, width int) (shown []column, widths []int) {
	for _, c := range columns {
		letters := utf8.RuneCountInString(c.name)
		for _, r := range rows {
			letters = max(letters, utf8.RuneCountInString(c.cell(r, now)))
		}
		if width > 0 && c.name == "NAME" {
			letters = min(letters, longestName)
		}
		if c.always || width == 0 || visible(widths)+letters+2+reasonWidth <= width {
			shown, widths = append(shown, c), append(widths, letters)
		}
	}
	return shown, widths
}

// cut shortens s to so many letters.
func cut(s string, letters int) string {
	if utf8.RuneCountInString(s) <= letters {
		return s
	}
	return string([]rune(s)[:max(0, letters-1)]) + "…"
}

const reset = "\x1b[0m"

var colours = [...]string{OK: "\x1b[32m", Warning: "\x1b[33m", Critical: "\x1b[31m", Unknown: "\x1b[35m"}

// word is the severity of the alarm that is the reason, or else the state.
func (r Row) word() string {
	if r.State == OK || r.State == Unknown || r.Alarms == 0 {
		return r.State.String()
	}
	return r.Severity.String()
}

// reason says why, and how many alarms there are beside.
func (r Row) reason() string {
	if r.Alarms > 1 {
		return r.Reason + " (+" + strconv.Itoa(r.Alarms-1) + ")"
	}
	return r.Reason
}

// unknown is shown for a value that is not known; "-" is none that there can be.
const unknown = "?"

// isHSM reports whether r has values of an HSM.
func (r Row) isHSM() bool { return r.Kind == hsm.NetworkHSM || r.Kind == hsm.CardHSM }

func value(r Row, o hsm.Opt[float64], format string, times float64) string {
	switch {
	case !r.isHSM():
		return "-"
	case !o.Known:
		return unknown
	}
	return fmt.Sprintf(format, times*o.Value)
}

func word(r Row, o hsm.Opt[string]) string {
	switch {
	case !r.isHSM():
		return "-"
	case !o.Known:
		return unknown
	}
	return o.Value
}

// Ago is how long ago something was read: 12s, 5m, 3h, 9d; "never".
func Ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero():
		return "never"
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Short is a time of today by its clock, another by its date: the line above the table
// has the day and the zone.
func Short(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	at = at.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format(time.DateOnly)
}
