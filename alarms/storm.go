package alarms

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StormKey is the key of the alarm that sums up every storm.
var StormKey = Key{Device: Self, Group: "storm"}

const (
	stormWindow = time.Minute // in which new alarms make a storm
	maxStorm    = 1000        // the highest Damping.StormAlarms
)

// flood returns what is counted with a: the alarms of its device and group. A
// storm of them withholds no other alarm.
func (a Alarm) flood() Key { return Key{Device: a.Device, Group: a.Group} }

// recent returns how many alarms of a flood were raised in the last minute.
func (d *Draft) recent(flood Key, now time.Time) int {
	at, _ := d.raises.Get(flood)
	return len(since(at, now.Add(-stormWindow)))
}

// countRaise counts a new alarm.
func (d *Draft) countRaise(a Alarm) {
	at, _ := d.raises.Get(a.flood())
	at = append(since(at, a.Raised.Add(-stormWindow)), a.Raised)
	d.raises.Set(a.flood(), at[max(0, len(at)-maxStorm-1):])
}

// hold counts the alarms that are in a storm, before c becomes part of d.
func (d *Draft) hold(c Change) {
	n, _ := d.held.Get(c.Alarm.flood())
	before := n
	if old, active := d.Active.Get(c.Alarm.Key); active && old.InStorm {
		n--
	}
	if c.Kind != Cleared && c.Alarm.InStorm {
		n++
	}
	switch {
	case n == before:
	case n == 0:
		d.held.del(c.Alarm.flood())
	default:
		d.held.Set(c.Alarm.flood(), n)
	}
}

// inStorm reports whether a new alarm is one too many of its flood. What is
// critical, or about Lunawatch itself, never is.
func (e *evaluation) inStorm(a Alarm) bool {
	return e.damping.StormAlarms > 0 && a.Device != Self && a.Severity < Critical && e.recent(a.flood(), e.now) >= e.damping.StormAlarms
}

// calmAt returns when a flood, raised at these times, has fallen to half of what
// makes a storm; zero: it has.
func (d Damping) calmAt(raised []time.Time) time.Time {
	if i := len(raised) - 1 - d.StormAlarms/2; i >= 0 {
		return raised[i].Add(stormWindow)
	}
	return time.Time{}
}

// storm ends the storms of floods that have calmed down, and raises, updates and
// clears the alarm that sums up the others.
func (e *evaluation) storm() {
	var raging []Key
	for flood := range e.held.All() {
		raised, _ := e.raises.Get(flood)
		if at := e.damping.calmAt(raised); at.After(e.now) {
			raging = append(raging, flood)
		} else {
			e.release(flood)
		}
	}
	slices.SortFunc(raging, Key.Compare)
	switch a, active := e.Active.Get(StormKey); {
	case active && len(raging) == 0:
		e.clear(a, Evidence{At: e.now, Text: "fewer new alarms"})
	case len(raging) > 0 && e.now.Sub(a.Last) >= stormCount:
		text := e.stormText(raging)
		e.bad(Finding{Key: StormKey, Condition: Bad, Severity: Major, Text: text, Evidence: Evidence{At: e.now, Text: text}})
	}
}

// release has the alarms of a flood leave the storm.
func (e *evaluation) release(flood Key) {
	var held []Alarm
	for _, a := range e.Active.All() {
		if a.InStorm && a.flood() == flood {
			held = append(held, a)
		}
	}
	slices.SortFunc(held, func(a, b Alarm) int { return cmp.Compare(a.Number, b.Number) })
	for _, a := range held {
		a.InStorm, a.AfterStorm = false, true
		e.change(Seen, a)
	}
}

// stormCount is how often the alarms of a storm are counted.
const stormCount = 5 * time.Second

// stormText names what floods, and counts what is held.
func (e *evaluation) stormText(raging []Key) string {
	names, total := []string{}, 0
	for _, flood := range raging {
		n, _ := e.held.Get(flood)
		total += n
		if len(names) < 5 {
			names = append(names, fmt.Sprintf("%d of %s", n, flood))
		}
	}
	if more := len(raging) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d others", more))
	}
	return fmt.Sprintf("%d alarms are held until fewer are raised: %s. Then each that is still active is named; what is critical, and every other alarm, is notified at once",
		total, strings.Join(names, ", "))
}
