package watch

import (
	"maps"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A tally counts what happened since the agent started.
type tally struct {
	raised               map[alarms.Severity]uint64
	lastRaise, lastClear time.Time
}

// add counts changes.
func (t *tally) add(changes []alarms.Change) {
	for _, c := range changes {
		switch c.Kind {
		case alarms.Raised:
			if t.raised == nil {
				t.raised = make(map[alarms.Severity]uint64)
			}
			t.raised[c.Alarm.Severity]++
			t.lastRaise = c.Alarm.Raised
		case alarms.Cleared:
			t.lastClear = c.Alarm.Cleared
		default:
		}
	}
}

// Events returns how many critical and other events a device has reported. Its
// audit log counts where its alarms report fewer: both may report the same
// event.
func (w *Watch) Events(device string) (critical, other uint64) {
	e := w.Counted(device)
	return max(e.Critical, e.AuditCritical), e.Other
}

// Counted returns what was counted of a device, alarms and audit log apart.
func (w *Watch) Counted(device string) alarms.Events {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Events[device]
}

// RaisedBy returns how many alarms were raised since the start, by the
// severity that they had then.
func (w *Watch) RaisedBy() map[alarms.Severity]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tally.raised)
}
