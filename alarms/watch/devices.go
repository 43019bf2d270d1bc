package watch

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// An evaluated is up to what a device was evaluated.
type evaluated struct {
	seq uint64    // of the device
	due time.Time // when time alone changes something; zero: never
}

// toEvaluate returns the devices of a Snapshot of which something has changed since they
// were evaluated: what was read of them, their alarms, the time, or another HSM with
// their serial number. After an hour, and after Configure, it returns all. What others
// depend on comes first: a cause is known before its consequences.
func (w *Watch) toEvaluate(snap *hsm.Snapshot, now time.Time) (devices []*hsm.Device, all bool) {
	touched, anew := w.takeTouched()
	if all = anew || now.Sub(w.evaluatedAll) >= idleLimit || now.Before(w.evaluatedAll); all {
		w.evaluatedAll = now
		maps.DeleteFunc(w.evaluated, func(name string, _ evaluated) bool { return snap.Device(name) == nil })
		devices = slices.Clone(snap.Devices)
	} else {
		devices = w.changedSince(snap, now, touched)
	}
	devices = slices.DeleteFunc(devices, func(d *hsm.Device) bool { return !w.Journal.Mine(d.Name) })
	slices.SortFunc(devices, func(a, b *hsm.Device) int {
		return cmp.Or(cmp.Compare(w.depth(a.Name), w.depth(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return devices, all
}

// changedSince returns the devices of which something has changed since they were
// evaluated.
func (w *Watch) changedSince(snap *hsm.Snapshot, now time.Time, touched map[string]bool) []*hsm.Device {
	changed := make(map[string]*hsm.Device)
	for _, d := range snap.Devices {
		e, known := w.evaluated[d.Name]
		if known && e.seq == d.Seq && (e.due.IsZero() || now.Before(e.due)) && !touched[d.Name] {
			continue
		}
		for _, twin := range append(snap.Twins(d), d) {
			changed[twin.Name] = twin
		}
	}
	return slices.Collect(maps.Values(changed))
}

// depth returns how many others a device depends on, one behind the other.
func (w *Watch) depth(device string) (n int) {
	parent := w.setup().Parent
	if parent == nil {
		return 0
	}
	for device = parent(device); device != "" && n < deepest; device = parent(device) {
		n++
	}
	return n
}

// deepest bounds a chain of dependences.
const deepest = 8

// takeTouched returns the devices whose alarms were changed other than by polls since
// it was last called, and whether all are to be evaluated.
func (w *Watch) takeTouched() (touched map[string]bool, anew bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	touched, anew = w.touched, w.anew
	w.touched, w.anew = make(map[string]bool), false
	return touched, anew
}

// touch has devices evaluated again. w.mu is held.
func (w *Watch) touch(changes []alarms.Change) {
	for _, c := range changes {
		w.touched[c.Alarm.Device] = true
	}
}

// wereEvaluated remembers up to what devices were evaluated, unless that was in vain.
func (w *Watch) wereEvaluated(devices []*hsm.Device, now time.Time, err error) {
	for _, d := range devices {
		if err != nil {
			delete(w.evaluated, d.Name)
			continue
		}
		due := alarms.Sooner(d.NextExpiry(now), rules.NextExpiry(d, w.setup().Settings.Thresholds, now))
		if !due.IsZero() {
			due = due.Add(time.Millisecond)
		}
		w.evaluated[d.Name] = evaluated{d.Seq, due}
	}
}

// nextDue returns when time alone next changes something of a device.
func (w *Watch) nextDue() (next time.Time) {
	for _, e := range w.evaluated {
		next = alarms.Sooner(next, e.due)
	}
	return next
}
