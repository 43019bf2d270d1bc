package alarms

import (
	"time"
)

// A tally counts what happened since the agent started.
type tally struct {
	raised               map[Severity]uint64
	lastRaise, lastClear time.Time
}

func (t *tally) add(changes []Change) {
	for _, c := range changes {
		switch c.Kind {
		case Raised:
			if t.raised == nil {
				t.raised = make(map[Severity]uint64)
			}
			t.raised[c.Alarm.Severity]++
			t.lastRaise = c.Alarm.Raised
		case Ended:
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

// tellChanged closes what Changed returned. w.mu is held.
func (w *Watch) tellChanged() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
