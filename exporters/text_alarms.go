package exporters

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/watch"
)

// AlarmsText prints active alarms in their order: what is wrong, what to do,
// and their marks.
func AlarmsText(w io.Writer, list []alarms.Active, now time.Time) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No active alarms.")
		return
	}
	tw := table(w, "NUMBER", "SEVERITY", "HSM", "ALARM", "SINCE", "COUNT", "TEXT")
	for _, a := range list {
		row(tw, fmt.Sprint(a.Number), a.Severity.String(), a.Device, subject(a.Key), since(a.Raised, now), fmt.Sprint(a.Count), a.Text)
		for _, note := range append(Marks(a, now), "Do: "+a.Action) {
			row(tw, "", "", "", "", "", "", note)
		}
	}
	tw.Flush()
}

// subject returns what an alarm is about, without its HSM.
func subject(k alarms.Key) string { return strings.TrimPrefix(k.String(), k.Device+"/") }

// Marks says what operators did about an alarm, and what holds for it, each in
// a line: acknowledged, silenced, caused by another, flapping, in a storm, when
// it clears.
func Marks(a alarms.Active, now time.Time) (marks []string) {
	mark := func(format string, args ...any) { marks = append(marks, fmt.Sprintf(format, args...)) }
	if k := a.Ack; k != nil {
		mark("Acknowledged by %s at %s: %s", k.By, clock(k.At, now), k.Comment)
	}
	if s := a.Silence; s != nil {
		mark("Silenced until %s by %s: %s (silence %d)", clock(s.Until, now), s.Author, s.Reason, s.ID)
	}
	if a.RelatedTo != nil {
		mark("Caused by %s; notification sent for that alarm only", a.RelatedTo)
	}
	if a.Flapping {
		mark("Flapping: it comes and goes, and stays active until it has been quiet for a while")
	}
	if a.InStorm {
		mark("Raised in a storm: notified in its summary only")
	}
	if !a.EndsAt.IsZero() {
		mark("No longer present; clears at %s unless it comes back", clock(a.EndsAt, now))
	}
	if !a.Expires.IsZero() {
		mark("Clears by itself at %s", clock(a.Expires, now))
	}
	return marks
}

// AlarmText prints everything about an active or a cleared alarm.
func AlarmText(w io.Writer, a alarms.Active, now time.Time) {
	group := alarms.GroupNamed(a.Group)
	fmt.Fprintf(w, "%s: %s\n\n", Plain(a.Key.String()), Plain(a.Text))
	rows := [][2]string{
		{"Number", fmt.Sprint(a.Number)},
		{"What", group.Title},
		{"Severity", a.Severity.String()},
		{"Serial number", dash(a.Serial)},
		{"Raised", since(a.Raised, now)},
		{"Last evidence", since(a.Last, now)},
		{"Count", fmt.Sprint(a.Count)},
		{"X.733", "event type " + a.Type + ", probable cause " + a.Cause},
		{"Notification", string(group.Trap)},
	}
	if !a.Cleared.IsZero() {
		rows = append(rows, [2]string{"Cleared", since(a.Cleared, now)})
	}
	if m := a.Measure(); m != nil {
		rows = append(rows, [2]string{"Value", measured(m)})
	}
	for _, r := range rows {
		fmt.Fprintf(w, "  %-15s%s\n", r[0]+":", Plain(r[1]))
	}
	for _, m := range Marks(a, now) {
		fmt.Fprintf(w, "  %s.\n", Plain(m))
	}
	if len(a.Codes) > 0 {
		fmt.Fprintln(w, "\nCodes:")
	}
	for _, name := range a.Codes {
		fmt.Fprintf(w, "  ALM%s", Plain(name))
		if c, known := alarms.CodeNamed(name); known {
			fmt.Fprintf(w, " (%s): %s. %s", c.Component, c.Text, c.Why)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\nEvidence (the first and the newest):")
	for _, e := range a.Evidence {
		fmt.Fprintf(w, "  %s  %s", clock(e.At, now), Plain(e.Text))
		if e.Measure != nil {
			fmt.Fprintf(w, " [%s]", measured(e.Measure))
		}
		if l := e.Log; l != nil {
			fmt.Fprintf(w, " [%s, %s, %s, %s]", Plain(l.Host), Plain(l.File), Plain(l.Time), Plain(l.Process))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\nWhat clears it: %s\nWhat to do: %s\n", rules.HowCleared(a.Group), alarms.Advice(a.Alarm))
}

func measured(m *alarms.Measure) string {
	return fmt.Sprintf("%.6g %s, threshold %.6g %s", m.Value, m.Unit, m.Threshold, m.Unit)
}

// HistoryText prints cleared alarms in their order.
func HistoryText(w io.Writer, list []alarms.Alarm, now time.Time) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No alarm has ended yet.")
		return
	}
	tw := table(w, "NUMBER", "SEVERITY", "HSM", "ALARM", "RAISED", "CLEARED", "ACKNOWLEDGED", "TEXT")
	for _, a := range list {
		by := "-"
		if a.Ack != nil {
			by = a.Ack.By
		}
		row(tw, fmt.Sprint(a.Number), a.Severity.String(), a.Device, subject(a.Key), clock(a.Raised, now), clock(a.Cleared, now), by, a.Text)
	}
	tw.Flush()
}

// SilencesText prints active and future silences.
func SilencesText(w io.Writer, list []alarms.Silence, now time.Time) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No silences.")
		return
	}
	tw := table(w, "SILENCE", "FROM", "UNTIL", "BY", "OF", "REASON")
	for _, s := range list {
		from := clock(s.From, now)
		if s.From.After(now) {
			from += " (to come)"
		}
		until := clock(s.Until, now)
		if s.Every != nil {
			until += ", " + s.Every.String()
		}
		row(tw, fmt.Sprint(s.ID), from, until, s.Author, Selection(s.Match), s.Reason)
	}
	tw.Flush()
}

