package exporters

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

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

// atOnce is how many devices [Prometheus.Parts] holds in memory at once.
const atOnce = 16

// Parts returns the metrics of all devices, of a few devices at a time.
func (p *Prometheus) Parts() iter.Seq2[[]*dto.MetricFamily, error] {
	return func(yield func([]*dto.MetricFamily, error) bool) {
		for some := range slices.Chunk(p.store.Latest().Devices, atOnce) {
			parser := expfmt.NewTextParser(model.UTF8Validation)
			families, err := parser.TextToMetricFamilies(bytes.NewReader(p.of(some)))
			if !yield(slices.Collect(maps.Values(families)), err) || err != nil {
				return
			}
		}
	}
}
