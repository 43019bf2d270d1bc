package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHosts: a name that leads here but is not ours gets nothing to read, and no
// answer lets a browser run or frame anything.
func TestHosts(t *testing.T) {
	h := Hosts(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("secret")) }), func() []string { return []string{"localhost", "mon1.example.net"} })
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
