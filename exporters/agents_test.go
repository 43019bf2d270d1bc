package exporters

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestSeriesOfThisAgentOnly: a device that another agent reads has its series there, and
// here only if all are wanted; also once it has come or gone.
func TestSeriesOfThisAgentOnly(t *testing.T) {
	e := newEstate(t, 3, 1)
	own, all := NewPrometheus(e.store, e.clock), NewPrometheus(e.store, e.clock)
	all.AllAgents = true
	says := func(what string, p *Prometheus, want ...string) {
		t.Helper()
		web := e.web(p)
		for path, accept := range map[string]string{"/metrics": "", "/metrics?device=hsm0000&device=hsm0001&device=hsm0002": "application/openmetrics-text"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("Accept", accept)
			w := httptest.NewRecorder()
			web.ServeHTTP(w, r)
			var got []string
			for _, name := range e.names {
				if strings.Contains(w.Body.String(), `device="`+name+`"`) {
					got = append(got, name)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has series of %q, want %q", what, path, got, want)
			}
		}
	}
	says("one agent", own, e.names...)
	d := *e.store.Latest().Device("hsm0001")
	e.store.Forget("hsm0001")
	e.store.Expect(hsm.NetworkHSM, "hsm0001")
	e.store.Adopt("lw2", &d)
	says("lw2 reads one", own, "hsm0000", "hsm0002")
	says("lw2 reads one, and all are wanted", all, e.names...)
	e.poll("hsm0001", fast...)
	says("it is taken over", own, e.names...)
}
