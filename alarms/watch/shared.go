package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/journal"
	"github.com/lunawatch/lunawatch/alarms/rules"
)

// own returns the findings about what this agent evaluates.
func (w *Watch) own(findings []alarms.Finding) []alarms.Finding {
	if w.Journal.Share == nil {
		return findings
	}
	return slices.DeleteFunc(findings, func(f alarms.Finding) bool { return !w.Journal.Mine(f.Device) })
}

// everywhere returns the active alarms of all agents. w.mu is held.
func (w *Watch) everywhere() map[alarms.Key]alarms.Alarm {
	if len(w.state.Others) == 0 {
		return w.state.Active
	}
	all := maps.Clone(w.state.Others)
	maps.Copy(all, w.state.Active)
	return all
}

// Apply takes what other agents wrote; whole: it is all that agents share. What operators
// asked of them for a device that this agent owns is done.
func (w *Watch) Apply(writes []journal.Write, whole bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	news, err := w.Journal.Apply(writes, whole)
	if err != nil {
		return err
	}
	if whole {
		if err := w.reload(nil); err != nil {
			return err
		}
	}
	for _, c := range news.Changes {
		switch {
		case w.Journal.Mine(c.Alarm.Device):
		case c.Kind == alarms.Cleared, c.Kind == alarms.Dropped:
			delete(w.state.Others, c.Alarm.Key)
		default:
			w.state.PutOther(c.Alarm)
		}
	}
	for _, s := range news.Silences {
		w.state.Silences = journal.Entry{Silence: &s}.Silences(w.state.Silences)
	}
	w.show(news.Changes, time.Now())
	if len(news.Silences) > 0 {
		w.evaluateNow()
	}
	return w.answer(news.Requests)
}

// answer does what operators asked of other agents. w.mu is held.
func (w *Watch) answer(requests []journal.Request) error {
	for _, r := range requests {
		if !w.Journal.Mine(r.Alarm.Device) {
			continue
		}
		if a, active := w.state.Active[r.Alarm]; active && a.Number == r.Number {
			if err := w.act(a, r); err != nil {
				return err
			}
		}
		if err := w.Journal.Answered(r); err != nil {
			return err
		}
	}
	return nil
}

// askedFor is how long an operator waits for the agent that owns an alarm's device.
const askedFor = 3 * time.Second

// ask has the agent that owns an alarm's device do what an operator asks, and waits until it
// has. w.mu is held, but while it waits.
func (w *Watch) ask(r journal.Request) error {
	asked, err := w.Journal.Ask(r)
	if err != nil {
		return err
	}
	timeout := time.After(askedFor)
	for {
		waiting, err := w.Journal.Requests()
		if err != nil || !slices.Contains(waiting, asked) {
			return err
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
			w.mu.Lock()
		case <-timeout:
			w.mu.Lock()
			return fmt.Errorf("the agent that watches %s has not answered in %s; it will do it as soon as it runs", r.Alarm.Device, askedFor)
		}
	}
}

// Reown goes on with what this agent owns from now on: with the alarms, queues and lines of
// devices that it gained, and without those of devices that it lost. It calls take(true) to
// have [journal.Share.Owns] hold for what was gained, so that nothing of that is evaluated
// before its alarms are known, and take(false) if it fails.
func (w *Watch) Reown(gained func(device string) bool, take func(bool)) error {
	w.lines.Lock()
	defer w.lines.Unlock()
	receivers, err := w.reown(gained, take)
	if err != nil {
		return err
	}
	for _, name := range receivers {
		w.sender.Wake(name)
	}
	w.evaluateNow()
	return w.replayHeard(time.Now())
}

func (w *Watch) reown(gained func(device string) bool, take func(bool)) (receivers []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	take(true)
	defer func() {
		if err != nil {
			take(false)
		}
	}()
	if err := w.Journal.Release(); err != nil {
		return nil, err
	}
	if receivers, err = w.Journal.Adopt(); err != nil {
		return nil, err
	}
	if err := w.reload(gained); err != nil {
		return nil, err
	}
	requests, err := w.Journal.Requests()
	if err != nil {
		return nil, err
	}
	return receivers, w.answer(requests)
}

