package top

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/exporters/trace"
)

// An overlay is a text over a page, until Esc.
type overlay struct {
	title    string
	lines    []string
	at       place
	about    entry    // what it is about; without a key: nothing that keys act on
	timeless bool     // it is never old
	under    *overlay // which it covers; nil: the page
}

// covered returns m with a text over what it shows.
func (m Model) covered(o overlay) Model {
	o.under = m.over
	m.over = &o
	return m
}

// A prompt is a question to the operator, in the last line.
type prompt struct {
	ask, text string
	change    func(Model, string) Model            // at every letter; nil: nothing
	done      func(Model, string) (Model, tea.Cmd) // at Enter; nil: nothing
	cancel    func(Model) Model                    // at Esc; nil: nothing
}

// longestAnswer is how many letters an answer to a prompt can have.
const longestAnswer = 200

// answeredKey returns the state after a key that answers the prompt.
func (m Model) answeredKey(k tea.KeyPressMsg) (Model, tea.Cmd) {
	p := *m.prompt
	switch k.String() {
	case "enter":
		m.prompt, m.notice = nil, ""
		if p.done != nil {
			return p.done(m, strings.TrimSpace(p.text))
		}
		return m, nil
	case "esc":
		m.prompt, m.notice = nil, ""
		if p.cancel != nil {
			return p.cancel(m), nil
		}
		return m, nil
	case "backspace":
		if r := []rune(p.text); len(r) > 0 {
			return m.answering(string(r[:len(r)-1])), nil
		}
		return m, nil
	case "ctrl+u":
		return m.answering(""), nil
	}
	return m.typed(k.Text), nil
}

// typed returns m with letters at the end of the answer.
func (m Model) typed(text string) Model {
	return m.answering(m.prompt.text + exporters.Plain(text))
}

func (m Model) answering(text string) Model {
	if r := []rune(text); len(r) > longestAnswer {
		text = string(r[:longestAnswer])
	}
	p := *m.prompt
	p.text = text
	m.prompt = &p
	if p.change != nil {
		return p.change(m, text)
	}
	return m
}

// target returns the alarm under the cursor; false, with a notice: there is none.
func (m Model) target() (Model, alarms.Active, bool) {
	if e, ok := m.current(); ok {
		for _, a := range m.known.Active {
			if a.Number == e.alarm {
				return m, a, true
			}
		}
	}
	m.notice = "there is no alarm here"
	return m, alarms.Active{}, false
}

// asked is the beginning of a prompt about an alarm, which leaves room for the answer.
func (m Model) asked(what string, k alarms.Key) string {
	return what + " " + cut(exporters.Plain(k.String()), m.width/2) + ": "
}

func acknowledge(m Model, _ string) (Model, tea.Cmd) {
	m, a, ok := m.target()
	if !ok {
		return m, nil
	}
	m.notice = "Comment, for the next shift:"
	m.prompt = &prompt{ask: m.asked("Acknowledge", a.Key), done: func(m Model, comment string) (Model, tea.Cmd) {
		if comment == "" {
			m.notice = "NOT DONE: a comment is needed: the next shift reads it"
			return m, nil
		}
		return m, func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), longest)
			defer cancel()
			return acted{fmt.Sprintf("acknowledged %s", a.Key), m.agent.Acknowledge(ctx, fmt.Sprint(a.Number), comment)}
		}
	}}
	return m, nil
}

func explain(m Model, _ string) (Model, tea.Cmd) {
	m, a, ok := m.target()
	if !ok {
		return m, nil
	}
	lines := linesOf(func(w io.Writer) {
		if err := exporters.Explain(w, a.Group); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	return m.covered(overlay{title: "Explain " + a.Key.String(), lines: m.wrapped(lines), about: about(a), timeless: true}), nil
}

// showAlarm returns m with everything about an alarm.
func (m Model) showAlarm(e entry) Model {
	i := slices.IndexFunc(m.known.Active, func(a alarms.Active) bool { return a.Number == e.alarm })
	if i < 0 {
		return m
	}
	lines := linesOf(func(w io.Writer) { exporters.AlarmText(w, m.known.Active[i], m.now) })
	return m.covered(overlay{title: fmt.Sprintf("Alarm %d, at %s", e.alarm, m.now.Format(time.TimeOnly)), lines: m.wrapped(lines), about: e})
}

// raw asks for the newest answer of the source under the cursor as it came, or of all
// sources of the HSM.
func raw(m Model, _ string) (Model, tea.Cmd) {
	e, ok := m.current()
	if !ok || e.device == "" {
		m.notice = "there is no HSM here"
		return m, nil
	}
	return m, func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), longest)
		defer cancel()
		list, err := m.agent.Answers(ctx, e.device, e.source)
		return said{e, list, err}
	}
}

