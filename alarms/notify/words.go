package notify

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lunawatch/lunawatch/alarms"
)

// Words are what notifications say of a site: where people find more.
type Words struct {
	ExternalURL string // of the status page; "": no link
	RunbookURL  string // with {group}, or what comes before the group's name; "": the agent's own page, below ExternalURL
}

// Message returns n in words.
func (w Words) Message(n alarms.Notification) Message {
	a := n.Change.Alarm
	m := Message{Notification: n, Version: 1, Test: a.Test, Link: w.link(n)}
	switch {
	case n.IsHeartbeat():
		m.Title, m.Summary = "Lunawatch", heartbeatTitles[n.Change.Kind]
		return m
	case n.Change.Kind == alarms.Batch:
		return m.ofBatch(w)
	}
	group := alarms.GroupNamed(a.Group)
	m.Title, m.Action, m.EventID, m.Since = group.Title, alarms.Advice(a), group.Number, a.Since()
	m.Layer = string(a.DeadLayer())
	if a.Severity == alarms.None { // its level does not show the group
		m.Title, m.Action = alarms.CategoryOf(group.Trap).Category, "Ask the agent: lunawatch alarms list."
	}
	m.Runbook = w.runbook(a.Group)
	if m.isOver() {
		m.EndedBy = Flat(a.LastEvidence().Text)
	} else if a.Number != 0 && a.Ack == nil && !m.Test {
		m.Acknowledge = fmt.Sprintf(`lunawatch alarms ack %d -comment "..."`, a.Number)
	}
	m.Summary = m.summary()
	return m
}

// link returns where the status page shows the alarm of n, if it does, or the
// page.
func (w Words) link(n alarms.Notification) string {
	if w.ExternalURL == "" {
		return ""
	}
	page := w.page()
	if a := n.Change.Alarm; a.Number != 0 && a.Cleared.IsZero() {
		return page + alarms.Anchor(a.Number)
	}
	return page
}

// page returns where people reach the agent, with a slash at the end.
func (w Words) page() string { return strings.TrimSuffix(w.ExternalURL, "/") + "/" }

// runbook returns where people find what to do about alarms of a group: the site's page,
// or else the agent's own.
func (w Words) runbook(group string) string {
	switch {
	case w.RunbookURL == "" && w.ExternalURL == "":
		return ""
	case w.RunbookURL == "":
		return w.page() + "runbooks/" + group
	case strings.Contains(w.RunbookURL, "{group}"):
		return strings.ReplaceAll(w.RunbookURL, "{group}", group)
	}
	return w.RunbookURL + group
}

// isOver reports whether the alarm of m has cleared.
func (m Message) isOver() bool {
	return m.Change.Kind == alarms.Cleared || m.Change.Kind == alarms.RaisedAndCleared
}

// state is what m begins with: the severity of what is active, or that somebody
// cares, or that it has cleared.
func (m Message) state() string {
	severity := "ALARM"
	if s := m.Change.Alarm.Severity; s != alarms.None {
		severity = strings.ToUpper(s.String())
	}
	switch m.Change.Kind {
	case alarms.Cleared:
		return "CLEARED"
	case alarms.Acknowledged:
		return "ACKNOWLEDGED"
	case alarms.RaisedAndCleared:
		return severity + ", CLEARED"
	default:
		return severity
	}
}

// headline names the alarm of m in few words: CRITICAL luna-a: HSM zeroized.
func (m Message) headline() string {
	return m.state() + " " + m.Subject()
}

// Subject names what m is about: luna-a: HSM zeroized.
func (m Message) Subject() string {
	a := m.Change.Alarm
	s := a.Device + ": " + m.Title
	if a.Object != "" {
		s += ", " + a.Object
	}
	return Flat(s)
}

// summary is the headline, and what a phone shows less well.
func (m Message) summary() string {
	a := m.Change.Alarm
	s := m.headline()
	switch m.Change.Kind {
	case alarms.Cleared:
		s = joined(s, m.Ending())
	case alarms.RaisedAndCleared:
		s = joined(s, span(a.Since(), a.Cleared), m.Ending())
	case alarms.Acknowledged:
		s = joined(s, m.acknowledged("by "))
	default:
		detail := detail(m.Title, a.Text)
		if detail != "" && strings.Contains(detail, a.Object) || a.IsTest() {
			s = strings.TrimSuffix(s, ", "+a.Object)
		}
		s += m.course()
		if detail != "" {
			s += ": " + detail
		}
	}
	if m.Test {
		s = "TEST: " + s
	}
	return Flat(s)
}

