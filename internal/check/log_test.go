package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var logged = regexp.MustCompile(`(?:[lL]og|slog)\.(?:Warn|Error)\("([^"]+)"`)

// TestLogIsExplained: docs/troubleshooting.md explains each warning and error that the
// program logs, and nothing that it does not.
func TestLogIsExplained(t *testing.T) {
	text := Documents(t, root)["docs/troubleshooting.md"]
	_, table, found := strings.Cut(text, "\n## What the log says\n")
	if !found {
		t.Fatal("docs/troubleshooting.md has no table of what the log says")
	}
	messages := make(map[string]bool)
	Must(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "simulator" || d.Name() == "benchsize" || d.Name() == "faults" || file != root && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(file)
		for _, m := range logged.FindAllSubmatch(source, -1) {
			messages[string(m[1])] = true
		}
		return err
	}))
	for message := range messages {
		if !strings.Contains(table, "\n| "+message+" |") {
			t.Errorf("docs/troubleshooting.md does not explain %q", message)
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(table, -1)[1:] {
		if !messages[row[1]] {
			t.Errorf("docs/troubleshooting.md explains %q, which nothing logs", row[1])
		}
	}
}
