package alarms

import (
	"fmt"
	"slices"
	"time"
)

var StormKey = Key{Device: Self, Group: "storm"}

// storm keeps the alarm that sums up what is not told one by one.
func (w *evaluation) storm() {
	a, stands := w.Active.Get(StormKey)
	raging := w.calm.StormAlarms > 0 && len(since(w.raises, w.now.Add(-stormWindow))) > w.calm.StormAlarms
	switch {
	case stands && !raging:
		_, a.Text = w.stormSum(a.Raised)
		w.clear(a, Evidence{At: w.now, Text: "fewer new alarms"})
	case raging && w.now.Sub(a.Last) >= stormCount && slices.ContainsFunc(w.changes, func(c Change) bool { return c.Kind == Raised && c.Alarm.InStorm }):
		severity, text := w.stormSum(a.Raised)
		w.bad(Finding{Key: StormKey, Condition: Bad, Severity: severity, Text: text, Evidence: Evidence{At: w.now, Text: text}})
	}
}

// stormCount is how often the alarms of a storm are counted.
const stormCount = 5 * time.Second

// stormSum counts what a storm has raised since it began. The sum is critical
// if one of it is.
func (w *evaluation) stormSum(from time.Time) (severity Severity, text string) {
	severity = Major
	n, critical := 0, 0
	devices := make(map[string]bool)
	for _, a := range w.Active.All() {
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
	return severity, fmt.Sprintf("%d alarms on %d devices, %d of them critical, are not told one by one; lunawatch alarms list has them all", n, len(devices), critical)
}
