package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	got := table([]result{
		{100, "now", figures{"rss_mb": 90.4}, ""},
		{10, "now", figures{"rss_mb": 31, "scrape_seconds": 0.02}, ""},
		{10, "before", figures{"rss_mb": 50}, ""},
		{10, "before", figures{"rss_mb": 40}, ""},
		{10, "before", figures{"rss_mb": 70}, ""},
	})
	for _, line := range []string{
		"| HSMs | 10, before | 10, now | 100, now |\n|---|--:|--:|--:|\n",
		"| RSS, MB | 50 | 31 | 90 |\n",
		"| /metrics, s | unknown | 0.020 | unknown |\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("the table lacks %q:\n%s", line, got)
		}
	}
}

// TestCosts: two scrapes in 60 s, one of 10 s that took 6 s of CPU, one of 2 s that took
// 1.2 s, and 0.1 s of CPU per second for polls.
func TestCosts(t *testing.T) {
	f := make(figures)
	watched{seconds: 60, cpu: 12, scrapes: []scrape{
		{seconds: 10, cpu: 6, bytes: 2e6, page: page{oldest: 61}},
		{seconds: 2, cpu: 1.2, bytes: 5e5, gzip: true, page: page{oldest: 60, failing: 3, single: map[string]float64{"go_goroutines": 7}}},
	}}.costs(f, 10)
	for key, want := range map[string]float64{
		"cpu_ms_per_hsm_minute": 600, "cpu_with_scrapes_ms_per_hsm_minute": 1200,
		"scrape_seconds": 10, "scrape_cpu_seconds": 5, "scrape_mb": 2,
		"scrape_gzip_seconds": 2, "scrape_gzip_cpu_seconds": 1, "scrape_gzip_mb": 0.5,
		"oldest_value_seconds": 61, "sources_failing": 3, "goroutines": 7,
	} {
		if got, known := f[key]; !known || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if v, known := f["descriptors"]; known {
		t.Errorf("descriptors are %v, and nobody said so", v)
	}
}
