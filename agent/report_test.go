package agent

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/exporters/history"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAFailureIsLoggedOnce however many sources share it and however long.
func TestAFailureIsLoggedOnce(t *testing.T) {
	var text strings.Builder
	a := &Agent{store: hsm.NewStore(), history: history.New(slog.New(slog.DiscardHandler)), log: slog.New(slog.NewTextHandler(&text, nil))}
	var now time.Time
	see := func(f hsm.Failure, sources ...string) {
		for _, s := range sources {
			now = now.Add(time.Second)
			o := hsm.Observation{Device: "a", Source: s, Failure: f, At: now}
			if f != hsm.None {
				o.Err = errors.New("because")
			}
			a.report(o)
		}
	}
	for _, step := range []struct {
		failure hsm.Failure
		sources []string
		lines   int
	}{
		{hsm.None, []string{"x", "y"}, 0},
		{hsm.Unreachable, []string{"x", "y"}, 1},
		{hsm.Unreachable, []string{"x", "y"}, 0},
		{hsm.None, []string{"x", "y"}, 1},
		{hsm.Unreachable, []string{"x"}, 1}, // by the session between two polls
		{hsm.None, []string{"x"}, 1},
		{hsm.Command, []string{"y"}, 1},
		{hsm.Timeout, []string{"y"}, 1},
		{hsm.None, []string{"y"}, 1},
	} {
		text.Reset()
		see(step.failure, step.sources...)
		if n := strings.Count(text.String(), "\n"); n != step.lines {
			t.Errorf("%q of %v: %d lines, want %d:\n%s", step.failure, step.sources, n, step.lines, &text)
		}
	}
}
