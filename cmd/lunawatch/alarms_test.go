package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
