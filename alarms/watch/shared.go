package watch

import (
	"context"
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
	"github.com/lunawatch/lunawatch/internal/wait"
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
	news, err := w.apply(writes, whole)
	if err != nil {
		return err
	}
	if len(news.Lines) > 0 {
		w.takeForwarded()
	}
	return nil
}

func (w *Watch) apply(writes []journal.Write, whole bool) (journal.News, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	news, err := w.Journal.Apply(writes, whole)
	if err != nil {
		return news, err
	}
	if whole {
		if err := w.reload(nil); err != nil {
			return news, err
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
	return news, w.answer(news.Requests)
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
	if err := w.takeOver(gained, take); err != nil {
		return err
	}
	w.takeForwarded()
	return nil
}

// takeOver is Reown but for the lines that others forwarded.
func (w *Watch) takeOver(gained func(device string) bool, take func(bool)) error {
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
	if gained != nil {
		w.gained.Store(true)
	}
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

// A heardLine is one of a device that another agent owns.
type heardLine struct {
	rules.Line
	means     bool // it has findings
	forwarded bool // to its owner
}

// hear parts lines of devices that this agent owns from theirs, which other agents own.
func (w *Watch) hear(lines []rules.Line, found []lineFindings) (own []rules.Line, ours []lineFindings, theirs []heardLine) {
	i := 0 // found is in the order of lines
	for _, l := range lines {
		means := i < len(found) && sameText(found[i].line, l)
		if w.Journal.Mine(l.Device) {
			if own = append(own, l); means {
				ours = append(ours, found[i])
			}
		} else {
			theirs = append(theirs, heardLine{l, means, false})
		}
		if means {
			i++
		}
	}
	return own, ours, theirs
}

// sameText reports whether two lines of one batch are the same.
func sameText(a, b rules.Line) bool {
	return a.Device == b.Device && a.Message == b.Message && a.Process == b.Process && a.Time == b.Time && a.Stamp == b.Stamp && a.UptimeSeconds == b.UptimeSeconds
}

func (w *Watch) keep(l heardLine, now time.Time) {
	if w.heard == nil {
		w.heard = make(map[string][]heardLine)
	}
	kept := append(w.heard[l.Device], l)
	for len(kept) > heardMost || now.Sub(kept[0].At) > heardFor && len(kept) > 1 {
		kept = kept[1:]
	}
	w.heard[l.Device] = kept
}

// forwardAfter is how long the owner of a device may take to evaluate a line before it is
// forwarded to it: it may have been cut off for a moment.
const forwardAfter = 2 * time.Second

// forwardLines forwards to owners of devices the lines that they do not seem to have heard,
// until ctx is done.
func (w *Watch) forwardLines(ctx context.Context) error {
	for wait.Sleep(ctx, forwardAfter/2) {
		if w.postponed.Load() {
			w.takeForwarded()
		}
		if err := w.forwardDue(time.Now()); err != nil {
			w.Log.Info("lines that another agent may not have heard are not forwarded yet", "err", err)
		}
	}
	return nil
}

func (w *Watch) forwardDue(now time.Time) error {
	w.lines.Lock()
	defer w.lines.Unlock()
	due := func(l heardLine) bool { return l.means && !l.forwarded && now.Sub(l.At) >= forwardAfter }
	var places map[string]journal.Place
	for device, kept := range w.heard {
		if !slices.ContainsFunc(kept, due) {
			continue
		}
		if places == nil {
			var err error
			if places, err = w.Journal.Places(); err != nil {
				return err
			}
		}
		for _, i := range unheard(kept, places[device]) {
			if l := kept[i]; due(l) {
				m := markOf(l.Line)
				if err := w.Journal.Forward(fmt.Sprintf("%s %s %d", device, m.Line, m.Stated.Unix()), journal.Line{Device: device, Line: l.LogLine, At: l.At, Peer: l.Peer, Untrusted: l.Untrusted}); err != nil {
					return err
				}
			}
		}
		for i := range kept {
			kept[i].forwarded = kept[i].forwarded || due(kept[i])
		}
	}
	return nil
}

// takeForwarded evaluates the lines of devices that this agent owns which another one heard. Those
// whose changes cannot be stored now stay, and are tried again with the next ones, or soon.
func (w *Watch) takeForwarded() {
	w.forwarded.Lock()
	defer w.forwarded.Unlock()
	w.postponed.Store(false)
	all, err := w.Journal.Forwarded()
	for _, l := range all {
		if err == nil && w.Journal.Mine(l.Device) {
			err = w.takeForwardedLine(l)
		}
	}
	if err != nil {
		w.postponed.Store(true)
		w.Log.Info("lines that another agent heard are not evaluated yet", "err", err)
	}
}

func (w *Watch) takeForwardedLine(l journal.Line) error {
	line := rules.Line{LogLine: l.Line, Device: l.Device, File: forwardedFile, At: time.Now(), Peer: l.Peer, Untrusted: l.Untrusted}
	if err := w.takeLate(line); err != nil {
		return err
	}
	return w.Journal.Heard(l)
}

// takeLate evaluates a line as if it had come before those of its device that state a later
// time. What those clear is cleared once more.
func (w *Watch) takeLate(l rules.Line) error {
	w.lines.Lock()
	defer w.lines.Unlock()
	stated := rules.LineTime(l)
	recent := w.recent[l.Device]
	later := slices.IndexFunc(recent, func(f lineFindings) bool { return !stated.IsZero() && rules.LineTime(f.line).After(stated) })
	if later < 0 {
		later = len(recent)
	} else {
		l.At = recent[later].line.At.Add(-1)
	}
	found := w.evaluateLines([]rules.Line{l}, w.Store.Latest())
	for _, f := range recent[later:] {
		clears := slices.DeleteFunc(slices.Clone(f.findings), func(f alarms.Finding) bool { return f.Condition != alarms.Good })
		found = append(found, lineFindings{line: f.line, findings: clears, again: true})
	}
	return w.take("", []rules.Line{l}, found, nil, time.Now())
}

// recall keeps the evaluated lines of devices that agents share, in the order in which they
// were evaluated, for lines that come late. w.lines is held.
func (w *Watch) recall(list []lineFindings, now time.Time) {
	for _, f := range list {
		if w.Journal.Share == nil || !w.Journal.Share.Has(f.line.Device) {
			continue
		}
		if w.recent == nil {
			w.recent = make(map[string][]lineFindings)
		}
		kept := append(w.recent[f.line.Device], f)
		slices.SortStableFunc(kept, func(a, b lineFindings) int { return a.line.At.Compare(b.line.At) })
		for len(kept) > heardMost || now.Sub(kept[0].line.At) > heardFor && len(kept) > 1 {
			kept = kept[1:]
		}
		w.recent[f.line.Device] = kept
	}
}

// forwardedFile is the log that lines of other agents are from: another one than that of a line
// that was heard here, so that the same line counts once.
const forwardedFile = "another agent"

// mark has entry say that l is evaluated. w.lines is held.
func (w *Watch) mark(entry *journal.Entry, l rules.Line) {
	if w.Journal.Share == nil || !w.Journal.Share.Has(l.Device) {
		return
	}
	if entry.Places == nil {
		entry.Places = make(map[string]journal.Place)
	}
	p, begun := entry.Places[l.Device]
	if !begun {
		p = slices.Clone(w.places[l.Device])
	}
	p = append(p, markOf(l))
	entry.Places[l.Device] = p[max(0, len(p)-journal.PlaceMost):]
}

// marked remembers what is stored of evaluated lines. w.lines is held.
func (w *Watch) marked(places map[string]journal.Place) {
	if len(places) == 0 {
		return
	}
	if w.places == nil {
		w.places = make(map[string]journal.Place)
	}
	maps.Copy(w.places, places)
}

// markOf returns a line as a mark: the same for every agent that heard it.
func markOf(l rules.Line) journal.Mark {
	sum := sha256.Sum256([]byte(seenKey(l)))
	return journal.Mark{Line: hex.EncodeToString(sum[:8]), Stated: rules.LineTime(l)}
}

// replayHeard evaluates the lines of devices that this agent gained which their former owner
// did not. w.lines is held.
func (w *Watch) replayHeard(now time.Time) error {
	places, err := w.Journal.Places()
	if err != nil {
		return err
	}
	w.places = places
	for device, kept := range w.heard {
		if !w.Journal.Mine(device) {
			continue
		}
		var lines []rules.Line
		for _, i := range unheard(kept, places[device]) {
			if kept[i].means {
				lines = append(lines, kept[i].Line)
			}
		}
		if err := w.take("", lines, w.evaluateLines(lines, w.Store.Latest()), nil, now); err != nil {
			return err
		}
		delete(w.heard, device)
	}
	return nil
}

// unheard returns which lines are not among those of a place. What is older than all of a
// place that is full was evaluated before.
func unheard(lines []heardLine, p journal.Place) (list []int) {
	left := slices.Clone(p)
	for i, l := range lines {
		m := markOf(l.Line)
		same := func(other journal.Mark) bool {
			return other.Line == m.Line && other.Stated.Sub(m.Stated).Abs() <= sameWithin
		}
		if at := slices.IndexFunc(left, same); at >= 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		if len(p) < journal.PlaceMost || m.Stated.IsZero() || !m.Stated.Before(p[0].Stated) {
			list = append(list, i)
		}
	}
	return list
}
