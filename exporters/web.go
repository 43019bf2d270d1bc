package exporters

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/hsm"
)

// Web serves metrics under path, /sd for service discovery, /-/healthy and
// /-/ready as Prometheus programs do, and the status page, which takes no input.
// Metrics are those of devices, and of others. Ready means that every HSM has
// been asked at least once.
func Web(store *hsm.Store, alarms func() AlarmState, devices *Prometheus, others prometheus.Gatherer, path string, now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { scrape(w, r, devices, others) })
	if path != "/sd" {
		mux.HandleFunc("GET /sd", func(w http.ResponseWriter, r *http.Request) { discover(w, r, store.Latest().Devices, path) })
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
	if path != "/" {
		mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
			page(w, store.Latest(), alarms(), path, now())
		})
	}
	return mux
}
