package exporters

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestSourcesAndServices: what sources disagree on, services and the requests
// of partitions are in the metrics and the text, and leave them with the data.
func TestSourcesAndServices(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "a")
	read := func(minute int, source string, facts ...hsm.Fact) {
		store.Apply(hsm.Observation{Device: "a", Source: source, At: start.Add(time.Duration(minute) * time.Minute), MaxAge: 10 * time.Minute, Facts: facts})
	}
	for minute := range 3 {
		read(minute, "hsm show", hsm.Show{Serial: "532018"})
		read(minute, "rest hsm", hsm.Show{Serial: "532019"})
	}
	read(2, "rest services", hsm.Services{{Name: "ntp", Status: "stopped", OnBoot: hsm.Some(true)}, {Name: "stc", Status: "resting"}})
	read(2, "rest metrics", hsm.Operations{Partitions: []hsm.PartitionOperations{{Serial: "77", Requests: map[string]uint64{"sign": 12}}}})
	now := start.Add(3 * time.Minute)
	web := Web(store, nil, NewPrometheus(store, func() time.Time { return now }), prometheus.NewRegistry(), "/metrics")
	metrics := func() string {
		w := httptest.NewRecorder()
		web.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
	series := []string{
		`luna_source_disagreement{device="a",other="rest hsm",source="hsm show",what="serial"} 1`,
		`luna_appliance_service_running{device="a",service="ntp"} 0`,
		`luna_appliance_service_on_boot{device="a",service="ntp"} 1`,
		`luna_appliance_service_info{device="a",service="stc",status="resting"} 1`,
		`luna_partition_operation_requests_total{device="a",operation="sign",partition="77"} 12`,
	}
	got := metrics()
	for _, want := range series {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(got, `luna_appliance_service_running{device="a",service="stc"}`) {
		t.Error("an unknown status counts as running or not")
	}
	const differs = "serial: hsm show says 532018, rest hsm says 532019, since 2026-03-01T12:00:00Z"
	var text bytes.Buffer
	ShowText(&text, store.Latest().Devices[0], now)
	for _, want := range []string{"SOURCES DISAGREE on " + differs, "ntp:                                stopped"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text lacks %q:\n%s", want, &text)
		}
	}
	now = start.Add(time.Hour)
	got = metrics()
	for _, gone := range series {
		if strings.Contains(got, gone) {
			t.Errorf("stale, yet %s", gone)
		}
	}
}
