package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSpan reads when a silence begins and ends: a clock time is the next
// there is.
func TestSpan(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this host")
	}
	now := time.Date(2026, 3, 28, 23, 0, 0, 0, berlin) // the night that is an hour short
	for _, x := range []struct {
		from, until string
		length      time.Duration
		want        string // or the beginning of the error
	}{
		{"", "", 2 * time.Hour, "28 23:00 - 29 01:00"},
		{"", "06:00", 0, "28 23:00 - 29 06:00"},
		{"", "23:30", 0, "28 23:00 - 28 23:30"},
		{"22:00", "06:00", 0, "29 22:00 - 30 06:00"},
		{"2026-03-30 22:00", "23:00", 0, "30 22:00 - 30 23:00"},
		{"2026-03-30 22:00", "", time.Hour, "30 22:00 - 30 23:00"},
		{"", "2026-03-29T12:00:00Z", 0, "28 23:00 - 29 14:00"},
		{"", "2026-03-29 12:00:00 +00:00", 0, "28 23:00 - 29 14:00"}, // as texts print it
		{"", "", 0, "say when it ends"},
		{"", "06:00", time.Hour, "say when it ends"},
		{"", "", -time.Hour, "-for -1h0m0s is negative"},
		{"", "2026-03-28 22:00", 0, "-until 2026-03-28 22:00 is not after now"},
		{"2026-03-30 22:00", "2026-03-30 21:00", 0, "-until 2026-03-30 21:00 is not after"},
		{"soon", "", time.Hour, `-from: "soon" is not a time`},
	} {
		from, until, err := span(x.from, x.until, x.length, now)
		got := from.In(berlin).Format("02 15:04") + " - " + until.In(berlin).Format("02 15:04")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, x.want) {
			t.Errorf("%+v: %s", x, got)
		}
	}
}

func TestReplayOfADamagedLog(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"header": "\x1f\x8b",
		"cut":    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04",
		"long":   strings.Repeat("x", 2<<20),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		if code := run(t.Context(), []string{"alarms", "replay", file}, stdio{nil, discard{}, &said}); code != exitError || !strings.Contains(said.String(), file) {
			t.Errorf("%s: exit code %d, %s", name, code, &said)
		}
	}
}