// AnnouncedText prints a line for each silence that begins within a day.
func AnnouncedText(w io.Writer, list []alarms.Silence, now time.Time) {
	for _, s := range list {
		if s.Announces(now) {
			fmt.Fprintln(w, Plain(Announcement(s, now)))
		}
	}
}

// Announcement says when a silence that is to come begins, and what it hides.
func Announcement(s alarms.Silence, now time.Time) string {
	s = s.At(now)
	in := strings.TrimSuffix(max(time.Minute, s.From.Sub(now).Round(time.Minute)).String(), "0s")
	return fmt.Sprintf("Silence %d of %s begins in %s, until %s: %s (%s)", s.ID, Selection(s.Match), in, clock(s.Until, now), s.Reason, s.Author)
}

// PreviewText prints what a silence would hide of what is active.
func PreviewText(w io.Writer, s alarms.Silence, hides []alarms.Active, now time.Time) {
	again := ""
	if s.Every != nil {
		again = ", " + s.Every.String()
	}
	fmt.Fprintln(w, Plain(fmt.Sprintf("A silence of %s from %s until %s%s would hide, of what is active now:", Selection(s.Match), clock(s.From, now), clock(s.Until, now), again)))
	fmt.Fprintln(w)
	AlarmsText(w, hides, now)
	if s.Wide() {
		fmt.Fprintln(w, "\nIt is long or wide, and so needs -yes-all; it is an alarm while it lasts.")
	}
}

// Selection says which alarms a silence selects.
func Selection(m alarms.Match) string {
	var parts []string
	for _, p := range []struct {
		name string
		list []string
	}{{"HSM", m.HSMs}, {"alarm", m.Groups}, {"object", m.Objects}, {"code", m.Codes}} {
		if len(p.list) > 0 {
			parts = append(parts, p.name+" "+strings.Join(p.list, " or "))
		}
	}
	if m.Severity != alarms.None {
		parts = append(parts, m.Severity.String()+" or milder")
	}
	return cmp.Or(strings.Join(parts, ", "), "everything")
}

// outcomes are the results of a receiver's test in words.
var outcomes = map[string]string{
	"confirmed": "confirmed",
	"accepted":  "accepted (sent; this kind confirms nothing)",
	"failed":    "FAILED; retried until it works",
	"waiting":   "WAITING: behind earlier notifications or min_interval; no answer yet",
	"off":       "off: level off in the configuration, nothing is sent",
}

// TestText prints what each receiver did with a test alarm.
func TestText(w io.Writer, list []notify.TestResult) {
	tw := table(w, "RECEIVER", "RESULT", "AFTER", "ERROR")
	for _, r := range list {
		took := "-"
		if r.Took > 0 {
			took = r.Took.Round(time.Millisecond).String()
		}
		row(tw, r.Receiver, outcomes[r.Result], took, dash(r.Error))
	}
	tw.Flush()
}

// ReplayText prints what an old log would have changed, and its sum.
func ReplayText(w io.Writer, steps []watch.Step, sum watch.Replayed) {
	if len(steps) > 0 {
		tw := table(w, "TIME", "LINE", "CHANGE", "SEVERITY", "ALARM", "TEXT")
		for _, s := range steps {
			line := "-"
			if s.Line > 0 {
				line = fmt.Sprint(s.Line)
			}
			row(tw, s.At.Format(time.DateTime), line, string(s.Kind), s.Alarm.Severity.String(), subject(s.Alarm.Key), s.Text())
		}
		tw.Flush()
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d lines, %d had no effect on any alarm, %d had no time of their own.\n", sum.Lines, sum.Idle, sum.Undated)
	fmt.Fprintf(w, "%d alarms raised, %d cleared, %d still active at the last line, %d not raised yet.\n", sum.Raised, sum.Cleared, len(sum.Active), len(sum.Pending))
	for _, a := range sum.Active {
		fmt.Fprintf(w, "  %s %s is active; what clears it: %s\n", a.Severity, Plain(subject(a.Key)), rules.HowCleared(a.Group))
	}
	fmt.Fprintln(w, "Polls would have raised and cleared more: they are not in a log.")
}

func table(w io.Writer, columns ...string) *tabwriter.Writer {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row(tw, columns...)
	return tw
}

func row(tw *tabwriter.Writer, cells ...string) {
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i] = Plain(cells[i])
	}
	fmt.Fprintln(tw, strings.Join(cells, "\t"))
}

// Plain returns s with ? for what could move the cursor of a terminal.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// clock returns a time on the reader's clock.
func clock(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.In(now.Location()).Format(TimeLayout)
}

// since returns when at is, and how long ago.
func since(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return clock(at, now) + " (" + now.Sub(at).Round(time.Second).String() + ")"
}
