package top

import (
	"maps"
	"time"

	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/exporters/plot"
	"github.com/lunawatch/lunawatch/hsm"
)

// drawn are the measures of an HSM that are drawn over time, with their headings.
var drawn = []struct{ name, title string }{
	{"utilization", "Utilization"},
	{"temperature", "Temperature, C"},
	{"battery", "Battery, V"},
}

// A history is what was read of every HSM since top began, by its name and in the order of
// drawn. It is replaced, and never changed.
type history map[string][][]plot.Point

// with returns h with what is new in a snapshot.
func (h history) with(s *hsm.Snapshot, now time.Time) history {
	next := maps.Clone(h)
	if next == nil {
		next = make(history)
	}
	maps.DeleteFunc(next, func(name string, _ [][]plot.Point) bool { return s.Device(name) == nil })
	for _, d := range s.HSMs() {
		if last := h[d.Name]; last == nil || newer(d, last) {
			next[d.Name] = extended(last, d, now)
		}
	}
	return next
}

// newer reports whether a section of d that is drawn was read after the last points.
func newer(d *hsm.Device, points [][]plot.Point) bool {
	for i, at := range []time.Time{d.Monitor.At, d.Show.At, d.Show.At} {
		if n := len(points[i]); !at.IsZero() && (n == 0 || at.After(points[i][n-1].From)) {
			return true
		}
	}
	return false
}

// extended returns points and those of what d has now.
func extended(points [][]plot.Point, d *hsm.Device, now time.Time) [][]plot.Point {
	next := make([][]plot.Point, len(drawn))
	copy(next, points)
	for i, m := range drawn {
		r, _ := glance.Read(d, m.name, rules.Thresholds{}, now)
		next[i] = r.Extended(next[i])
	}
	return next
}
