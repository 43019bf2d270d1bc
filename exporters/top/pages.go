package top

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

// A sheet is what a page holds: lines that stay, and n lines that scroll.
type sheet struct {
	head     []string
	n        int
	draw     func(i int) string // made of what is visible only
	entry    func(i int) entry  // nil: the lines are a text, and there is no cursor
	timeless bool               // it is never old
}

// An entry is what a line is about.
type entry struct {
	key    string // by which the cursor finds it again when lines have moved
	device string
	alarm  uint64 // the number of its worst alarm; 0: it has none
	source string // of the device; "": it is about all of them
}

// A place is where the cursor of a page is.
type place struct {
	key        string // of the entry under it
	index, top int    // of the entry, and of the first visible line
}

const (
	estatePage = iota
	hsmPage
	haPage
	alarmsPage
	sourcesPage
)

// pages are all there are, by their number.
var pages = [...]struct {
	name  string
	sheet func(Model) sheet
}{
	estatePage:  {"Estate", estateSheet},
	hsmPage:     {"HSM", hsmSheet},
	haPage:      {"HA", haSheet},
	alarmsPage:  {"Alarms", alarmsSheet},
	sourcesPage: {"Sources", sourcesSheet},
}

// laidOut returns m with its sheet made, and the cursor where it was.
func (m Model) laidOut() Model {
	switch {
	case m.width == 0:
		return m
	case m.over != nil:
		m.sheet = textSheet(m.filtered(m.over.lines))
		m.sheet.timeless = m.over.timeless
	case m.known.Snapshot == nil:
		m.sheet = textSheet(nil)
	default:
		m.sheet = pages[m.page].sheet(m)
	}
	at := m.at()
	if m.sheet.entry != nil && at.key != "" && (at.index >= m.sheet.n || m.sheet.entry(at.index).key != at.key) {
		for i := range m.sheet.n {
			if m.sheet.entry(i).key == at.key {
				at.index = i
				break
			}
		}
	}
	return m.moved(at, 0)
}

// at returns where the cursor is.
func (m Model) at() place {
	if m.over != nil {
		return m.over.at
	}
	return m.places[m.page]
}

// moved returns m with the cursor so many lines further, which is visible then. A text
// has no cursor, and scrolls.
func (m Model) moved(at place, lines int) Model {
	room := m.room()
	if m.sheet.entry == nil {
		at.top = max(0, min(at.top+lines, m.sheet.n-room))
	} else {
		at.index = max(0, min(at.index+lines, m.sheet.n-1))
		at.top = max(0, min(at.top, at.index, m.sheet.n-room), at.index-room+1)
		if at.key = ""; m.sheet.n > 0 {
			at.key = m.sheet.entry(at.index).key
		}
	}
	if m.over != nil {
		over := *m.over
		over.at = at
		m.over = &over
	} else {
		m.places[m.page] = at
	}
	return m
}

// current returns what the cursor is on; false: nothing.
func (m Model) current() (entry, bool) {
	switch {
	case m.over != nil:
		return m.over.about, m.over.about.key != ""
	case m.sheet.entry != nil && m.sheet.n > 0:
		return m.sheet.entry(m.at().index), true
	case m.page == hsmPage:
		return m.entryOf(m.shown()), true
	}
	return entry{}, false
}

// entryOf returns the entry of a device.
func (m Model) entryOf(device string) entry {
	for _, r := range m.estate.Rows {
		if r.Name == device {
			return entry{key: r.Name, device: r.Name, alarm: r.Alarm}
		}
	}
	return entry{key: device, device: device}
}

// about returns the entry of an alarm.
func about(a alarms.Active) entry {
	return entry{key: a.Key.String(), device: a.Device, alarm: a.Number}
}

// has reports whether one of texts has the filter of the page in it.
func (m Model) has(texts ...string) bool {
	f := strings.ToLower(m.filter[m.page])
	return f == "" || slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), f) })
}

func (m Model) filtered(lines []string) []string {
	if m.filter[m.page] == "" {
		return lines
	}
	return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return !m.has(s) })
}

// textSheet is a text that scrolls.
func textSheet(lines []string) sheet {
	return sheet{n: len(lines), draw: func(i int) string { return lines[i] }}
}

