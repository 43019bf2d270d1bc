package exporters

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/exporters/runbook"
	"github.com/lunawatch/lunawatch/hsm"
)

// ownPaths are taken beside the metrics. The metrics may take that of service
// discovery, which has no use to somebody who wants that.
var ownPaths = []string{"/", "/-/healthy", "/-/ready", "/-/reload"}

// pagePaths are taken by pages, with all that is below them.
var pagePaths = []string{"hsms", "ha", "alarms", "silences", "agent", "live", "assets", "api"}

// metricsPath is what a path of the metrics may be: no pattern, and not one that would
// be redirected.
var metricsPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// ValidPath returns why the metrics cannot be served under path; nil: they can.
func ValidPath(path string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case slices.Contains(ownPaths, path), slices.Contains(pagePaths, first), strings.HasPrefix(path+"/", runbook.Path):
		return fmt.Errorf("%q is the path of another page; choose another, such as /metrics", path)
	case !metricsPath.MatchString(path):
		return fmt.Errorf("%q is no path such as /metrics", path)
	}
	return nil
}

// Web serves metrics under path, /sd for service discovery, /-/healthy and
// /-/ready as Prometheus programs do, and runbooks; whatever else is asked for, pages answer
// (nil: nothing else is there). Metrics are those of devices, and of others. Ready
// means that every HSM has been asked at least once. It panics unless path is a
// [ValidPath].
func Web(store *hsm.Store, pages http.Handler, devices *Prometheus, others prometheus.Gatherer, path string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { scrape(w, r, devices, others) })
	if path != "/sd" {
		mux.HandleFunc("GET /sd", func(w http.ResponseWriter, r *http.Request) { discover(w, r, devices, path) })
	}
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("Lunawatch is healthy.\n")) })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		for _, d := range store.Latest().Devices {
			if len(d.Sources) == 0 {
				http.Error(w, d.Name+" has not been asked yet.", http.StatusServiceUnavailable)
				return
			}
		}
		w.Write([]byte("Lunawatch is ready.\n"))
	})
	mux.Handle("GET "+runbook.Path, runbook.Handler())
	if pages != nil {
		mux.Handle("/", pages)
	}
	return mux
}
