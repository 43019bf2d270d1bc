package main

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestMeasure measures the agent of this checkout for two seconds.
func TestMeasure(t *testing.T) {
	dir := t.TempDir()
	lunasim, agent := filepath.Join(dir, "lunasim"), filepath.Join(dir, "lunawatch")
	check.Must(t, goBuild(t.Context(), "../..", lunasim, "./cmd/lunasim"))
	check.Must(t, goBuild(t.Context(), "../..", agent, "./cmd/lunawatch"))
	p := plan{
		every:  intervals{fast: time.Minute, slow: 24 * time.Hour, hourly: 24 * time.Hour},
		window: 2 * time.Second, between: 500 * time.Millisecond, readable: time.Minute,
		lines: 10_000, hang: "hsm-000[1-3]",
	}
	stage := t.TempDir()
	f, err := p.measure(t.Context(), stage, lunasim, agent, noisy+alarming)
	alarmstest.Peer(t, err)
	for _, row := range slices.Concat(rows, underLoad) {
		_, known := f[row.key]
		// No second read of hsm show is due within the window.
		if late := row.key == "lateness_p50_seconds" || row.key == "lateness_p99_seconds"; known == late {
			t.Errorf("%s: known %v", row.key, known)
		}
	}
	if f["connections"] < 57 || f["logins"] < 60 || f["traps"] < 3 || f["walk_varbinds"] < 10 || f["rss_mb"] < 5 || f["cpu_with_scrapes_ms_per_hsm_minute"] <= 0 {
		t.Errorf("figures: %v", f)
	}
}
