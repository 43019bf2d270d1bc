package top

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// A binding is a row of the keys.
type binding struct {
	keys []string // as bubbletea names them
	name string   // as the help names them
	help string
	do   func(m Model, key string) (Model, tea.Cmd)
}

// bindings are all keys, in the order of the help.
func bindings() []binding {
	by := func(lines func(Model) int) func(Model, string) (Model, tea.Cmd) {
		return func(m Model, _ string) (Model, tea.Cmd) { return m.moved(m.at(), lines(m)), nil }
	}
	return []binding{
		{[]string{"up", "k"}, "Up, k", "a line up", by(func(Model) int { return -1 })},
		{[]string{"down", "j"}, "Down, j", "a line down", by(func(Model) int { return 1 })},
		{[]string{"pgup", "ctrl+b"}, "PgUp", "a page up", by(func(m Model) int { return -m.room() })},
		{[]string{"pgdown", "ctrl+f", "space"}, "PgDn, Space", "a page down", by(func(m Model) int { return m.room() })},
		{[]string{"home", "g"}, "Home, g", "the first line", by(func(m Model) int { return -m.sheet.n })},
		{[]string{"end", "G"}, "End, G", "the last line", by(func(m Model) int { return m.sheet.n })},
		{[]string{"enter"}, "Enter", "open: an HSM, or an alarm", open},
		{[]string{"esc", "backspace"}, "Esc", "back; on a list: end its filter", back},
		{[]string{"1", "2", "3", "4", "5"}, "1 to 5", "estate, HSM, HA, alarms, sources", func(m Model, key string) (Model, tea.Cmd) { return m.turned(int(key[0] - '1')), nil }},
		{[]string{"tab"}, "Tab", "the next of these", func(m Model, _ string) (Model, tea.Cmd) { return m.turned((m.page + 1) % len(pages)), nil }},
		{[]string{"shift+tab"}, "Shift-Tab", "the one before", func(m Model, _ string) (Model, tea.Cmd) { return m.turned((m.page + len(pages) - 1) % len(pages)), nil }},
		{[]string{"/"}, "/", "filter: only lines with a text; Esc ends it", filter},
		{[]string{"a"}, "a", "acknowledge the alarm, with a comment", acknowledge},
		{[]string{"s"}, "s", "silence such alarms, after a preview of which", silence},
		{[]string{"e"}, "e", "explain the alarm: what it means, what to do", explain},
		{[]string{"r"}, "r", "raw: what the HSM, or this source of it, last answered", raw},
		{[]string{"?"}, "?", "these keys", help},
		{[]string{"q", "ctrl+c"}, "q, Ctrl-C", "quit", func(m Model, _ string) (Model, tea.Cmd) { return m, tea.Quit }},
	}
}

// key returns the state after a key.
func (m Model) key(k tea.KeyPressMsg) (Model, tea.Cmd) {
	name := k.String()
	if name == "ctrl+c" {
		return m, tea.Quit
	}
	if m.prompt != nil {
		return m.answeredKey(k)
	}
	m.notice = ""
	for _, b := range bindings() {
		if slices.Contains(b.keys, name) {
			return b.do(m, name)
		}
	}
	m.notice = fmt.Sprintf("%s does nothing; ? shows the keys", name)
	return m, nil
}

// turned returns m at another page.
func (m Model) turned(page int) Model {
	if page == hsmPage && m.page != hsmPage {
		m.before = m.page
		if e, ok := m.current(); ok && e.device != "" {
			m.device = e.device
		}
	}
	m.page, m.over = page, nil
	return m
}

func open(m Model, _ string) (Model, tea.Cmd) {
	e, ok := m.current()
	switch {
	case !ok || m.over != nil || m.page == hsmPage:
		return m, nil
	case m.page == alarmsPage:
		return m.showAlarm(e), nil
	}
	return m.turned(hsmPage), nil
}

func back(m Model, _ string) (Model, tea.Cmd) {
	switch {
	case m.over != nil:
		m.over = m.over.under
	case m.filter[m.page] != "":
		m.filter[m.page] = ""
	case m.page == hsmPage:
		m.page = m.before
	}
	return m, nil
}

func help(m Model, _ string) (Model, tea.Cmd) {
	var lines []string
	for _, b := range bindings() {
		lines = append(lines, fmt.Sprintf("%-12s %s", b.name, b.help))
	}
	lines = append(lines, "", "? is a value that is not known, - one that there cannot be. o at the left:",
		"the line is old, since the agent does not answer. No colour says more than",
		"the words do.")
	return m.covered(overlay{title: "Keys", lines: lines, timeless: true}), nil
}

func filter(m Model, _ string) (Model, tea.Cmd) {
	page, was := m.page, m.filter[m.page]
	m.prompt = &prompt{ask: "/", text: was,
		change: func(m Model, text string) Model { m.filter[page] = strings.TrimSpace(text); return m },
		cancel: func(m Model) Model { m.filter[page] = ""; return m },
	}
	return m, nil
}
