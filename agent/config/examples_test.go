package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestExamples loads every file in examples. Each watches and notifies what it
// is there for, and is in the README.
func TestExamples(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	check.Must(t, err)
	watches := map[string]func(c Config) bool{
		"one-appliance.yaml": func(c Config) bool { return len(c.HSMs) == 1 && c.Receivers[0].SMTP != nil },
		"pcie-host.yaml": func(c Config) bool {
			return len(c.HSMs) == 0 && c.LunaCM.Enabled && c.SNMP.Enabled && c.Receivers[0].AgentX != nil
		},
		"ha-client.yaml": func(c Config) bool { return c.HA.Enabled && !c.LunaCM.Enabled && c.Receivers[0].PagerDuty != nil },
		"estate-alertmanager.yaml": func(c Config) bool {
			return len(c.HSMs) == 3 && len(c.HSMs[1].Expect.Partitions) == 2 && c.Receivers[0].Alertmanager != nil
		},
	}
	entries, err := os.ReadDir("../../examples")
	check.Must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := slices.Sorted(maps.Keys(watches)); !slices.Equal(names, want) {
		t.Errorf("examples holds %q, listed are %q", names, want)
	}
	for name, watched := range watches {
		c, err := Read(filepath.Join("../../examples", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !watched(c) {
			t.Errorf("%s does not configure what it is there for", name)
		}
		if !strings.Contains(string(readme), "examples/"+name) {
			t.Errorf("README.md does not name examples/%s", name)
		}
	}
}
