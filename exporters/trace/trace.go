// Package trace says what way one value of an HSM takes: from its source to those who show
// and judge it, each with what it has now.
package trace

import (
	"fmt"
	"io"
	"maps"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/mib"
	"github.com/lunawatch/lunawatch/mib/modules"
)

// Known is what a running agent knows at a time.
type Known struct {
	Snapshot   *hsm.Snapshot
	Thresholds rules.Thresholds
	Active     []alarms.Active
	Served     map[string]string // in SNMP, by OID without a leading point
	Said       []hsm.Answer      // of each source of the device, the newest
	At         time.Time
}

// Text prints the way of a measure of d, one step a line. The measure is one of
// [glance.ReadMeasures].
func Text(w io.Writer, k Known, d *hsm.Device, measure string) error {
	r, _ := glance.Read(d, measure, k.Thresholds, k.At)
	rows := append([][2]string{{d.Name + "." + r.Name, r.Text()}, {"what", r.What}}, origin(k, d, r)...)
	rows = append(rows, inSNMP(d, r, k.Served)...)
	rows = append(rows, inMetrics(d, r, k.At)...)
	rows = append(rows, thresholds(r)...)
	rows = append(rows, judged(r.Rules(k.Snapshot, d, k.Active, k.Thresholds, k.At))...)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(tw, "%s\t%s\n", row[0], exporters.Plain(row[1]))
	}
	return tw.Flush()
}

// origin says from where a value comes, and how old it is.
func origin(k Known, d *hsm.Device, r glance.Reading) [][2]string {
	now := k.At
	if r.At.IsZero() {
		return [][2]string{{"section", r.Section + ", never read"}}
	}
	state := "fresh"
	if now.Sub(r.At) > r.MaxAge {
		state = "STALE: it counts as unknown everywhere"
	}
	rows := [][2]string{{"source", r.Source}}
	format, known := formatOf(r.Source)
	if known {
		rows = append(rows, [2]string{"parser", fmt.Sprintf("%s (lunawatch parse %s reads a captured answer)", format.Name, format.Name)})
	}
	for _, a := range k.Said {
		if a.Source == r.Source {
			for _, line := range rawLines(format, a.Text, d, r.Name) {
				rows = append(rows, [2]string{"raw line", line})
			}
		}
	}
	rows = append(rows,
		[2]string{"raw answer", fmt.Sprintf("lunawatch trace -raw %s.%s", d.Name, r.Name)},
		[2]string{"section", r.Section},
		[2]string{"read", fmt.Sprintf("%s, %s ago", r.At.In(now.Location()).Format(exporters.TimeLayout), glance.Ago(r.At, now))},
		[2]string{"maximum age", fmt.Sprintf("%s: %s", r.MaxAge.Round(time.Second), state)})
	if s := d.Sources[r.Source]; s.Failure != hsm.None {
		rows = append(rows, [2]string{"last attempt", fmt.Sprintf("%s: %s", s.Failure, s.Error)})
	}
	return rows
}

// inSNMP says which instances have a value, or what it is made of.
func inSNMP(d *hsm.Device, r glance.Reading, served map[string]string) (rows [][2]string) {
	if len(r.Objects) == 0 {
		return [][2]string{{"SNMP", "no object of its own; lunaAlarmValue of its alarms"}}
	}
	if d.Serial() == "" {
		return [][2]string{{"SNMP", strings.Join(r.Objects, ", ") + ": no row, the serial number is not known"}}
	}
	objects := maps.Collect(modules.Tables().Objects())
	for _, name := range r.Objects {
		oid := objects[name].Append(mib.HSMIndex(d.Serial())...).String()
		value, ok := served[oid]
		if !ok {
			value = "noSuchInstance"
		}
		rows = append(rows, [2]string{"SNMP", fmt.Sprintf("%s .%s = %s", name, oid, value)})
	}
	return rows
}

func inMetrics(d *hsm.Device, r glance.Reading, now time.Time) (rows [][2]string) {
	for _, name := range r.Metrics {
		lines := exporters.MetricsOf(d, now, name)
		if len(lines) == 0 {
			lines = []string{name + ": no series"}
		}
		for _, line := range lines {
			rows = append(rows, [2]string{"metric", line})
		}
	}
	return rows
}

// conditions are those of findings, in words.
var conditions = map[alarms.Condition]string{alarms.Bad: "bad", alarms.Good: "good"}

func thresholds(r glance.Reading) (rows [][2]string) {
	for _, x := range []struct {
		severity string
		outside  glance.Range
	}{{"warning", r.Warning}, {"critical", r.Critical}} {
		if x.outside.Set {
			rows = append(rows, [2]string{"threshold", fmt.Sprintf("%s outside %s", x.severity, x.outside)})
		}
	}
	return rows
}

// judged says what each rule that reads a value says of it now, and which of its alarms are
// active.
func judged(list []glance.Rule) (rows [][2]string) {
	for _, r := range list {
		name := "rule " + r.Name
		for _, f := range r.Findings {
			rows = append(rows, [2]string{name, conditions[f.Condition] + ": " + f.Text})
		}
		switch {
		case len(r.Findings) > 0:
		case strings.HasPrefix(r.Name, "forecast/"):
			rows = append(rows, [2]string{name, "judges the trend of the samples that the agent stores"})
		default:
			rows = append(rows, [2]string{name, "says nothing: the value is not known, or between the limits at which it raises and clears"})
		}
		for _, a := range r.Active {
			rows = append(rows, [2]string{"alarm", fmt.Sprintf("%d %s %s: %s", a.Number, a.Severity, a.Key, a.Text)})
		}
	}
	return rows
}
