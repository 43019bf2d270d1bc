package watch

import (
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
	w.lines.Lock()
	defer w.lines.Unlock()
	audit, all := w.audit.With(lines)
	seen := w.seen
	entry := journal.Entry{File: file, Cursor: cursor, Events: make(map[string]alarms.Events)}
	for _, l := range lines {
		l.Sensors = sensors(snap, l.Device)
		findings := rules.EvaluateLine(l, w.Settings.Thresholds)
		if len(findings) == 0 {
			continue
		}
		var duplicate bool
		if seen, duplicate = seen.With(l); duplicate {
			continue
		}
		if n := entry.Events[l.Device].With(findings); n != (alarms.Events{}) {
			entry.Events[l.Device] = n
		}
		if now.Sub(l.At) > longAgo {
			findings = rules.StillOpen(findings, snap, w.Settings.Thresholds, now)
		}
		all = append(all, findings...)
	}
	err := w.step(entry, func(alarms.State) []alarms.Finding { return all }, now)
	if err == nil {
		w.seen, w.audit = seen, audit
	}
	return err
}

// longAgo is the age of a line from which polls may already have shown the end
// of what it reports.
const longAgo = time.Minute

// sensors returns the sensors of a device as they were last polled.
func sensors(snap *hsm.Snapshot, device string) []hsm.Sensor {
	for _, d := range snap.Devices {
		if d.Name == device {
			return d.Sensors.Value.Sensors
		}
	}
	return nil
}
