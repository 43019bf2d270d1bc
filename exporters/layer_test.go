package exporters

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestFailedLayer: the layer at which a source fails is in the metrics while it does, and where it is known.
func TestFailedLayer(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		layer hsm.Layer
		err   error
		want  string // "": no series
	}{
		{"it works", hsm.LayerUnknown, nil, ""},
		{"refused", hsm.LayerPortRefused, collectors.Failf(hsm.Unreachable, "connect"), `luna_source_failed_layer{device="a",layer="port-refused",source="hsm show"} 1`},
		{"not known", hsm.LayerUnknown, collectors.Failf(hsm.Command, "an error"), ""},
	} {
		store := hsm.NewStore()
		store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: now, Failure: hsm.Unreachable, Err: collectors.Failf(hsm.Unreachable, "before"), Layer: hsm.LayerRoute})
		store.Apply(hsm.Observation{Device: "a", Source: "hsm show", At: now, Failure: collectors.FailureOf(test.err), Err: test.err, Layer: test.layer})
		devices := NewPrometheus(store, func() time.Time { return now })
		w := httptest.NewRecorder()
		scrape(w, httptest.NewRequest("GET", "/metrics", nil), devices, prometheus.NewRegistry())
		got := ""
		for line := range strings.Lines(w.Body.String()) {
			if strings.HasPrefix(line, "luna_source_failed_layer{") {
				got += strings.TrimSpace(line)
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
