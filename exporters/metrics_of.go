package exporters

import (
	"slices"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

// MetricsOf returns the lines that metrics of these names have of d at now, in the order of
// the names; none of what is stale or not known.
func MetricsOf(d *hsm.Device, now time.Time, names ...string) (lines []string) {
	e := newEncoder()
	for _, name := range names {
		i := slices.IndexFunc(metrics, func(m metric) bool { return m.name == name })
		if i < 0 {
			continue
		}
		f := newFamily(metrics[i])
		e.encode(&f, d, now)
	}
	for line := range strings.Lines(string(e.text)) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// A Family is the name of a metric of devices, with its labels.
type Family struct {
	Name   string
	Labels []string
}

// Families returns all families of devices, by name.
func Families() (all []Family) {
	for _, m := range metrics {
		all = append(all, Family{m.name, append([]string{"device"}, m.labels...)})
	}
	return all
}
