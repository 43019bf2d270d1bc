package agent

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	logspb "go.opentelemetry.io/proto/slim/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/lunawatch/lunawatch/internal/check"
)

// An otlpCollector takes metrics and logs.
type otlpCollector struct {
	t       *testing.T
	mu      sync.Mutex
	metrics map[string]bool
	records []string // events with device and group
}

// ServeHTTP implements [http.Handler].
func (c *otlpCollector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" && err == nil {
		var unpacked *gzip.Reader
		if unpacked, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(unpacked)
		}
	}
	var values metricspb.ExportMetricsServiceRequest
	var records logspb.ExportLogsServiceRequest
	switch {
	case err != nil:
	case r.URL.Path == "/v1/metrics":
		err = proto.Unmarshal(body, &values)
	default:
		err = proto.Unmarshal(body, &records)
	}
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range values.ResourceMetrics {
		for _, m := range of.ScopeMetrics[0].Metrics {
			c.metrics[m.Name] = true
		}
	}
	for _, of := range records.ResourceLogs {
		for _, x := range of.ScopeLogs[0].LogRecords {
			text := x.EventName
			for _, kv := range x.Attributes {
				if kv.Key == "luna.device" || kv.Key == "luna.alarm.group" {
					text += " " + kv.Value.GetStringValue()
				}
			}
			c.records = append(c.records, text)
		}
	}
}

func (c *otlpCollector) has(metric string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.metrics[metric]
}

// count returns how many records have these words.
func (c *otlpCollector) count(words string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.records {
		if strings.Contains(r, words) {
			n++
		}
	}
	return n
}

// TestOTLP: a collector gets the metrics of the HSMs and of the agent, and each alarm as a
// record, also what was raised while it was dead.
func TestOTLP(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	address := listener.Addr().String()
	c := &otlpCollector{t: t, metrics: map[string]bool{}}
	server := &http.Server{Handler: c}
	go server.Serve(listener)
	e := startEstate(t, "otlp: {endpoint: http://"+address+", interval: 5s}\nreceivers:\n- {name: collector, otlp: {endpoint: http://"+address+"}}\n")
	first := e.agent.store.Latest().HSMs()[0].Name
	second := e.agent.store.Latest().HSMs()[1].Name
	e.inject(t, first, "certificate 5")
	e.until(t, "the alarm arrives", func() bool { return c.count("lunawatch.alarm.raised ntls-certificate "+first) == 1 })
	for _, name := range []string{"luna_build_info", "luna_hsm_info", "luna_source_success"} {
		e.until(t, name+" arrives", func() bool { return c.has(name) })
	}
	check.Must(t, server.Close())
	e.inject(t, second, "certificate 5")
	e.until(t, "an alarm while it is dead", func() bool { return e.active(second, "ntls-certificate") })
	e.until(t, "an attempt", func() bool { return e.agent.watch.Deliveries()["collector"].Failed > 0 })
	listener, err = net.Listen("tcp", address)
	check.Must(t, err)
	server = &http.Server{Handler: c}
	go server.Serve(listener)
	defer server.Close()
	e.agent.watch.Retry("collector")
	e.until(t, "the alarm arrives afterwards", func() bool { return c.count("lunawatch.alarm.raised ntls-certificate "+second) == 1 })
	if n := c.count("lunawatch.alarm.raised ntls-certificate " + first); n != 1 {
		t.Errorf("the first alarm came %d times", n)
	}
}