// linesOf returns what is written as lines, without what could move the cursor.
func linesOf(write func(io.Writer)) []string {
	var b bytes.Buffer
	write(&b)
	lines := strings.Split(strings.Trim(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = exporters.Plain(lines[i])
	}
	return lines
}

func estateSheet(m Model) sheet {
	rows := slices.DeleteFunc(slices.Clone(m.estate.Rows), func(r glance.Row) bool {
		return !m.has(r.Name, r.Serial.Value, r.Model.Value, r.Firmware.Value, r.State.String(), r.Severity.String(), r.Reason)
	})
	table := glance.NewTable(rows, m.now, glance.Look{Width: m.width - gutter, Colour: m.colour})
	return sheet{
		head:  []string{table.Heading()},
		n:     len(rows),
		draw:  func(i int) string { return table.Line(rows[i], m.now) },
		entry: func(i int) entry { return entry{key: rows[i].Name, device: rows[i].Name, alarm: rows[i].Alarm} },
	}
}

func haSheet(m Model) sheet {
	var lines []string
	for _, d := range m.known.Snapshot.Devices {
		if !d.HA.IsZero() {
			lines = append(lines, linesOf(func(w io.Writer) { exporters.HAText(w, d, m.now) })...)
			lines = append(lines, "")
		}
	}
	if lines == nil {
		lines = []string{"No HA group is known: the agent reads no configuration of a client (ha in its configuration)."}
	}
	return textSheet(m.filtered(lines))
}

func alarmsSheet(m Model) sheet {
	list := slices.DeleteFunc(slices.Clone(m.known.Active), func(a alarms.Active) bool {
		return !m.has(a.Key.String(), a.Severity.String(), a.Text, a.Serial)
	})
	if len(list) == 0 && m.filter[m.page] == "" {
		return textSheet([]string{"No alarm is active."})
	}
	keys := 0 // letters of the longest
	for _, a := range list {
		keys = max(keys, len([]rune(a.Key.String())))
	}
	keys = min(keys, m.width/3)
	return sheet{
		head: []string{fmt.Sprintf("%-7s %-13s %-10s %-*s %s", "NUMBER", "SEVERITY", "SINCE", keys, "ALARM", "TEXT")},
		n:    len(list),
		draw: func(i int) string {
			a := list[i]
			key := cut(exporters.Plain(a.Key.String()), keys)
			return fmt.Sprintf("%-7d %s %-10s %s%s %s", a.Number, m.coloured(fmt.Sprintf("%-13s", a.Severity), a.Severity), glance.Short(a.Since(), m.now),
				key, strings.Repeat(" ", max(0, keys-len([]rune(key)))), exporters.Plain(marked(a)))
		},
		entry: func(i int) entry { return about(list[i]) },
	}
}

// marked returns the text of an alarm, and before it whether somebody looks after it, and
// whether nobody is notified of it.
func marked(a alarms.Active) string {
	text := a.Text
	if a.Silence != nil {
		text = "(silenced) " + text
	}
	if a.Ack != nil {
		text = "(acknowledged) " + text
	}
	return text
}

// A sourceLine is a source of a device.
type sourceLine struct {
	device, name string
	source       hsm.Source
}

// state says in a word how a source is.
func (s sourceLine) state() string {
	switch {
	case s.source.Failure != hsm.None:
		return string(s.source.Failure)
	case s.source.Success.IsZero():
		return "unknown"
	}
	return "ok"
}

func sourcesSheet(m Model) sheet {
	var list []sourceLine
	for _, d := range m.known.Snapshot.Devices {
		for _, name := range slices.Sorted(maps.Keys(d.Sources)) {
			if s := (sourceLine{d.Name, name, d.Sources[name]}); m.has(d.Name, name, s.state(), s.source.Error) {
				list = append(list, s)
			}
		}
	}
	well := func(s sourceLine) int {
		if s.source.Failure == hsm.None {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b sourceLine) int { return cmp.Compare(well(a), well(b)) }) // those that fail first
	devices, names := len("DEVICE"), len("SOURCE")
	for _, s := range list {
		devices, names = max(devices, len(s.device)), max(names, len(s.name))
	}
	devices, names = min(devices, m.width/4), min(names, m.width/3)
	return sheet{
		head: []string{fmt.Sprintf("%-12s %-*s %-*s %-7s %s", "STATE", devices, "DEVICE", names, "SOURCE", "SUCCESS", "ERROR")},
		n:    len(list),
		draw: func(i int) string {
			s := list[i]
			return fmt.Sprintf("%s %s %s %-7s %s", m.stateText(s), padded(s.device, devices), padded(s.name, names), glance.Ago(s.source.Success, m.now), exporters.Plain(s.source.Error))
		},
		entry: func(i int) entry {
			return entry{list[i].device + "/" + list[i].name, list[i].device, m.entryOf(list[i].device).alarm, list[i].name}
		},
	}
}

// stateText is the state of a source, in its colour.
func (m Model) stateText(s sourceLine) string {
	state := fmt.Sprintf("%-12s", s.state())
	if s.source.Failure != hsm.None {
		return m.coloured(state, alarms.Major)
	}
	return state
}

// cut shortens s to so many letters.
func cut(s string, letters int) string {
	if r := []rune(s); len(r) > letters {
		return string(r[:max(0, letters-1)]) + "…"
	}
	return s
}

// padded returns s, of an HSM or a configuration, in so many letters.
func padded(s string, letters int) string {
	s = cut(exporters.Plain(s), letters)
	return s + strings.Repeat(" ", letters-len([]rune(s)))
}

// passed is a duration in whole seconds.
func passed(d time.Duration) string { return d.Round(time.Second).String() }
