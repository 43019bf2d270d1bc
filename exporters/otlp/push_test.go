package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/lunawatch/lunawatch/alarms/receivers"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A taker is a collector, which answers as the test wants and keeps what it takes.
type taker struct {
	t      *testing.T
	mu     sync.Mutex
	status int
	answer string
	values map[string]float64 // by name and attributes
	got    chan struct{}      // after each request
}

func newTaker(t *testing.T) *taker {
	return &taker{t: t, status: 200, values: map[string]float64{}, got: make(chan struct{}, 1000)}
}

func (c *taker) say(status int, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.answer = status, answer
}

func (c *taker) has(series string) (float64, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.values[series]
	return v, ok
}

// ServeHTTP implements [http.Handler] as the specification of OTLP over HTTP has it.
func (c *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.got <- struct{}{} }()
	if c.status != 200 || c.answer != "" {
		w.WriteHeader(c.status)
		fmt.Fprint(w, c.answer)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			c.t.Error(err)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var request collector.ExportMetricsServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &request)
	}
	if err != nil || r.URL.Path != "/v1/metrics" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("%s: %v", r.URL, err)
	}
	for _, of := range request.ResourceMetrics {
		if len(of.Resource.Attributes) < 2 || of.Resource.Attributes[0].Value.GetStringValue() != "lunawatch" {
			c.t.Errorf("resource %v", of.Resource)
		}
		for _, scope := range of.ScopeMetrics {
			for _, m := range scope.Metrics {
				for _, p := range append(m.GetGauge().GetDataPoints(), m.GetSum().GetDataPoints()...) {
					c.values[series(m.Name, p.Attributes)] = p.GetAsDouble()
				}
				for _, p := range m.GetSummary().GetDataPoints() {
					c.values[series(m.Name, p.Attributes)] = p.Sum
				}
			}
		}
	}
}

func series(name string, attributes []*common.KeyValue) string {
	var labels []string
	for _, kv := range attributes {
		labels = append(labels, kv.Key+"="+kv.Value.GetStringValue())
	}
	slices.Sort(labels)
	return name + " " + strings.Join(labels, ",")
}

// parts returns these families as one part.
func parts(families ...*dto.MetricFamily) func() iter.Seq2[[]*dto.MetricFamily, error] {
	return func() iter.Seq2[[]*dto.MetricFamily, error] {
		return func(yield func([]*dto.MetricFamily, error) bool) { yield(families, nil) }
	}
}

// gauge returns a family with one value of a device.
func gauge(name, device string, value float64) *dto.MetricFamily {
	label := "device"
	return &dto.MetricFamily{Name: &name, Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: &label, Value: &device}}, Gauge: &dto.Gauge{Value: &value}}}}
}

func newPush(url string, log io.Writer, families func() iter.Seq2[[]*dto.MetricFamily, error]) *Push {
	return &Push{Settings: Settings{Collector: receivers.Collector{Endpoint: url}, Interval: 5 * time.Second}, Families: families, Counts: &Counts{}, Log: slog.New(slog.NewTextHandler(log, nil))}
}

// TestEverySeries: a collector has each series of the devices and of the agent, with its value.
func TestEverySeries(t *testing.T) {
	store := hsm.NewStore()
	for _, name := range []string{"luna-a", "<script>\"\\é"} {
		store.Expect(hsm.NetworkHSM, name)
		store.Apply(hsm.Observation{Device: name, Kind: hsm.NetworkHSM, Source: "hsm show", At: time.Now(), MaxAge: time.Hour,
			Facts: []hsm.Fact{hsm.Show{Serial: "532018", PartitionsCreated: hsm.Some[int64](4)}}})
	}
	own := prometheus.NewRegistry()
	own.MustRegister(promcollectors.NewGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{}))
	families, err := own.Gather()
	check.Must(t, err)
	for part, err := range exporters.NewPrometheus(store, time.Now).Parts() {
		check.Must(t, err)
		families = append(families, part...)
	}
	c := newTaker(t)
	server := httptest.NewServer(c)
	defer server.Close()
	check.Must(t, newPush(server.URL, io.Discard, parts(families...)).once(t.Context()))
	want := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var attributes []*common.KeyValue
			for _, l := range m.Label {
				attributes = append(attributes, &common.KeyValue{Key: l.GetName(), Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: l.GetValue()}}})
			}
			attributes = slices.DeleteFunc(attributes, func(kv *common.KeyValue) bool { return kv.Value.GetStringValue() == "" })
			want[series(f.GetName(), attributes)] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetSummary().GetSampleSum()
		}
	}
	if diff := cmp.Diff(want, c.values); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if v := c.values[`luna_hsm_partitions device=<script>"\é`]; v != 4 {
		t.Errorf("a hostile name: %v\n%v", v, c.values)
	}
}

