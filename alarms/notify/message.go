package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A Message is a notification in the words that all receivers of text share. As
// JSON it is what webhook and exec get.
type Message struct {
	alarms.Notification
	Version     int       `json:"version"`               // of this form: 1
	Summary     string    `json:"summary"`               // one line
	Title       string    `json:"title"`                 // of the group
	Action      string    `json:"action"`                // what to do
	Test        bool      `json:"test"`                  // nothing is wrong: somebody tests
	EventID     uint32    `json:"event_id,omitzero"`     // the number of the kind of alarm, for ever; 0: it is not of one kind
	Since       time.Time `json:"since,omitzero"`        // when it began; zero: not known
	Layer       string    `json:"layer,omitempty"`       // where the way to the HSM is dead, of hsm.Layers
	EndedBy     string    `json:"ended_by,omitempty"`    // of a cleared alarm; "": not known
	Acknowledge string    `json:"acknowledge,omitempty"` // the command, of what nobody has acknowledged
	Link        string    `json:"link,omitempty"`        // to the status page
	Runbook     string    `json:"runbook,omitempty"`

	lines []string // of a batch, worst first
}

var heartbeatTitles = map[alarms.Kind]string{alarms.Started: "Lunawatch has started", alarms.Heartbeat: "Lunawatch is running"}

// lead is what the text of m begins with: what to do; "": somebody does, or it
// has cleared.
func (m Message) lead() string {
	switch {
	case m.Test:
		return "TEST: nothing is wrong, somebody tests the alarms."
	case m.IsHeartbeat(), m.Change.Kind == alarms.Cleared, m.Change.Kind == alarms.Acknowledged:
		return ""
	}
	return "What to do: " + m.Action
}

// Body returns m in several lines of text.
func (m Message) Body() string {
	a := m.Change.Alarm
	rows := [][2]string{{"Since", clock(m.Since)}, {"Read", m.read()}, {"Cleared", clock(a.Cleared)}}
	if m.Change.Kind == alarms.Batch {
		rows = [][2]string{{"Notifications", a.Text}}
	}
	if m.Change.Kind == alarms.Acknowledged {
		rows = append(rows, [2]string{"What to do", m.Action})
	}
	if m.Change.Kind == alarms.RaisedAndCleared {
		rows = append(rows, [2]string{"Ended by", m.EndedBy})
	}
	if m.Change.Kind != alarms.Acknowledged { // its summary has it
		rows = append(rows, [2]string{"Acknowledged by", m.acknowledged("")})
	}
	rows = append(rows, [][2]string{{"Acknowledge", m.Acknowledge}, {"Runbook", m.Runbook}, {"Status page", m.Link}}...)
	if m.lines == nil && !m.IsHeartbeat() {
		rows = append(rows, m.facts()...)
	}
	var b strings.Builder
	for _, line := range []string{m.lead(), m.Summary} {
		if line != "" {
			b.WriteString(Flat(line) + "\n\n")
		}
	}
	for _, r := range rows {
		if r[1] != "" {
			b.WriteString(r[0] + ": " + Flat(r[1]) + "\n")
		}
	}
	for _, line := range m.lines {
		b.WriteString("\n" + line + "\n")
	}
	return b.String()
}

// read is when it was read that the alarm began; "": when it did.
func (m Message) read() string {
	if read := m.Change.Alarm.Raised; !read.Equal(m.Since) {
		return clock(read)
	}
	return ""
}

// facts are what m says of its alarm, line by line.
func (m Message) facts() [][2]string {
	a := m.Change.Alarm
	on := [2]string{"HSM", a.Device}
	if a.Device == alarms.Self {
		on = [2]string{"Agent", Hostname()}
	}
	rows := [][2]string{on, {"Address", m.Address}, {"Label", m.Label}, {"Serial number", a.Serial},
		{"Alarm", a.Group}, {"Object", a.Object}, {"Codes", strings.Join(a.Codes, " ")}}
	if m.EventID != 0 {
		rows = append(rows, [2]string{"Event ID", fmt.Sprint(m.EventID)})
	}
	for _, e := range a.Evidence {
		rows = append(rows, [2]string{"Seen", clock(e.At) + " " + e.Text})
	}
	return rows
}

// Details are the parts of m that a service shows as a table.
func (m Message) Details() map[string]string {
	a := m.Change.Alarm
	all := map[string]string{"alarm": a.Group, "object": a.Object, "codes": strings.Join(a.Codes, " "), "action": m.toDo(),
		"hsm": a.Device, "address": m.Address, "label": m.Label, "serial": a.Serial, "text": a.Text, "severity": a.Severity.String(),
		"since": clock(m.Since), "ended_by": m.EndedBy, "acknowledge": m.Acknowledge, "acknowledged_by": m.acknowledged(""), "link": m.Link, "runbook": m.Runbook}
	if m.Change.Kind == alarms.Cleared { // not the problem again
		delete(all, "text")
	}
	if m.EventID != 0 {
		all["event_id"] = fmt.Sprint(m.EventID)
	}
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
