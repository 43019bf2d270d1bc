package exporters

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestWeb(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "a")
	clock := func() time.Time { return now }
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("the estate")) })
	web := Web(store, pages, NewPrometheus(store, clock), prometheus.NewRegistry(), "/metrics")
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		web.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, text := get("/-/ready"); code != http.StatusServiceUnavailable || !strings.Contains(text, "a has not been asked yet") {
		t.Errorf("ready before the first poll: %d %s", code, text)
	}
	store.Apply(hsm.Observation{
		Device: "a", Source: "hsm show", At: now, MaxAge: time.Minute,
		Facts: []hsm.Fact{hsm.Show{Serial: "1", Label: hsm.Some("<b>\xff"), Environment: &hsm.Environment{BatteryVolts: hsm.Some(3.0)}}},
	})
	for path, want := range map[string]string{
		"/-/ready":   "is ready",
		"/-/healthy": "is healthy",
		"/":          "the estate",
		"/metrics":   `luna_hsm_battery_volts{device="a"} 3`,
	} {
		if code, text := get(path); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d, no %q in\n%s", path, code, want, text)
		}
	}
	if code, _ := get("/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown page: %d", code)
	}
}

// TestRunbooks: a page of each group is beside the metrics.
func TestRunbooks(t *testing.T) {
	w := httptest.NewRecorder()
	Web(hsm.NewStore(), nil, nil, nil, "/metrics").ServeHTTP(w, httptest.NewRequest("GET", "/runbooks/battery", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "battery: Battery low or depleted") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestMetricsPath: no path of the metrics stands in the way of another page.
func TestMetricsPath(t *testing.T) {
	for path, good := range map[string]bool{
		"/metrics": true, "/luna/metrics": true, "/metrics.txt": true, "/-/metrics": true, "/sd": true,
		"/hsms": false, "/api": false, "/api/v1/estate": false, "/silences": false, "/apis": true, "/alarms/metrics": false, "/live": false, "/hsmsx": true,
		"": false, "metrics": false, "/": false, "/-/healthy": false, "/-/ready": false, "/a b": false, "/{x}": false, "//x": false, "/x/../sd": false, "/x/": false, "/runbooks": false, "/runbooks/battery": false, "GET /x": false,
	} {
		err := ValidPath(path)
		if (err == nil) != good {
			t.Errorf("%q: %v", path, err)
		}
		if err == nil {
			Web(hsm.NewStore(), nil, nil, nil, path)
		}
	}
}
