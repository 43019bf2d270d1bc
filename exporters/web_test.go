package exporters

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

func TestWeb(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "a")
	state := AlarmState{}
	clock := func() time.Time { return now }
	web := Web(store, func() AlarmState { return state }, NewPrometheus(store, clock), prometheus.NewRegistry(), "/metrics", clock)
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
		"/":          "3.000 V",
		"/metrics":   `luna_hsm_battery_volts{device="a"} 3`,
	} {
		if code, text := get(path); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d, no %q in\n%s", path, code, want, text)
		}
	}
	if _, text := get("/"); strings.Contains(text, "<b>") || strings.Contains(text, `class="stale"`) {
		t.Errorf("a label is markup, or fresh is stale:\n%s", text)
	}
	if _, text := get("/"); !strings.Contains(text, "No active alarms.") || !strings.Contains(text, "nobody is notified of alarms") || strings.Contains(text, "Silences") {
		t.Errorf("without alarms and receivers:\n%s", text)
	}
	state = alarmState(now)
	_, text := get("/")
	for _, want := range []string{
		`<td class="critical">critical</td>`, `<tr id="` + strings.TrimPrefix(alarms.Anchor(7), "#") + `">`, "a &lt;i&gt;tamper&lt;/i&gt;", "Acknowledged by &lt;anna&gt; at 2026-03-01 11:50:00 &#43;00:00: looking",
		"Silenced until 2026-03-01 13:00:00 &#43;00:00 by bob: moving it (silence 3)", "Caused by a/hard-ht; notification sent for that alarm only", "Flapping",
		"<td>HSM a, minor or milder</td>", "connection refused", "disk full",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "<i>") || strings.Contains(text, "<form") {
		t.Errorf("what a log says is markup, or the page takes input:\n%s", text)
	}
	now = now.Add(2 * time.Minute)
	if _, text := get("/"); !strings.Contains(text, `class="stale"`) || strings.Contains(text, "3.000 V") {
		t.Errorf("stale data look fresh:\n%s", text)
	}
	if code, _ := get("/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown page: %d", code)
	}
}

// TestRunbooks: a page of each group is beside the metrics.
func TestRunbooks(t *testing.T) {
	w := httptest.NewRecorder()
	Web(hsm.NewStore(), nil, nil, nil, "/metrics", time.Now).ServeHTTP(w, httptest.NewRequest("GET", "/runbooks/battery", nil))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "battery: Battery low or depleted") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestMetricsPath: no path of the metrics stands in the way of another page.
func TestMetricsPath(t *testing.T) {
	for path, good := range map[string]bool{
		"/metrics": true, "/luna/metrics": true, "/metrics.txt": true, "/-/metrics": true, "/sd": true,
		"": false, "metrics": false, "/": false, "/-/healthy": false, "/-/ready": false, "/a b": false, "/{x}": false, "//x": false, "/x/../sd": false, "/x/": false, "/runbooks": false, "/runbooks/battery": false, "GET /x": false,
	} {
		err := ValidPath(path)
		if (err == nil) != good {
			t.Errorf("%q: %v", path, err)
		}
		if err == nil {
			Web(hsm.NewStore(), nil, nil, nil, path, time.Now)
		}
	}
}