// reload makes the state that of the journal. What is kept in memory only stays, but for
// devices that were gained: their former owner stored what is newer. w.mu is held.
func (w *Watch) reload(gained func(device string) bool) error {
	next, err := w.Journal.Load()
	if err != nil {
		return err
	}
	old := w.state
	next.Past, next.Raises = old.Past, old.Raises
	for device, m := range old.Memory {
		if gained == nil || !gained(device) {
			if next.Memory == nil {
				next.Memory = make(map[string]alarms.Memory)
			}
			next.Memory[device] = m
		}
	}
	w.state = next
	w.knowReceivers()
	w.rows, w.incidentsStored, w.anew = mibRows{}, false, true
	w.gained.Store(w.gained.Load() || gained != nil)
	w.signalChanged()
	return nil
}

// takeSeries has devices that came from other agents go on with the samples that those
// stored. It is of the goroutine of polls.
func (w *Watch) takeSeries() {
	stored, err := w.Journal.LoadSamples()
	if err != nil {
		w.Log.Warn("trends of HSMs that came from another agent begin anew", "err", err)
		return
	}
	for s, samples := range stored {
		if own := w.series[s]; len(own) == 0 || len(samples) > 0 && samples[len(samples)-1].At.After(own[len(own)-1].At) {
			w.series[s] = samples
		}
	}
}

// nextSilence returns the number of a new silence.
func (w *Watch) nextSilence() (uint64, error) {
	if w.Journal.Share == nil {
		return w.Journal.Count("silences")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last := uint64(0)
	for _, s := range w.state.Silences {
		last = max(last, s.ID)
	}
	return (last/1000+1)*1000 + rand.Uint64N(1000), nil // another agent may be giving one, too
}

// How much is kept of the logs of each device that another agent owns.
const (
	heardFor  = 10 * time.Minute
	heardMost = 1000
)

// hear keeps lines of devices that other agents own, and returns the others. w.lines is
// held.
func (w *Watch) hear(lines []rules.Line, found []lineFindings, now time.Time) ([]rules.Line, []lineFindings) {
	var own []rules.Line
	for _, l := range lines {
		if w.Journal.Mine(l.Device) {
			own = append(own, l)
			continue
		}
		if w.heard == nil {
			w.heard = make(map[string][]rules.Line)
		}
		kept := append(w.heard[l.Device], l)
		for len(kept) > heardMost || now.Sub(kept[0].At) > heardFor && len(kept) > 1 {
			kept = kept[1:]
		}
		w.heard[l.Device] = kept
	}
	return own, slices.DeleteFunc(found, func(f lineFindings) bool { return !w.Journal.Mine(f.line.Device) })
}

// mark has entry say that lines up to l are evaluated.
func (w *Watch) mark(entry *journal.Entry, l rules.Line) {
	if w.Journal.Share == nil || !w.Journal.Share.Has(l.Device) {
		return
	}
	if entry.Places == nil {
		entry.Places = make(map[string]journal.Place)
	}
	entry.Places[l.Device] = placeOf(l)
}

// placeOf returns a line as a place: the same for every agent that heard it.
func placeOf(l rules.Line) journal.Place {
	sum := sha256.Sum256([]byte(seenKey(l)))
	return journal.Place{Line: hex.EncodeToString(sum[:]), Stated: rules.LineTime(l)}
}

// replayHeard evaluates the lines of devices that this agent gained which their former owner
// did not. w.lines is held.
func (w *Watch) replayHeard(now time.Time) error {
	if len(w.heard) == 0 {
		return nil
	}
	places, err := w.Journal.Places()
	if err != nil {
		return err
	}
	for device, kept := range w.heard {
		if !w.Journal.Mine(device) {
			continue
		}
		lines := unheard(kept, places[device])
		if err := w.take("", lines, w.evaluateLines(lines, w.Store.Latest()), nil, now); err != nil {
			return err
		}
		delete(w.heard, device)
	}
	return nil
}

// unheard returns the lines after a place: after the line itself, or else after its time.
func unheard(lines []rules.Line, p journal.Place) []rules.Line {
	for i, l := range slices.Backward(lines) {
		at := placeOf(l)
		if at.Line == p.Line && at.Stated.Sub(p.Stated).Abs() <= sameWithin {
			return lines[i+1:]
		}
	}
	return slices.DeleteFunc(slices.Clone(lines), func(l rules.Line) bool {
		stated := rules.LineTime(l)
		return !stated.IsZero() && !p.Stated.IsZero() && !stated.After(p.Stated)
	})
}
