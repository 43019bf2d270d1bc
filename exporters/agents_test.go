package exporters

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
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

// TestDiscoveryOfAgents: in a cluster /sd of any agent leads to each device at the agent that
// reads it, and to each agent; where one serves nothing that is known, it has no target.
func TestDiscoveryOfAgents(t *testing.T) {
	e := newEstate(t, 4, 1)
	for name, agent := range map[string]string{"hsm0001": "lw2", "hsm0002": "lw3", "hsm0003": "lw4"} {
		d := *e.store.Latest().Device(name)
		e.store.Forget(name)
		e.store.Expect(hsm.NetworkHSM, name)
		e.store.Adopt(agent, &d)
	}
	p := NewPrometheus(e.store, e.clock)
	p.Agents = func() map[string]string {
		return map[string]string{"lw2": "http://192.0.2.2:9477", "lw3": "https://192.0.2.3:9477"}
	}
	targets := func() (list []string) {
		r := httptest.NewRequest(http.MethodGet, "/sd", nil)
		r.Host = "lw1:9477"
		w := httptest.NewRecorder()
		e.web(p).ServeHTTP(w, r)
		var got []target
		check.Must(t, json.Unmarshal(w.Body.Bytes(), &got))
		for _, g := range got {
			list = append(list, strings.TrimSpace(g.Labels["__scheme__"]+" "+g.Targets[0]+" "+g.Labels["__param_device"]))
		}
		return list
	}
	want := []string{
		"lw1:9477 lunawatch", "192.0.2.2:9477 lunawatch", "https 192.0.2.3:9477 lunawatch",
		"lw1:9477 hsm0000", "192.0.2.2:9477 hsm0001", "https 192.0.2.3:9477 hsm0002",
	}
	if diff := cmp.Diff(want, targets()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	p.AllAgents = true
	want = append(want[:3], "lw1:9477 hsm0000", "lw1:9477 hsm0001", "lw1:9477 hsm0002", "lw1:9477 hsm0003")
	if diff := cmp.Diff(want, targets()); diff != "" {
		t.Errorf("all are served here, want (-), got (+):\n%s", diff)
	}
}