// course says what is new of an active alarm.
func (m Message) course() string {
	a := m.Change.Alarm
	switch {
	case a.Flapping:
		return ", comes and goes"
	case a.Key == alarms.StormKey, a.Severity == alarms.None:
		return ""
	case m.Change.Kind == alarms.Updated:
		return ", now " + a.Severity.String()
	case m.Change.Kind == alarms.Repeated:
		return ", still active"
	case m.Change.Kind == alarms.Unacknowledged:
		return ", acknowledgement withdrawn"
	}
	return ""
}

// Ending says what ended the alarm of m; "": it is not known, or not shown.
func (m Message) Ending() string {
	switch {
	case m.EndedBy == "":
		return ""
	case strings.HasPrefix(m.EndedBy, "cleared by "):
		return m.EndedBy
	}
	return "ended by: " + m.EndedBy
}

// acknowledged says by whom, after a word; "": it is not shown.
func (m Message) acknowledged(word string) string {
	ack := m.Change.Alarm.Ack
	if ack == nil || ack.By == "" {
		return ""
	}
	return word + strings.TrimSuffix(ack.By+": "+ack.Comment, ": ")
}

const clockForm = "2006-01-02 15:04:05 UTC"

// clock prints a time; "": it is zero.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(clockForm)
}

// span says from when to when; "": it is not shown.
func span(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	end := clock(to)
	if day := from.UTC().Format(time.DateOnly); strings.HasPrefix(end, day) {
		end = strings.TrimPrefix(end, day+" ")
	}
	return clock(from) + " to " + end
}

// joined returns those of parts that are something, with semicolons.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "; ")
}

// codePrefix begins the text of an alarm by a code.
var codePrefix = regexp.MustCompile(`^ALM\d{4} `)

// detail returns what text says beyond title.
func detail(title, text string) string {
	text = codePrefix.ReplaceAllString(text, "")
	first, others, _ := strings.Cut(text, ". ")
	if letters(first) == letters(title) {
		return others
	}
	return text
}

// letters returns the letters and digits of s, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// ofBatch returns m, of a batch, in words: its alarms, worst first, and each as
// it is at the end.
func (m Message) ofBatch(w Words) Message {
	var names []string
	for _, n := range WorstFirst(m.Batch) {
		message := w.Message(n)
		m.lines = append(m.lines, message.Line())
		if n.ID == latest(m.Batch, n).ID {
			names = append(names, message.headline())
		}
	}
	m.Title, m.Action = fmt.Sprintf("%d notifications", len(m.Batch)), alarms.GroupNamed(alarms.StormKey.Group).Action
	m.Summary = strings.Join(names, "; ")
	if len(names) > 1 {
		m.Summary = fmt.Sprintf("%s; %d more: %s", names[0], len(names)-1, strings.Join(names[1:], "; "))
	}
	m.Summary = Flat(m.Summary)
	return m
}

// WorstFirst orders notifications as people read them: of what is active in the
// end, by severity; then of what is acknowledged, and of what has cleared.
func WorstFirst(list []alarms.Notification) []alarms.Notification {
	rank := func(n alarms.Notification) int { return slices.Index(lateKinds, latest(list, n).Change.Kind) }
	return slices.SortedStableFunc(slices.Values(list), func(a, b alarms.Notification) int {
		return cmp.Or(rank(a)-rank(b), cmp.Compare(b.Change.Alarm.Severity, a.Change.Alarm.Severity))
	})
}

// lateKinds are what people read after all that is active.
var lateKinds = []alarms.Kind{alarms.Acknowledged, alarms.RaisedAndCleared, alarms.Cleared}

// latest returns the last notification in list of the alarm of n.
func latest(list []alarms.Notification, n alarms.Notification) alarms.Notification {
	for _, other := range slices.Backward(list) {
		if other.Change.Alarm.Key == n.Change.Alarm.Key && other.Change.Alarm.Number == n.Change.Alarm.Number {
			return other
		}
	}
	return n
}

// Line returns m in one line, with what to do.
func (m Message) Line() string {
	since, cleared, runbook := clock(m.Since), clock(m.Change.Alarm.Cleared), m.Runbook
	if m.toDo() == "" {
		runbook = ""
	}
	if m.Change.Kind == alarms.RaisedAndCleared { // its summary has both
		since, cleared = "", ""
	}
	line := m.Summary
	for _, r := range [][2]string{
		{"since ", since}, {"cleared ", cleared}, {"what to do: ", m.toDo()}, {"acknowledge: ", m.Acknowledge}, {"runbook: ", runbook}, {"status page: ", m.Link},
	} {
		if r[1] != "" {
			line = strings.TrimSuffix(line, ".") + "; " + r[0] + r[1]
		}
	}
	return Flat(line)
}

// toDo is what to do; "": nothing, since it has cleared.
func (m Message) toDo() string {
	if m.Change.Kind == alarms.Cleared {
		return ""
	}
	return m.Action
}