// TestCollectorComesBack: nothing waits for a collector that is dead, busy or something
// else; it is logged once, and the next push that it takes has the newest values.
func TestCollectorComesBack(t *testing.T) {
	partial, err := proto.Marshal(&collector.ExportMetricsServiceResponse{PartialSuccess: &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 3}})
	check.Must(t, err)
	c := newTaker(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check.Must(t, err)
	address := listener.Addr().String()
	check.Must(t, listener.Close())
	value := 0.0
	var log bytes.Buffer
	p := newPush("http://"+address, &log, func() iter.Seq2[[]*dto.MetricFamily, error] { value++; return parts(gauge("luna_x", "a", value))() })
	failing := func(why, want string) {
		t.Helper()
		if err := p.once(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", why, err)
		}
		if v, ok := c.has("luna_x device=a"); ok && v == value {
			t.Errorf("%s: taken nevertheless", why)
		}
	}
	failing("nobody there", "connection refused")
	listener, err = net.Listen("tcp", address)
	check.Must(t, err)
	server := &http.Server{Handler: c}
	go server.Serve(listener)
	check.Must(t, p.once(t.Context()))
	if v, _ := c.has("luna_x device=a"); v != value {
		t.Errorf("after it came: %v, want %v", v, value)
	}
	c.say(503, "busy")
	failing("busy", "503")
	c.say(200, "\xff\xff\xff garbage")
	failing("garbage", "not that of an OTLP collector")
	c.say(200, "<html>hello</html>")
	failing("a page", "not that of an OTLP collector")
	c.say(200, string(partial))
	failing("a part", "rejects 3 values")
	check.Must(t, server.Close())
	failing("killed", "connection refused")
	listener, err = net.Listen("tcp", address)
	check.Must(t, err)
	c.say(200, "")
	server = &http.Server{Handler: c}
	go server.Serve(listener)
	defer server.Close()
	check.Must(t, p.once(t.Context()))
	if v, _ := c.has("luna_x device=a"); v != value {
		t.Errorf("after it came back: %v, want %v", v, value)
	}
}

// TestRun pushes until its context is done, counts, and logs a failure once.
func TestRun(t *testing.T) {
	c := newTaker(t)
	c.say(503, "")
	server := httptest.NewServer(c)
	defer server.Close()
	var log bytes.Buffer
	p := newPush(server.URL, &log, parts(gauge("luna_x", "a", 1)))
	p.Interval = time.Millisecond * 50
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.Run(ctx) }()
	for range 3 {
		<-c.got
	}
	c.say(200, "")
	for _, ok := c.has("luna_x device=a"); !ok; _, ok = c.has("luna_x device=a") {
		<-c.got
	}
	<-c.got // the one before has been counted
	<-c.got
	cancel()
	check.Must(t, <-ended)
	if n := strings.Count(log.String(), "metrics not pushed"); n != 1 || strings.Count(log.String(), "metrics are pushed again") != 1 {
		t.Errorf("the log:\n%s", &log)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.Counts)
	families, err := registry.Gather()
	check.Must(t, err)
	if len(families) != 3 || families[0].Metric[0].GetCounter().GetValue() < 3 || families[1].Metric[0].GetGauge().GetValue() == 0 || families[2].Metric[0].GetCounter().GetValue() < 1 {
		t.Errorf("%v", families)
	}
}

// TestCounts: before the first push there is nothing, not 0.
func TestCounts(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&Counts{})
	if families, err := registry.Gather(); err != nil || len(families) != 0 {
		t.Errorf("%v %v", families, err)
	}
}

// TestTLS: a collector with a certificate of nobody known is refused, and gets nothing.
func TestTLS(t *testing.T) {
	c := newTaker(t)
	server := httptest.NewTLSServer(c)
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secret := filepath.Join(t.TempDir(), "headers")
	check.Must(t, os.WriteFile(secret, []byte("Authorization: Bearer x7Kq-never\n"), 0o600))
	p := newPush(server.URL, io.Discard, parts(gauge("luna_x", "a", 1)))
	p.HeadersFile = setting.File(secret)
	if err := p.once(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "x7Kq") {
		t.Errorf("%v", err)
	}
	if _, ok := c.has("luna_x device=a"); ok {
		t.Error("it was sent nevertheless")
	}
}

// TestSettings: off unless an endpoint is set, and then complete.
func TestSettings(t *testing.T) {
	off := Settings{Interval: time.Minute}
	if off.Enabled() || off.Validate() != nil {
		t.Errorf("%v %v", off.Enabled(), off.Validate())
	}
	for s, want := range map[Settings]string{
		{Interval: time.Second}: "interval",
		{Interval: time.Minute, Collector: receivers.Collector{Endpoint: "x"}}: "endpoint",
	} {
		if err := s.Validate(); err == nil || !strings.Contains(errors.Join(err).Error(), want) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// BenchmarkPush has the cost of one push of 1,000 devices.
func BenchmarkPush(b *testing.B) {
	var families []*dto.MetricFamily
	for i := range 480 {
		f := gauge(fmt.Sprintf("luna_family_%d", i), "luna-0", float64(i))
		for d := range 15 {
			f.Metric = append(f.Metric, gauge("", fmt.Sprintf("luna-%d", d+1), float64(d)).Metric...)
		}
		families = append(families, f)
	}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	p := newPush(server.URL, io.Discard, nil)
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 / 16 {
			check.Must(b, p.part(b.Context(), families))
		}
	}
}
