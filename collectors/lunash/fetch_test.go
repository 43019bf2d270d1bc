package lunash

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/simulator"
)

// TestFetchHostKey: the key is the one that a client sees, with the algorithms that it
// needs, and nobody logged in.
func TestFetchHostKey(t *testing.T) {
	scenario := filepath.Join(t.TempDir(), "scenario.yaml")
	check.Must(t, os.WriteFile(scenario, []byte("appliances:\n- {name: old, model: \"5.4\", old_ssh: true}\n- {name: new, model: \"7.2\"}\n"), 0o600))
	e := collectortest.StartEstate(t, scenario)
	for _, a := range e.Appliances {
		k, err := FetchHostKey(t.Context(), a.SSHAddress)
		check.Must(t, err)
		if k.Local != "127.0.0.1" {
			t.Errorf("%s: this host is %q", a.Name, k.Local)
		}
		if old := len(k.Algorithms.HostKeys) > 0; old != (a.Name == "old") {
			t.Errorf("%s of %s needs %+v", a.Name, a.Model, k.Algorithms)
		}
		l := luna(t, e, a.Name)
		l.HostKey, l.KnownHostsFile, l.Algorithms = k.Fingerprint, "", k.Algorithms
		counts, err := simulator.CountsOf(t.Context(), filepath.Dir(e.ControlSocket))
		check.Must(t, err)
		before := counts.Logins
		if _, err := l.Run(t.Context(), "hsm show"); err != nil {
			t.Errorf("%s with %+v: %v", a.Name, k, err)
		}
		counts, err = simulator.CountsOf(t.Context(), filepath.Dir(e.ControlSocket))
		check.Must(t, err)
		if counts.Logins != before+1 || before > 1 {
			t.Errorf("%d logins before the client's, %d after", before, counts.Logins)
		}
	}
	_, err := FetchHostKey(t.Context(), "127.0.0.1:1")
	if collectors.LayerOf(err) != hsm.LayerPortRefused {
		t.Errorf("nobody listens: %v", err)
	}
}
