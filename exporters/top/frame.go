package top

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
)

// The smallest terminal that frames are right on, in letters.
const (
	minWidth  = 60
	minHeight = 15
)

// around is how many lines of a frame are not the page's: what sums it up, the names of
// the pages, the notice and the keys.
const around = 4

// gutter is what a line of a page has at its left: the cursor, and whether it is old.
const gutter = 3

// View implements [tea.Model].
func (m Model) View() tea.View {
	v := tea.NewView(m.Frame())
	v.AltScreen, v.WindowTitle = true, "lunawatch top"
	return v
}

// Frame returns what is on the screen: as many lines as it has, none of them longer. Only
// the lines that are visible are made.
func (m Model) Frame() string {
	if m.width == 0 {
		return ""
	}
	if m.width < minWidth || m.height < minHeight {
		return m.fitted(fmt.Sprintf("%dx%d is too small; %dx%d is needed. q quits", m.width, m.height, minWidth, minHeight))
	}
	lines := make([]string, 0, m.height)
	lines = append(lines, m.summary(), m.tabs())
	lines = append(lines, m.body()...)
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	lines = append(lines, exporters.Plain(m.notice), m.foot())
	for i := range lines {
		lines[i] = m.fitted(lines[i])
	}
	return strings.Join(lines, "\n")
}

// fitted returns a line as the terminal takes it: not longer, and in its letters.
func (m Model) fitted(line string) string {
	if lipgloss.Width(line) > m.width {
		line = lipgloss.NewStyle().MaxWidth(m.width-1).Render(line) + "…"
	}
	if !m.plain {
		return line
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '…':
			return '~'
		case r > '~':
			return '?'
		}
		return r
	}, line)
}

// summary says what time it is and how the estate is; or that what follows is old, since
// when and why.
func (m Model) summary() string {
	clock := m.now.Format(exporters.TimeLayout)
	switch {
	case m.old() && m.heard.IsZero():
		return m.loud(exporters.Plain(fmt.Sprintf("%s: NOTHING IS KNOWN: %s", m.now.Format(time.TimeOnly), m.reason())))
	case m.old():
		return m.loud(exporters.Plain(fmt.Sprintf("%s: OLD, of %s (%s ago): %s", m.now.Format(time.TimeOnly), m.heard.In(m.now.Location()).Format(time.TimeOnly),
			m.now.Sub(m.heard).Round(time.Second), m.reason())))
	case m.heard.IsZero():
		return clock + ": the agent is asked"
	}
	return clock + ": " + m.estate.Summary()
}

// reason says why nothing newer is known.
func (m Model) reason() string {
	if m.why == "" {
		return "the agent does not answer"
	}
	return m.why
}

func (m Model) tabs() string {
	var parts []string
	for i, p := range pages {
		name := fmt.Sprintf(" %d %s ", i+1, p.name)
		if i == m.page {
			name = m.bold(fmt.Sprintf("[%d %s]", i+1, p.name))
		}
		parts = append(parts, name)
	}
	line := strings.Join(parts, "")
	if f := m.filter[m.page]; f != "" && m.over == nil {
		line += "  filter: " + exporters.Plain(f)
	}
	if m.over != nil {
		line += "  " + m.bold(exporters.Plain(m.over.title))
	}
	return line
}

// body returns the visible lines of the page.
func (m Model) body() []string {
	var lines []string
	for _, h := range m.sheet.head {
		lines = append(lines, strings.Repeat(" ", gutter)+m.bold(h))
	}
	at := m.at()
	for i := at.top; i < min(at.top+m.room(), m.sheet.n); i++ {
		lines = append(lines, m.gutter(i == at.index && m.sheet.entry != nil)+m.sheet.draw(i))
	}
	return lines
}

// room is how many lines of the page scroll.
func (m Model) room() int { return max(1, m.height-around-len(m.sheet.head)) }

func (m Model) gutter(chosen bool) string {
	cursor, age := " ", " "
	if chosen {
		cursor = m.bold(">")
	}
	if m.old() && !m.sheet.timeless {
		age = "o"
	}
	return cursor + age + " "
}

// foot is the question to the operator, or else where the page is and the keys.
func (m Model) foot() string {
	if m.prompt != nil {
		text := []rune(exporters.Plain(m.prompt.text))
		ask := exporters.Plain(m.prompt.ask)
		if over := lipgloss.Width(ask) + len(text) + 1 - m.width; over > 0 { // the end of what is typed is seen
			text = text[min(over, len(text)):]
		}
		return ask + string(text) + "_"
	}
	keys := "? keys  / filter  q quit"
	if m.over != nil {
		keys = "Esc back  / filter  q quit"
	}
	if m.sheet.n == 0 {
		return keys
	}
	at := m.at()
	last := min(at.top+m.room(), m.sheet.n)
	where := fmt.Sprintf("%d-%d of %d", at.top+1, last, m.sheet.n)
	if m.old() {
		where = "o: old   " + where
	}
	return keys + strings.Repeat(" ", max(2, m.width-lipgloss.Width(keys)-len(where))) + where
}

func (m Model) bold(s string) string { return m.styled(s, lipgloss.NewStyle().Bold(true)) }

func (m Model) loud(s string) string {
	return m.styled(s, lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red))
}

// coloured returns s in the colour of a severity, which s names beside.
func (m Model) coloured(s string, severity alarms.Severity) string {
	colour := lipgloss.Magenta
	switch {
	case severity >= alarms.Major:
		colour = lipgloss.Red
	case severity >= alarms.Warning:
		colour = lipgloss.Yellow
	}
	return m.styled(s, lipgloss.NewStyle().Foreground(colour))
}

func (m Model) styled(s string, style lipgloss.Style) string {
	if !m.colour {
		return s
	}
	return style.Render(s)
}
