// Package otlp pushes the metrics of /metrics to an OpenTelemetry collector, for zones
// that nobody may scrape. Nothing waits for the collector, and nothing is kept for it:
// what one push does not deliver, the next one has newer values of.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"

	"github.com/lunawatch/lunawatch/alarms/receivers"
	"github.com/lunawatch/lunawatch/internal/setting"
	"github.com/lunawatch/lunawatch/internal/wait"
)

// Settings are where metrics are pushed, and how often.
type Settings struct {
	receivers.Collector `yaml:",inline"`
	Interval            time.Duration `yaml:"interval" range:"5s.."`
}

// Enabled reports whether anything is pushed.
func (s Settings) Enabled() bool { return s.Endpoint != "" }

// Validate returns all that is wrong with s.
func (s Settings) Validate() error {
	if s.Endpoint == "" {
		return errors.Join(setting.Limits(s), setting.At("headers_file", s.HeadersFile.Validate()), s.HTTP.Validate())
	}
	return errors.Join(setting.Limits(s), s.Collector.Validate())
}

// A Push sends metrics at an interval.
type Push struct {
	Settings
	// Families returns the metrics, in parts that are small enough to be in memory at once.
	Families func() iter.Seq2[[]*dto.MetricFamily, error]
	Counts   *Counts
	Log      *slog.Logger
}

// Run pushes until ctx is done. A collector that is not there is logged once.
func (p *Push) Run(ctx context.Context) error {
	failing := false
	for ctx.Err() == nil {
		begun := time.Now()
		err := p.once(ctx)
		if ctx.Err() != nil {
			break
		}
		p.Counts.add(err)
		switch {
		case err != nil && !failing:
			p.Log.Warn("metrics not pushed", "err", err)
		case err == nil && failing:
			p.Log.Info("metrics are pushed again")
		}
		failing = err != nil
		wait.Sleep(ctx, p.Interval-time.Since(begun))
	}
	return nil
}

// once sends all metrics. It gives up after an interval, and at the first part that the
// collector does not take: it is asked for no more than it can do.
func (p *Push) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Interval)
	defer cancel()
	for families, err := range p.Families() {
		if err != nil {
			return err
		}
		if err := p.part(ctx, families); err != nil {
			return err
		}
	}
	return nil
}

func (p *Push) part(ctx context.Context, families []*dto.MetricFamily) error {
	scope := &metrics.ScopeMetrics{Scope: &common.InstrumentationScope{Name: "github.com/lunawatch/lunawatch"}}
	now := time.Now()
	for _, f := range families {
		if m := metric(f, now); m != nil {
			scope.Metrics = append(scope.Metrics, m)
		}
	}
	if len(scope.Metrics) == 0 {
		return nil
	}
	request := &collector.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{Resource: receivers.Resource(), ScopeMetrics: []*metrics.ScopeMetrics{scope}}}}
	var reply collector.ExportMetricsServiceResponse
	if err := p.Send(ctx, "v1/metrics", request, &reply); err != nil {
		return err
	}
	if n := reply.GetPartialSuccess().GetRejectedDataPoints(); n > 0 {
		return fmt.Errorf("the collector rejects %d values", n)
	}
	return nil
}

// Counts count pushes. They are safe for concurrent use.
type Counts struct {
	pushed, failed atomic.Uint64
	last           atomic.Int64 // Unix time of the last that was delivered; 0: none was
}

func (c *Counts) add(err error) {
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.pushed.Add(1)
	c.last.Store(time.Now().Unix())
}

var (
	pushed = prometheus.NewDesc("luna_otlp_pushes_total", "Pushes of all metrics that the collector took.", nil, nil)
	failed = prometheus.NewDesc("luna_otlp_failed_pushes_total", "Pushes of which the collector did not take all.", nil, nil)
	last   = prometheus.NewDesc("luna_otlp_last_success_timestamp_seconds", "When all metrics were last pushed; absent if never.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (c *Counts) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pushed, failed, last} {
		out <- d
	}
}

// Collect implements [prometheus.Collector]. There is nothing before the first push.
func (c *Counts) Collect(out chan<- prometheus.Metric) {
	taken, lost, at := c.pushed.Load(), c.failed.Load(), c.last.Load()
	if taken+lost == 0 {
		return
	}
	out <- prometheus.MustNewConstMetric(pushed, prometheus.CounterValue, float64(taken))
	out <- prometheus.MustNewConstMetric(failed, prometheus.CounterValue, float64(lost))
	if at != 0 {
		out <- prometheus.MustNewConstMetric(last, prometheus.GaugeValue, float64(at))
	}
}
