package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestOpenFiles: files of secrets that everybody can read, and programs that others
// can change, are named with the remedy.
func TestOpenFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		check.Must(t, os.WriteFile(path, []byte("x"), 0o600))
		check.Must(t, os.Chmod(path, mode))
		return path
	}
	site := file("lunawatch.yaml", 0o600)
	check.Must(t, os.WriteFile(site, fmt.Appendf(nil, `
hsms:
- {name: a, address: "192.0.2.1", password_file: %s, known_hosts_file: %s}
receivers:
- {name: x, exec: {command: [%s]}}
- {name: y, webhook: {url: "https://h/", secret_file: %s, ca_file: %s}}
`, file("password", 0o644), file("known_hosts", 0o664), file("script", 0o775), file("secret", 0o640), file("ca", 0o644)), 0o600))
	check.Must(t, os.Chmod(site, 0o620))
	c, err := Read(site)
	check.Must(t, err)
	got := strings.Join(c.Warnings(), "\n")
	want := []string{"configuration: ", "hsms[0].password_file: ", "hsms[0].known_hosts_file: ", "receivers[0].exec.command: "}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("no warning of %s in\n%s", w, got)
		}
	}
	if n := len(c.Warnings()); n != len(want) {
		t.Errorf("%d warnings:\n%s", n, got)
	}
}
