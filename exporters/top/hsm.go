package top

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// shown returns the name of the device that the HSM page shows.
func (m Model) shown() string {
	switch {
	case m.device != "":
		return m.device
	case m.places[estatePage].key != "":
		return m.places[estatePage].key
	case len(m.estate.Rows) > 0:
		return m.estate.Rows[0].Name
	}
	return ""
}

// hsmSheet is one device: what is wrong with it, its values over time, and its parts.
func hsmSheet(m Model) sheet {
	name := m.shown()
	i := slices.IndexFunc(m.estate.Rows, func(r glance.Row) bool { return r.Name == name })
	if i < 0 {
		return textSheet([]string{exporters.Plain(name) + " is not watched, and has no alarm."})
	}
	r := m.estate.Rows[i]
	lines := append(m.wrapped([]string{exporters.Plain(title(r))}), m.stateOf(r)...)
	lines = append(lines, m.alarmsOf(name)...)
	if d := m.known.Snapshot.Device(name); d != nil {
		if d.Kind != hsm.HostMachine {
			lines = append(lines, "")
			lines = append(lines, m.charts(d)...)
		}
		lines = append(lines, m.sections(d)...)
		if d.Kind != hsm.HostMachine {
			lines = append(lines, "", m.bold("Partitions"))
			lines = append(lines, linesOf(func(w io.Writer) { exporters.PartitionsText(w, d, m.now) })...)
			if len(d.Probes) > 0 {
				lines = append(lines, "", m.bold("Probes"))
				lines = append(lines, linesOf(func(w io.Writer) { exporters.ProbesText(w, d.Probes, m.now) })...)
			}
		}
		lines = append(lines, m.sources(d)...)
	}
	return textSheet(m.filtered(lines))
}

func title(r glance.Row) string {
	parts := []string{r.Name}
	for _, p := range []struct {
		what  string
		value hsm.Opt[string]
	}{{"serial number", r.Serial}, {"model", r.Model}, {"firmware", r.Firmware}, {"status", r.Status}} {
		if p.value.Known {
			parts = append(parts, p.what+" "+p.value.Value)
		} else if r.Kind == hsm.NetworkHSM || r.Kind == hsm.CardHSM {
			parts = append(parts, p.what+" ?")
		}
	}
	return strings.Join(parts, ", ")
}

// severities are those in whose colour a state is.
var severities = [...]alarms.Severity{glance.Warning: alarms.Warning, glance.Critical: alarms.Critical, glance.Unknown: alarms.Indeterminate}

// stateOf says how a device is, and why.
func (m Model) stateOf(r glance.Row) []string {
	text := fmt.Sprintf("%s, newest value %s", r.State, glance.Ago(r.Newest, m.now))
	if !r.Proven.IsZero() {
		text += ", worked for a client " + glance.Ago(r.Proven, m.now) + " ago"
	}
	if r.Reason != "" {
		text += ": " + r.Reason
	}
	lines := m.wrapped([]string{exporters.Plain(text)})
	for i := range lines {
		if r.State != glance.OK {
			lines[i] = m.coloured(lines[i], severities[r.State])
		}
	}
	return lines
}

// alarmsOf returns a line for each alarm of a device.
func (m Model) alarmsOf(name string) (lines []string) {
	for _, a := range m.known.Active {
		if a.Device == name {
			lines = append(lines, fmt.Sprintf("  %d %s %s", a.Number, m.coloured(a.Severity.String(), a.Severity), exporters.Plain(strings.TrimPrefix(a.Key.String(), name+"/")+": "+marked(a))))
		}
	}
	return lines
}

// charts are the measures that are drawn, beside each other, over the time that top has run.
func (m Model) charts(d *hsm.Device) []string {
	const apart = 2
	width := (m.width-gutter-1)/len(drawn) - apart
	height := max(3, m.room()/5)
	points := m.values[d.Name]
	var columns []string
	for i, x := range drawn {
		r, _ := glance.Read(d, x.name, rules.Thresholds{}, m.now)
		var list []plot.Point
		if points != nil {
			list = points[i]
		}
		from := m.begun
		if !m.now.After(from) {
			from = m.now.Add(-time.Second)
		}
		lines := append([]string{x.title + ": " + r.Text()}, r.Chart(list, from, m.now).Lines(width, height, m.plain)...)
		columns = append(columns, lipgloss.NewStyle().Width(width+apart).Render(strings.Join(lines, "\n")))
	}
	return strings.Split(lipgloss.JoinHorizontal(lipgloss.Top, columns...), "\n")
}

// sections returns a line for each section that was read, and from where and when.
func (m Model) sections(d *hsm.Device) []string {
	lines := []string{"", m.bold("Sections")}
	ages := d.Ages(m.now)
	if len(ages) == 0 {
		return append(lines, "  none was ever read")
	}
	for _, name := range slices.Sorted(maps.Keys(ages)) {
		a := ages[name]
		state := "fresh"
		if a.Stale {
			state = m.coloured("STALE", alarms.Warning)
		}
		lines = append(lines, fmt.Sprintf("  %-12s %s  %s ago, valid for %s, by %s", name, state, passed(a.Since), passed(a.MaxAge), exporters.Plain(a.Source)))
	}
	return lines
}

// sources returns a line for each source of a device, with its error in full.
func (m Model) sources(d *hsm.Device) []string {
	lines := []string{"", m.bold("Sources")}
	names := 0
	for name := range d.Sources {
		names = max(names, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
		s := sourceLine{d.Name, name, d.Sources[name]}
		lines = append(lines, fmt.Sprintf("  %s %s  %s", m.stateText(s), padded(name, names), glance.Ago(s.source.Success, m.now)))
		if s.source.Error != "" {
			lines = append(lines, m.wrapped([]string{"    " + exporters.Plain(s.source.Error)})...)
		}
	}
	return lines
}
