package watch

import (
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/hsm"
)

// memoryDelay is how long what changes with every poll may wait to be stored:
// after a restart it is compared with what it was then.
const memoryDelay = time.Hour

// remember takes what evaluated devices show as what the next ones are
// compared with. What cannot be stored is stored with the next change.
func (w *Watch) remember(devices []*hsm.Device, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.remembered == nil {
		w.remembered = make(map[string]storedMemory)
	}
	if w.state.Memory == nil {
		w.state.Memory = make(map[string]alarms.Memory)
	}
	store := make(map[string]alarms.Memory)
	for _, d := range devices {
		if !w.Journal.Mine(d.Name) {
			continue
		}
		old := w.state.Memory[d.Name]
		next := rules.Remember(rules.Poll{Device: d, Now: now, Thresholds: w.setup().Settings.Thresholds, Memory: old})
		w.state.Memory[d.Name] = next
		if !old.Steady(next) {
			w.touched[d.Name] = true // compared with that, it may mean something else
		}
		if stored, ok := w.remembered[d.Name]; !ok || !stored.at.Add(memoryDelay).After(now) || !stored.Steady(next) {
			store[d.Name] = next
		}
	}
	if len(store) == 0 {
		return
	}
	if err := w.Journal.StoreMemory(store); err != nil {
		w.Log.Warn("what polls are compared with was not stored", "err", err)
		return
	}
	for name, m := range store {
		w.remembered[name] = storedMemory{m, now}
	}
}

// restoreProofs has the devices of the store begin with what proved them before a
// restart. A time of a wrong clock proves nothing.
func (w *Watch) restoreProofs(now time.Time) {
	proofs := make(map[string]hsm.Proof)
	for name, m := range w.state.Memory {
		if !m.Proven.IsZero() && !m.Proven.At.After(now) {
			proofs[name] = m.Proven
		}
	}
	if len(proofs) > 0 {
		w.Store.Restore(proofs)
	}
}

// A storedMemory is what was last stored of a device, and when.
type storedMemory struct {
	alarms.Memory
	at time.Time
}
