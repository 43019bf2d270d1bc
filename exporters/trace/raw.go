package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

// formatOf returns the format of what a source says.
func formatOf(source string) (answer.Format, bool) {
	for _, f := range formats.All() {
		if slices.Contains(strings.Split(f.Command, ", "), source) {
			return f, true
		}
	}
	return answer.Format{}, false
}

// rawLines returns the lines of an answer from which a measure of d is read: those without
// which it would be another one, or unknown. A format that does not read the answer as a
// whole has none.
func rawLines(f answer.Format, text string, d *hsm.Device, measure string) (raw []string) {
	if f.Read == nil || text == "" {
		return nil
	}
	whole, ok := readAs(f, text, d, measure)
	if !ok || !whole.Known {
		return nil
	}
	lines := strings.SplitAfter(answer.Clean(text), "\n")
	for i, line := range lines {
		without := strings.Join(slices.Concat(lines[:i], lines[i+1:]), "")
		if value, ok := readAs(f, without, d, measure); ok && value != whole {
			raw = append(raw, strings.TrimSpace(line))
		}
	}
	return raw
}

// readAs returns a measure as a format reads it from a text alone.
func readAs(f answer.Format, text string, d *hsm.Device, measure string) (hsm.Opt[float64], bool) {
	fact, _, err := f.Parse(text)
	if err != nil {
		return hsm.Opt[float64]{}, false
	}
	at := time.Unix(0, 0)
	alone := new(hsm.Snapshot).With(hsm.Observation{Device: d.Name, Kind: d.Kind, Source: f.Name, At: at, MaxAge: time.Hour, Facts: []hsm.Fact{fact}})
	r, ok := glance.Read(alone.Device(d.Name), measure, rules.Thresholds{}, at)
	return r.Value, ok
}

// Raw prints answers, each after its source and age, without what could move the cursor.
func Raw(w io.Writer, list []hsm.Answer, now time.Time) {
	if len(list) == 0 {
		fmt.Fprintln(w, "The agent keeps no answer: none has come since it started, the source is not asked over SSH, LunaCM or REST,")
		fmt.Fprintln(w, "or others are newer (it keeps 16 MB of them). lunawatch capture asks anew.")
	}
	for i, a := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "--- %s, %s, %s ago ---\n", exporters.Plain(a.Source), a.At.In(now.Location()).Format(exporters.TimeLayout), glance.Ago(a.At, now))
		for line := range strings.Lines(strings.TrimRight(a.Text, "\r\n")) {
			fmt.Fprintln(w, exporters.Plain(strings.TrimRight(line, "\r\n")))
		}
		if a.Cut {
			fmt.Fprintln(w, "--- cut off here ---")
		}
	}
}
