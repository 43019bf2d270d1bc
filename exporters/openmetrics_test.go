package exporters

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
)

// prometheusAccepts is what Prometheus 2.42 sends.
const prometheusAccepts = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

// zeroIngestionAccepts is what Prometheus sends with created-timestamp-zero-ingestion.
const zeroIngestionAccepts = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

// TestOpenMetrics: who takes it and asks for devices gets OpenMetrics, with when the HSM
// was reset beside what begins at 0 then, where that is known.
func TestOpenMetrics(t *testing.T) {
	asked := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	store := hsm.NewStore()
	read := func(device string, m hsm.Monitor) {
		store.Expect(hsm.NetworkHSM, device)
		store.Apply(hsm.Observation{Device: device, Source: "hsm information monitor", At: asked, MaxAge: time.Hour, Facts: []hsm.Fact{m}})
		store.Apply(hsm.Observation{Device: device, Source: "hsm information show", At: asked, MaxAge: time.Hour, Facts: []hsm.Fact{hsm.Information{OperationRequests: hsm.Some[uint64](7)}}})
	}
	read(`a"b`, hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 3600, Commands: 42}}})
	read("odd", hsm.Monitor{Samples: []hsm.Sample{{UptimeSeconds: 4294967310, Commands: 5}}})
	read("unknown", hsm.Monitor{BusySeconds: hsm.Some(1.5)})
	own := prometheus.NewRegistry()
	own.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "of_the_agent_total", Help: "Its own."}, func() float64 { return 1 }))
	now := asked.Add(time.Minute)
	web := Web(store, nil, NewPrometheus(store, func() time.Time { return now }), own, "/metrics")
	ask := func(query, accept string) (string, string) {
		r := httptest.NewRequest("GET", "/metrics"+query, nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		web.ServeHTTP(w, r)
		return w.Header().Get("Content-Type"), w.Body.String()
	}
	kind, text := ask("?device=a%22b&device=odd&device=unknown&device=lunawatch", prometheusAccepts)
	if kind != openMetricsType || !strings.HasSuffix(text, "\n# EOF\n") {
		t.Errorf("%s\n%s", kind, text)
	}
	for _, want := range []string{
		"# TYPE luna_hsm_commands counter\n" + `luna_hsm_commands_total{device="a\"b"} 42` + "\n" + fmt.Sprintf(`luna_hsm_commands_created{device="a\"b"} %d`, asked.Unix()-3600) + "\n" + `luna_hsm_commands_total{device="odd"} 5` + "\n",
		`luna_hsm_busy_seconds_total{device="unknown"} 1.5` + "\n",
		`luna_hsm_operation_requests_total{device="unknown"} 7` + "\n",
		"# TYPE of_the_agent counter\nof_the_agent_total 1", "# TYPE luna_hsm_uptime_seconds gauge\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "_created{"); n != 1 {
		t.Errorf("%d times of creation in\n%s", n, text)
	}
	types := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(text, -1) {
		if types[m[1]] || strings.HasSuffix(m[1], "_total") {
			t.Errorf("family %s twice, or of no name of OpenMetrics", m[1])
		}
		types[m[1]] = true
	}
	if kind, _ := ask("?device=odd", zeroIngestionAccepts); kind != openMetricsType {
		t.Errorf("to a Prometheus that takes times of creation: %s", kind)
	}
	now = asked.Add(2 * time.Hour)
	if _, text := ask("?device=a%22b", prometheusAccepts); strings.Contains(text, "_created") {
		t.Errorf("of stale data:\n%s", text)
	}
	for query, accept := range map[string]string{"?device=odd": "text/plain", "": prometheusAccepts} {
		if kind, text := ask(query, accept); kind != expositionType || strings.Contains(text, "# EOF") {
			t.Errorf("%q, %q: %s", query, accept, kind)
		}
	}
}

// TestOpenMetricsNames: no counter without its _total has the name of another family.
func TestOpenMetricsNames(t *testing.T) {
	names := map[string]string{}
	for _, m := range metrics {
		base := m.name
		if m.kind == counter {
			base = strings.TrimSuffix(m.name, "_total")
		}
		for _, taken := range []string{base, base + "_created"} {
			if other := names[taken]; other != "" {
				t.Errorf("%s and %s have one name in OpenMetrics", m.name, other)
			}
		}
		names[base] = m.name
	}
	for _, name := range sinceReset {
		if names[strings.TrimSuffix(name, "_total")] != name {
			t.Errorf("%s is no counter", name)
		}
	}
}