// shownRaw returns m with what sources said over its page.
func (m Model) shownRaw(s said) Model {
	if s.err != nil {
		m.notice = "NOT DONE: " + s.err.Error()
		return m
	}
	title := "As " + s.of.device + " answered"
	if s.of.source != "" {
		title += " " + s.of.source
	}
	lines := linesOf(func(w io.Writer) { trace.Raw(w, s.answers, m.now) })
	return m.covered(overlay{title: title, lines: m.wrapped(lines), about: s.of})
}

// wrapped returns lines with what is longer than the screen in further ones.
func (m Model) wrapped(lines []string) (all []string) {
	width := max(minWidth, m.width) - gutter
	for _, line := range lines {
		r := []rune(line)
		for len(r) > width {
			at := width
			for i := width; i > width/2; i-- {
				if r[i] == ' ' {
					at = i
					break
				}
			}
			all = append(all, string(r[:at]))
			r = append([]rune("    "), []rune(strings.TrimLeft(string(r[at:]), " "))...)
		}
		all = append(all, string(r))
	}
	return all
}

// silence asks for how long and why, shows what that would silence, and does it after y.
func silence(m Model, _ string) (Model, tea.Cmd) {
	m, a, ok := m.target()
	if !ok {
		return m, nil
	}
	m.notice = "For how long and why, such as: 2h new fan on its way"
	m.prompt = &prompt{ask: m.asked("Silence", a.Key), done: func(m Model, text string) (Model, tea.Cmd) {
		length, reason, _ := strings.Cut(text, " ")
		d, err := m.agent.Duration(length)
		switch {
		case err != nil:
			m.notice = fmt.Sprintf("NOT DONE: %q: %v", length, err)
		case d <= 0 || d > alarms.LongSilence:
			m.notice = fmt.Sprintf("NOT DONE: %s is not up to %s; lunawatch alarms silence makes longer ones", length, alarms.LongSilence)
		case strings.TrimSpace(reason) == "":
			m.notice = "NOT DONE: a reason is needed: the next shift reads it"
		default:
			return m.preview(silenceOf(a, m.now, d, strings.TrimSpace(reason)), a), nil
		}
		return m, nil
	}}
	return m, nil
}

// silenceOf returns a silence of an alarm and of those like it: of its group, on its object.
func silenceOf(a alarms.Active, now time.Time, d time.Duration, reason string) alarms.Silence {
	s := alarms.Silence{Reason: reason, From: now, Until: now.Add(d), Match: alarms.Match{HSMs: []string{literal(a.Device)}, Groups: []string{a.Group}}}
	if a.Object != "" {
		s.Match.Objects = []string{literal(a.Object)}
	}
	return s
}

// literal returns a pattern that matches s only.
func literal(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

// preview shows what a silence would silence, and asks whether it is to be.
func (m Model) preview(s alarms.Silence, of alarms.Active) Model {
	lines := []string{
		fmt.Sprintf("Until %s: %s", s.Until.Format(exporters.TimeLayout), s.Reason),
		fmt.Sprintf("of %s, alarm %s, %s", strings.Join(s.Match.HSMs, ""), of.Group, object(of.Object)),
		"", "Nobody would be notified of these, and of such that come until then. They stay active:", "",
	}
	for _, a := range m.known.Active {
		if alarms.SilencedBy([]alarms.Silence{s}, a.Alarm, s.From) != nil {
			lines = append(lines, fmt.Sprintf("  %d %s %s: %s", a.Number, a.Severity, a.Key, marked(a)))
		}
	}
	for i := range lines {
		lines[i] = exporters.Plain(lines[i])
	}
	m = m.covered(overlay{title: "Silence?", lines: m.wrapped(lines), about: about(of)})
	closed := func(m Model) Model {
		if m.over != nil {
			m.over = m.over.under
		}
		m.notice = "not silenced"
		return m
	}
	m.prompt = &prompt{ask: "Silence these? y and Enter: ", cancel: closed, done: func(m Model, answer string) (Model, tea.Cmd) {
		m = closed(m)
		if answer != "y" {
			return m, nil
		}
		m.notice = ""
		return m, func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), longest)
			defer cancel()
			added, err := m.agent.Silence(ctx, s)
			return acted{fmt.Sprintf("silence %d, until %s", added.ID, added.Until.In(s.Until.Location()).Format(exporters.TimeLayout)), err}
		}
	}}
	return m
}

// object says which objects of an HSM are meant.
func object(name string) string {
	if name == "" {
		return "any object"
	}
	return "object " + name
}
