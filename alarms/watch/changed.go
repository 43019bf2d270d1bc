package watch

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
)

// A tally counts what happened since the agent started.
type tally struct {
	raised               map[alarms.Severity]uint64
	lastRaise, lastClear time.Time
}

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
		}
	}
}

// Changed returns what is closed when alarms, silences or queues change next.
func (w *Watch) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

// signalChanged closes what Changed returned. w.mu is held.
func (w *Watch) signalChanged() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
