package snmpexporter

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/lunawatch/lunawatch/contrib/object"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/mib/modules"
)

func objects(t *testing.T) []object.Object {
	t.Helper()
	ours, err := filepath.Glob("../../mibs/*.txt")
	check.Must(t, err)
	base, err := filepath.Glob("../../mibs/base/*.txt")
	check.Must(t, err)
	var texts []string
	for _, file := range slices.Concat(ours, base) {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		texts = append(texts, string(text))
	}
	list, err := object.Read(texts)
	check.Must(t, err)
	return list
}

// TestInput holds the generator's input to the modules: -update writes it.
func TestInput(t *testing.T) {
	for file, auths := range map[string]bool{"../generator.yml": true, "../generator-0.21.yml": false} {
		text, err := Input(objects(t), auths)
		check.Must(t, err)
		check.Golden(t, file, text)
	}
}

// TestOutput: what ships is what each release's generator makes of its input. It is skipped
// without the generator: that of 0.21 is Debian's, and LUNAWATCH_SNMP_EXPORTER_GENERATOR is
// the path of one of 0.23 or later.
func TestOutput(t *testing.T) {
	for _, g := range []struct{ name, program, input, output string }{
		{"0.21", "prometheus-snmp-generator", "generator-0.21.yml", "../snmp-0.21.yml"},
		{"today", os.Getenv("LUNAWATCH_SNMP_EXPORTER_GENERATOR"), "generator.yml", "../snmp.yml"},
	} {
		t.Run(g.name, func(t *testing.T) {
			program, err := exec.LookPath(g.program)
			if err != nil {
				t.Skipf("NOT TESTED with the generator: %v", err)
			}
			dir := t.TempDir()
			input, err := os.ReadFile(g.input)
			check.Must(t, err)
			check.Must(t, os.WriteFile(filepath.Join(dir, "generator.yml"), input, 0o600))
			mibs, err := filepath.Abs("../../mibs")
			check.Must(t, err)
			cmd := exec.CommandContext(t.Context(), program, "--fail-on-parse-errors", "generate")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "MIBDIRS="+mibs+":"+mibs+"/base")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			output, err := os.ReadFile(filepath.Join(dir, "snmp.yml"))
			check.Must(t, err)
			check.Golden(t, g.output, output)
		})
	}
}

// A metric is what a file for snmp_exporter says of an object.
type metric struct {
	Name   string         `yaml:"name"`
	OID    string         `yaml:"oid"`
	Type   string         `yaml:"type"`
	Scale  float64        `yaml:"scale"`
	Labels map[int]string `yaml:"enum_values"`
	Index  []struct {
		Label string `yaml:"labelname"`
	} `yaml:"indexes"`
}

type metrics struct {
	Metrics []metric `yaml:"metrics"`
}

// metricsOf reads both formats.
func metricsOf(t *testing.T, file string) map[string]metric {
	t.Helper()
	text, err := os.ReadFile(file)
	check.Must(t, err)
	var today struct {
		Modules map[string]metrics `yaml:"modules"`
	}
	check.Must(t, yaml.Unmarshal(text, &today))
	if today.Modules == nil {
		check.Must(t, yaml.Unmarshal(text, &today.Modules))
	}
	all := make(map[string]metric)
	for _, m := range today.Modules {
		for _, m := range m.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// TestWhole: both files have every object that is served below the nodes of a module, with its OID,
// labels and indexes. They are older than the modules otherwise.
func TestWhole(t *testing.T) {
	byName, list := make(map[string]object.Object), objects(t)
	for _, o := range list {
		byName[o.Name] = o
	}
	for _, file := range []string{"snmp.yml", "snmp-0.21.yml"} {
		all, n := metricsOf(t, file), 0
		for name := range modules.Tables().Objects() {
			o := byName[name]
			i := slices.IndexFunc(parts, func(p part) bool { return p.has(o) })
			if i < 0 {
				continue
			}
			n++
			want := typeOf(o)
			if parts[i].asLabel(list, name) {
				want = ""
			}
			m, found := all[name]
			if !found || m.OID != o.OID || m.Scale != 0 || want != "" && m.Type != want || want == "" && m.Type == "EnumAsStateSet" {
				t.Errorf("%s: %s is %+v", file, name, m)
			}
			if len(m.Labels) != len(o.Labels) || slices.ContainsFunc(o.Labels, func(l object.Label) bool { return m.Labels[l.Value] != l.Name }) {
				t.Errorf("%s: labels of %s are %v, want %v", file, name, m.Labels, o.Labels)
			}
			if len(m.Index) != len(o.Index) {
				t.Errorf("%s: indexes of %s are %v, want %v", file, name, m.Index, o.Index)
			}
		}
		if n < 150 {
			t.Errorf("%s has %d objects", file, n)
		}
	}
}
