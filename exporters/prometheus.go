// Package exporters shows a Snapshot and alarms to people and to Prometheus. It
// knows nothing of how they are read: no scrape, page or command ever waits for
// a device.
package exporters

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
)

// A metric is one family. Device names the HSM as configured and is the first
// label of every family in the tables.
type metric struct {
	name   string
	kind   prometheus.ValueType
	help   string
	labels []string // after device
	read   func(d *hsm.Device, now time.Time, emit emit)
}

// emit adds one series with the values of the metric's labels.
type emit func(value float64, labels ...string)

// A Prometheus is a collector of the latest Snapshot. Metrics that come from
// a section past its maximum age vanish; those about the sources stay.
type Prometheus struct {
	store *hsm.Store
	now   func() time.Time
	descs []*prometheus.Desc // of metrics, in order
}

// metrics lists every family about the devices.
var metrics = slices.Concat(hsmMetrics, partitionMetrics, operationMetrics, ntlsMetrics, applianceMetrics, hostMetrics, haMetrics, sourceMetrics)

// NewPrometheus returns a collector of store's latest Snapshot.
func NewPrometheus(store *hsm.Store, now func() time.Time) *Prometheus {
	p := &Prometheus{store: store, now: now}
	for _, m := range metrics {
		p.descs = append(p.descs, prometheus.NewDesc(m.name, m.help, append([]string{"device"}, m.labels...), nil))
	}
	return p
}

// Describe implements [prometheus.Collector].
func (p *Prometheus) Describe(out chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (p *Prometheus) Collect(out chan<- prometheus.Metric) {
	s, now := p.store.Latest(), p.now()
	for i, m := range metrics {
		for _, d := range s.Devices {
			seen := make(map[string]bool) // a device that names one thing twice must not fail the scrape
			m.read(d, now, func(v float64, labels ...string) {
				key := ""
				for j, l := range labels {
					labels[j] = validUTF8(l)
					key += labels[j] + "\xff"
				}
				if seen[key] {
					return
				}
				seen[key] = true
				out <- prometheus.MustNewConstMetric(p.descs[i], m.kind, v, append([]string{d.Name}, labels...)...)
			})
		}
	}
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// of reads one number from a section, if it is fresh and states the number.
func of[T any, N int64 | uint64 | float64](section func(*hsm.Device) hsm.Section[T], get func(T) hsm.Opt[N]) func(*hsm.Device, time.Time, emit) {
	return each(section, func(v T, emit emit) { number(get(v), emit) })
}

// flag reads one true (1) or false (0) from a section.
func flag[T any](section func(*hsm.Device) hsm.Section[T], get func(T) hsm.Opt[bool]) func(*hsm.Device, time.Time, emit) {
	return each(section, func(v T, emit emit) { truth(get(v), emit) })
}

// each calls read with the value of a section, if it is fresh.
func each[T any](section func(*hsm.Device) hsm.Section[T], read func(T, emit)) func(*hsm.Device, time.Time, emit) {
	return func(d *hsm.Device, now time.Time, emit emit) {
		if v, ok := section(d).Get(now); ok {
			read(v, emit)
		}
	}
}

func number[N int64 | uint64 | float64](n hsm.Opt[N], emit emit, labels ...string) {
	if n.Known {
		emit(float64(n.Value), labels...)
	}
}

func truth(b hsm.Opt[bool], emit emit, labels ...string) {
	if b.Known {
		emit(bit(b.Value), labels...)
	}
}

// state emits one series per state, 1 for the one that holds. A state that is
// not listed gets a series of its own.
func state[S ~string](s S, all []S, emit emit, labels ...string) {
	if s == "" {
		return
	}
	for _, x := range all {
		emit(bit(x == s), append(slices.Clone(labels), string(x))...)
	}
	if !slices.Contains(all, s) {
		emit(1, append(slices.Clone(labels), string(s))...)
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
