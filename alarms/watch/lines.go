package watch

import (
	"cmp"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// Lines evaluates lines of a device's log, in their order, as read now. What
// they change, the log's new cursor and the notifications are stored in one
// transaction; on an error nothing has changed, and the same lines must be
// given again.
func (w *Watch) Lines(device, file string, lines []hsm.LogLine, cursor []byte) error {
	now := time.Now()
	all := make([]rules.Line, len(lines))
	for i, l := range lines {
		all[i] = rules.Line{LogLine: l, Device: device, File: file, At: now}
	}
	return w.Take(file, all, cursor)
}

// Take is [Watch.Lines] for a log of several devices, or for lines that may be
// much older than their reading.
func (w *Watch) Take(file string, lines []rules.Line, cursor []byte) error {
	now, snap := time.Now(), w.Store.Latest()
	found := w.evaluateLines(lines, snap)
	w.lines.Lock()
	defer w.lines.Unlock()
	var theirs []heardLine
	if w.Journal.Share != nil {
		lines, found, theirs = w.hear(lines, found)
	}
	if err := w.take(file, lines, found, cursor, now); err != nil {
		return err // all are given again
	}
	for _, l := range theirs {
		w.keep(l, now)
	}
	return nil
}

// take stores what lines mean. w.lines is held.
func (w *Watch) take(file string, lines []rules.Line, found []lineFindings, cursor []byte, now time.Time) error {
	snap := w.Store.Latest()
	audit, all := w.audit.With(lines)
	seen := w.seen
	entry := journal.Entry{File: file, Cursor: cursor, Events: make(map[string]alarms.Events)}
	var first []lineFindings // evaluated for the first time
	if len(lines) > 0 {
		w.happened(lines[len(lines)-1], now) // the newest one shows the zone best
	}
	for _, f := range found {
		if f.again {
			all = append(all, f.findings...)
			continue
		}
		f.line.Happened = w.happened(f.line, now)
		var duplicate bool
		if seen, duplicate = seen.with(f.line); duplicate {
			continue
		}
		for i := range f.findings {
			f.findings[i].Happened = f.line.Happened
		}
		if n := entry.Events[f.line.Device].With(f.findings); n != (alarms.Events{}) {
			entry.Events[f.line.Device] = n
		}
		w.mark(&entry, f.line)
		first = append(first, f)
		if now.Sub(f.line.At) > longAgo {
			f.findings = stillOpen(f.findings, snap, w.setup().Settings.Thresholds, now)
		}
		all = append(all, f.findings...)
	}
	var err error
	if entry.Audit, err = audit.Encode(file); err != nil {
		return err
	}
	err = w.step(entry, func(alarms.State) []alarms.Finding { return all }, now)
	if err == nil {
		w.seen, w.audit = seen, audit
		w.marked(entry.Places)
		w.recall(first, now)
	}
	return err
}

// lineFindings are those of a line.
type lineFindings struct {
	line     rules.Line
	findings []alarms.Finding
	again    bool // it is evaluated once more, since one that states an earlier time came after it
}

// evaluateLines returns the lines that have findings. No other log waits for that: most
// have none.
func (w *Watch) evaluateLines(lines []rules.Line, snap *hsm.Snapshot) (list []lineFindings) {
	none, limits := new(hsm.Device), w.setup().Settings.Thresholds
	var l rules.Line // one for all: most have no findings
	for _, l = range lines {
		d := cmp.Or(snap.Device(l.Device), none)
		l.Sensors = d.Sensors.Value.Sensors
		if l.HA != nil {
			l.Groups = d.HA.Value.Groups
		}
		if findings := rules.EvaluateLine(&l, &limits); len(findings) > 0 {
			list = append(list, lineFindings{line: l, findings: findings})
		}
	}
	return list
}

// happened returns when a line was written, by its own time; zero: that is not
// known. An appliance's times have no zone: how far its clock is from this
// host's, in quarters of an hour, shows in a line that is read as it is written.
// w.lines is held.
func (w *Watch) happened(l rules.Line, now time.Time) time.Time {
	switch {
	case !l.Happened.IsZero():
		return l.Happened
	case now.Sub(l.At) > longAgo:
		return l.At
	}
	stated := rules.LineTime(l)
	ahead := stated.Sub(now)
	offset := ahead.Round(zoneStep)
	if (ahead-offset).Abs() <= live && offset.Abs() <= widestZone {
		w.zones[l.Device] = offset
	}
	zone, known := w.zones[l.Device]
	if at := stated.Add(-zone); known && !stated.IsZero() && !at.After(now) {
		return at
	}
	return time.Time{}
}

// live is within which a line is read as it is written.
const live = 5 * time.Second

// longAgo is the age of a line from which polls may already have shown the end
// of what it reports.
const longAgo = time.Minute

// stillOpen returns the findings of an old line whose alarms no poll since has
// cleared.
func stillOpen(findings []alarms.Finding, snap *hsm.Snapshot, limits rules.Thresholds, now time.Time) []alarms.Finding {
	s := alarms.NewState()
	s.Apply(alarms.Eval(s, findings, alarms.Damping{}, now))
	s.Apply(alarms.Eval(s, rules.EvaluateSnapshot(snap, s, limits, now), alarms.Damping{}, now))
	return slices.DeleteFunc(findings, func(f alarms.Finding) bool {
		_, active := s.Active[f.Key]
		return f.Condition == alarms.Bad && !active
	})
}
