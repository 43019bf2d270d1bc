package agent

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestDiscoveryAtOurNames: /sd has an address of ours in its targets, and never the
// name of somebody else that leads here.
func TestDiscoveryAtOurNames(t *testing.T) {
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "a")
	h := guard.Hosts(exporters.Web(store, nil, exporters.NewPrometheus(store, time.Now), prometheus.NewRegistry(), "/metrics"), func() []string { return []string{"mon1.example.net"} })
	for host, want := range map[string]string{"mon1.example.net:9477": `["mon1.example.net:9477"]`, "[::1]:9477": `["[::1]:9477"]`, "evil.example.org:9477": ""} {
		r := httptest.NewRequest("GET", "/sd", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Body.String(); want != "" && !strings.Contains(got, `"targets":`+want) || want == "" && (w.Code != http.StatusMisdirectedRequest || strings.Contains(got, "evil")) {
			t.Errorf("%s: %d %s", host, w.Code, got)
		}
	}
}
