package alarms

import (
	"fmt"
	"slices"
	"time"
)

// StormKey is the key of the alarm that sums up a storm.
var StormKey = Key{Device: Self, Group: "storm"}

// storm raises, updates and clears the alarm that sums up what is not notified
// one by one.
func (e *evaluation) storm() {
	a, active := e.Active.Get(StormKey)
	raging := e.damping.StormAlarms > 0 && len(since(e.raises, e.now.Add(-stormWindow))) > e.damping.StormAlarms
	switch {
	case active && !raging:
		_, a.Text = e.stormSum(a.Raised)
		e.clear(a, Evidence{At: e.now, Text: "fewer new alarms"})
	case raging && e.now.Sub(a.Last) >= stormCount && slices.ContainsFunc(e.changes, func(c Change) bool { return c.Kind == Raised && c.Alarm.InStorm }):
		severity, text := e.stormSum(a.Raised)
		e.bad(Finding{Key: StormKey, Condition: Bad, Severity: severity, Text: text, Evidence: Evidence{At: e.now, Text: text}})
	}
}

// stormCount is how often the alarms of a storm are counted.
const stormCount = 5 * time.Second

// stormSum counts what a storm has raised since it began. The sum is critical
// if one of the alarms is.
func (e *evaluation) stormSum(from time.Time) (severity Severity, text string) {
	severity = Major
	n, critical := 0, 0
	devices := make(map[string]bool)
	for _, a := range e.Active.All() {
		if !a.InStorm || a.Raised.Before(from) {
			continue
		}
		n++
		devices[a.Device] = true
		if a.Severity == Critical {
			critical++
			severity = Critical
		}
	}
	return severity, fmt.Sprintf("%d alarms on %d devices, %d of them critical, are not notified one by one; lunawatch alarms list shows them all", n, len(devices), critical)
}
