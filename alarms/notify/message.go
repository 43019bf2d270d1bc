package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Message is a notification in the words that all receivers of text share. As
// JSON it is what webhook and exec get.
type Message struct {
	alarms.Notification
	Version int    `json:"version"` // of this form: 1
	Summary string `json:"summary"` // one line
	Title   string `json:"title"`   // of the group
	Action  string `json:"action"`  // what to do
	Test    bool   `json:"test"`    // nothing is wrong: somebody tests
}

// NewMessage returns n in words.
func NewMessage(n alarms.Notification) Message {
	a := n.Change.Alarm
	m := Message{Notification: n, Version: 1, Test: a.Test}
	if n.IsHeartbeat() {
		m.Title, m.Summary = "Lunawatch", heartbeatTitles[n.Change.Kind]
		return m
	}
	if n.Change.Kind == alarms.Batch {
		return m.ofBatch()
	}
	group := alarms.GroupNamed(a.Group)
	m.Title, m.Action = group.Title, alarms.Advice(a)
	if a.Severity == alarms.None { // its level does not show the group
		m.Title, m.Action = alarms.CategoryOf(group.Trap).Category, "Ask the agent: lunawatch alarms list."
	}
	m.Summary = m.summary()
	return m
}

// ofBatch returns m, of a batch, in words: the worst alarms are in the summary.
func (m Message) ofBatch() Message {
	names := make([]string, 0, len(m.Batch))
	for _, n := range slices.SortedStableFunc(slices.Values(m.Batch), func(a, b alarms.Notification) int {
		return cmp.Compare(b.Change.Alarm.Severity, a.Change.Alarm.Severity)
	}) {
		names = append(names, n.Change.Alarm.Key.String())
	}
	m.Title, m.Action = fmt.Sprintf("%d notifications", len(m.Batch)), alarms.GroupNamed(alarms.StormKey.Group).Action
	m.Summary = Flat(fmt.Sprintf("%s: %s: %s", m.Title, m.Change.Alarm.Text, strings.Join(names, ", ")))
	return m
}

var heartbeatTitles = map[alarms.Kind]string{alarms.Started: "Lunawatch has started", alarms.Heartbeat: "Lunawatch is running"}

func (m Message) summary() string {
	a := m.Change.Alarm
	var b strings.Builder
	if m.Test {
		b.WriteString("TEST: ")
	}
	fmt.Fprintf(&b, "%s %s: %s", m.Change.Kind, a.Device, m.Title)
	if a.Severity != alarms.None {
		b.WriteString(", " + a.Severity.String())
	}
	if a.Object != "" {
		b.WriteString(", " + a.Object)
	}
	if a.Text != "" && a.Text != m.Title {
		b.WriteString(": " + a.Text)
	}
	return Flat(b.String())
}

// Body returns m in several lines of text.
func (m Message) Body() string {
	a, when := m.Change.Alarm, func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	rows := [][2]string{{"", m.Summary}, {"What to do", m.Action}, {"HSM", a.Device}, {"Address", m.Address}, {"Label", m.Label}, {"Serial number", a.Serial},
		{"Alarm", a.Group}, {"Object", a.Object}, {"Codes", strings.Join(a.Codes, " ")}, {"Raised", when(a.Since())}, {"Read", when(a.Raised)}, {"Cleared", when(a.Cleared)}}
	if a.Ack != nil {
		rows = append(rows, [2]string{"Acknowledged by", strings.TrimSuffix(a.Ack.By+": "+a.Ack.Comment, ": ")})
	}
	for _, e := range a.Evidence {
		rows = append(rows, [2]string{"Seen", when(e.At) + " " + e.Text})
	}
	var b strings.Builder
	for _, n := range m.Batch {
		rows = append(rows, [2]string{n.Change.Alarm.Severity.String(), NewMessage(n).Summary})
	}
	for _, r := range rows {
		switch {
		case r[1] == "":
		case r[0] == "":
			b.WriteString(r[1] + "\n\n")
		default:
			b.WriteString(r[0] + ": " + Flat(r[1]) + "\n")
		}
	}
	return b.String()
}

// Details are the parts of m that a service shows as a table.
func (m Message) Details() map[string]string {
	a := m.Change.Alarm
	all := map[string]string{"alarm": a.Group, "object": a.Object, "codes": strings.Join(a.Codes, " "), "action": m.Action,
		"hsm": a.Device, "address": m.Address, "label": m.Label, "serial": a.Serial, "text": a.Text, "severity": a.Severity.String()}
	if m.Test {
		all["test"] = "true"
	}
	for k, v := range all {
		if v == "" {
			delete(all, k)
		}
	}
	return all
}

// JSON returns m as JSON.
func (m Message) JSON() ([]byte, error) { return json.Marshal(m) }

// Dedup names the alarm of n, the same for all its life, in 42 characters that
// need no escaping in a URL. What had cleared before it was notified has another
// name. The name of an agent's own alarms holds its host's
// name.
func Dedup(n alarms.Notification) string {
	name := n.Change.Alarm.Key.String()
	if n.Change.Kind == alarms.RaisedAndCleared { // nothing will clear it
		name += " " + string(n.Change.Kind)
	}
	if n.Change.Alarm.Device == alarms.Self || n.IsHeartbeat() {
		name += "@" + Hostname()
	}
	return "lunawatch-" + Hash(name)
}

// Hash returns 32 hexadecimal digits that identify parts.
func Hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Hostname returns the name of the agent's host; lunawatch if it has none.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return alarms.Self
	}
	return name
}

// Flat returns s with blanks for all that makes lines, headers or escape
// sequences.
func Flat(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0x85 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Cut returns at most n characters of s, with an ellipsis if that is not all.
func Cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-3]) + "..."
}

// Printable keeps to the characters of a DisplayString.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
