package check

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Documents returns the text of each document for users and developers, by its path
// from root, the directory of the checkout. CHANGELOG.md is not among them: it names
// what was.
func Documents(tb testing.TB, root string) map[string]string {
	tb.Helper()
	texts := make(map[string]string)
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		Must(tb, err)
		texts[name] = string(text)
	}
	Must(tb, filepath.WalkDir(filepath.Join(root, "docs"), func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".md" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		texts[name] = string(text)
		return err
	}))
	return texts
}
