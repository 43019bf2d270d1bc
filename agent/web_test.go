package agent

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestGuarded: a name that leads here but is not ours gets nothing to read, and no
// answer lets a browser run or frame anything.
func TestGuarded(t *testing.T) {
	h := guarded(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("secret")) }), []string{"localhost", "mon1.example.net"})
	for host, want := range map[string]int{
		"localhost:9477": 200, "127.0.0.1:9477": 200, "[::1]:9477": 200, "192.0.2.7": 200, "MON1.example.net:9477": 200, "": 200,
		"evil.example.org:9477": 421, "mon1.example.net.evil.org": 421, "localhost.evil.org:9477": 421,
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want || (want != 200) == strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%q: %d %s", host, w.Code, w.Body)
		}
		for name, value := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			if !strings.HasPrefix(w.Header().Get(name), value) {
				t.Errorf("%q: %s is %q", host, name, w.Header().Get(name))
			}
		}
	}
	for address, want := range map[string]bool{"127.0.0.1:9477": true, "[::1]:1": true, "localhost:1": true, ":9477": false, "0.0.0.0:1": false, "192.0.2.7:1": false} {
		if isLoopback(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

// TestDiscoveryAtOurNames: /sd has an address of ours in its targets, and never the
// name of somebody else that leads here.
func TestDiscoveryAtOurNames(t *testing.T) {
	store := hsm.NewStore()
	store.Expect(hsm.NetworkHSM, "a")
	h := guarded(exporters.Web(store, nil, exporters.NewPrometheus(store, time.Now), prometheus.NewRegistry(), "/metrics", time.Now), []string{"mon1.example.net"})
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
