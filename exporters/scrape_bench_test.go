package exporters

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lunawatch/lunawatch/internal/check"
)

// BenchmarkScrape is a scrape of 10, 100 and 1,000 HSMs with 20 partitions each,
// of which none, a tenth or all have had a fast round of polls since the scrape
// before. It reports CPU time without that of the polls, bytes, and the memory
// that is held between scrapes.
//
//	go test ./exporters -run '^$' -bench Scrape -benchtime 5x
func BenchmarkScrape(b *testing.B) {
	for _, devices := range []int{10, 100, 1000} {
		e := newEstate(b, devices, 20)
		before := heap()
		handler := Web(e.store, nil, NewPrometheus(e.store, e.clock), prometheus.NewRegistry(), "/metrics")
		for _, encoding := range []string{"identity", "gzip"} {
			for _, part := range []int{0, 10, 1} {
				b.Run(fmt.Sprintf("hsms=%d/changed=%s/%s", devices, map[int]string{0: "none", 10: "tenth", 1: "all"}[part], encoding), func(b *testing.B) {
					r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
					r.Header.Set("Accept-Encoding", encoding)
					handler.ServeHTTP(&sink{header: make(http.Header)}, r)
					b.ReportAllocs()
					var used time.Duration
					w := &sink{}
					for b.Loop() {
						b.StopTimer()
						for i := 0; part > 0 && i < devices; i += part {
							e.poll(e.names[(i+e.polls)%devices], fast...)
						}
						runtime.GC()
						w = &sink{header: make(http.Header)}
						start := cpu(b)
						b.StartTimer()
						handler.ServeHTTP(w, r)
						used += cpu(b) - start
					}
					b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
					b.ReportMetric(float64(w.bytes), "body-bytes")
					b.ReportMetric(float64(heap()-before)/(1<<20), "held-MB")
				})
			}
		}
	}
}

// cpu returns what this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	check.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A sink is a client that takes everything at once.
type sink struct {
	header http.Header
	bytes  int64
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(p []byte) (int, error) {
	s.bytes += int64(len(p))
	return len(p), nil
}
