package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/agent/guard"
	"github.com/lunawatch/lunawatch/exporters"
)

// TestEveryWarningIsExplained: whatever check-config warns of, alarms explain takes.
func TestEveryWarningIsExplained(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"k": 0o644, "c.yaml": 0o666} {
		text := "hsms: [{name: a, address: 192.0.2.1, password_file: " + dir + "/k, known_hosts_file: k}]\nreceivers: [{name: pager, opsgenie: {api_key_file: /k}}]\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Read(filepath.Join(dir, "c.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	list := append(c.Warnings(), guard.OpenWeb([]string{":9477"}, "")...)
	if len(list) != 4 {
		t.Errorf("%d warnings: %q", len(list), list)
	}
	for _, w := range list {
		if err := exporters.Explain(io.Discard, "Warning: "+w+"."); err != nil {
			t.Error(err)
		}
	}
}
