package agent

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// TestAFailureIsLoggedOnce however many sources share it and however long.
func TestAFailureIsLoggedOnce(t *testing.T) {
	var text strings.Builder
	a := &Agent{store: hsm.NewStore(), log: slog.New(slog.NewTextHandler(&text, nil))}
	see := func(f hsm.Failure, sources ...string) {
		for _, s := range sources {
			o := hsm.Observation{Device: "a", Source: s, Failure: f}
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
