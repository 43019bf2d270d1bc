package otlp

import (
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"

	"github.com/lunawatch/lunawatch/alarms/receivers"
)

// units are those of UCUM, by how the name of a family ends.
var units = []struct{ suffix, unit string }{
	{"_seconds", "s"}, {"_bytes", "By"}, {"_ratio", "1"}, {"_celsius", "Cel"}, {"_volts", "V"}, {"_rpm", "{rotation}/min"},
}

func unitOf(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, u := range units {
		if strings.HasSuffix(name, u.suffix) {
			return u.unit
		}
	}
	return ""
}

// metric returns a family under its own name, as it is at a time; nil: it is of a type
// that is not served. When a counter began is not stated, since it is not known.
func metric(f *dto.MetricFamily, at time.Time) *metrics.Metric {
	m := &metrics.Metric{Name: f.GetName(), Description: f.GetHelp(), Unit: unitOf(f.GetName())}
	switch f.GetType() {
	case dto.MetricType_GAUGE:
		m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: points(f, at)}}
	case dto.MetricType_COUNTER:
		m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{DataPoints: points(f, at), IsMonotonic: true, AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}}
	case dto.MetricType_SUMMARY:
		m.Data = &metrics.Metric_Summary{Summary: &metrics.Summary{DataPoints: summaries(f, at)}}
	default:
		return nil
	}
	return m
}

func points(f *dto.MetricFamily, at time.Time) (all []*metrics.NumberDataPoint) {
	for _, x := range f.Metric {
		value := x.GetGauge().GetValue() + x.GetCounter().GetValue() // it is one of them
		all = append(all, &metrics.NumberDataPoint{TimeUnixNano: uint64(at.UnixNano()), Value: &metrics.NumberDataPoint_AsDouble{AsDouble: value},
			Attributes: receivers.Attributes(labels(x))})
	}
	return all
}

func summaries(f *dto.MetricFamily, at time.Time) (all []*metrics.SummaryDataPoint) {
	for _, x := range f.Metric {
		s := &metrics.SummaryDataPoint{TimeUnixNano: uint64(at.UnixNano()), Count: x.GetSummary().GetSampleCount(), Sum: x.GetSummary().GetSampleSum(), Attributes: receivers.Attributes(labels(x))}
		for _, q := range x.GetSummary().GetQuantile() {
			s.QuantileValues = append(s.QuantileValues, &metrics.SummaryDataPoint_ValueAtQuantile{Quantile: q.GetQuantile(), Value: q.GetValue()})
		}
		all = append(all, s)
	}
	return all
}

func labels(x *dto.Metric) (rows [][2]string) {
	for _, l := range x.GetLabel() {
		rows = append(rows, [2]string{l.GetName(), l.GetValue()})
	}
	return rows
}
