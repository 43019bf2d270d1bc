package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	promcollectors "github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/lunawatch/lunawatch/exporters"
	"github.com/lunawatch/lunawatch/internal/check"
)

var (
	// expression finds each expression of rules (YAML) and of dashboards (JSON).
	expression = regexp.MustCompile(`(?m)^\s*-? ?"?expr"?: (.*)$`)
	recorded   = regexp.MustCompile(`(?m)^\s*- record: (\S+)$`)
	templated  = regexp.MustCompile(`"query": "label_values\((.*)\)"`)
	selector   = regexp.MustCompile(`\b((?:luna|go|process)_[a-z0-9_]+|[a-z]+:[a-z0-9_]+:[a-z0-9]+)(?:\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)`)
	listed     = regexp.MustCompile(`\b(?:by|on|ignoring|without|group_left) ?\(([^)]*)\)`)
	variable   = regexp.MustCompile(`(fqName|variableLabels): (?:"([^"]*)"|\{([^}]*)\})`)
)

// served returns the labels of each family of /metrics: of devices, and of the agent.
func served(t *testing.T) map[string][]string {
	t.Helper()
	families := map[string][]string{}
	for _, f := range exporters.Families() {
		families[f.Name] = f.Labels
	}
	descs := make(chan *prometheus.Desc, 1000)
	self{}.Describe(descs)
	close(descs)
	for d := range descs {
		m := variable.FindAllStringSubmatch(d.String(), -1)
		if len(m) != 2 {
			t.Fatalf("%s", d)
		}
		families[m[0][2]] = strings.Split(m[1][3], ",")
	}
	process := prometheus.NewRegistry()
	process.MustRegister(promcollectors.NewGoCollector(), promcollectors.NewProcessCollector(promcollectors.ProcessCollectorOpts{}))
	gathered, err := process.Gather()
	check.Must(t, err)
	for _, f := range gathered {
		families[f.GetName()] = nil
	}
	golden, err := os.ReadFile("testdata/metrics.txt")
	check.Must(t, err)
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllSubmatch(golden, -1) {
		if _, known := families[string(m[1])]; !known {
			t.Errorf("/metrics has %s, which no table has", m[1])
		}
	}
	return families
}

// TestExpressions: each series and each label in a rule or a dashboard is one that the
// agent serves, or that a rule records.
func TestExpressions(t *testing.T) {
	families := served(t)
	records := map[string]bool{}
	var labels []string
	for _, list := range families {
		labels = append(labels, list...)
	}
	common := []string{"instance", "job"}
	labels = append(labels, common...)
	files, err := filepath.Glob("../packaging/*/*.rules.yml")
	check.Must(t, err)
	dashboards, err := filepath.Glob("../packaging/grafana/*.json")
	check.Must(t, err)
	found := 0
	for _, file := range append(files, dashboards...) {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		for _, m := range recorded.FindAllSubmatch(text, -1) {
			records[string(m[1])] = true
		}
		for _, m := range append(expression.FindAllSubmatch(text, -1), templated.FindAllSubmatch(text, -1)...) {
			expr := strings.ReplaceAll(string(m[1]), `\"`, `"`)
			for _, s := range selector.FindAllStringSubmatch(expr, -1) {
				found++
				own, known := families[s[1]]
				if !known && !records[s[1]] {
					t.Errorf("%s: nothing serves or records %s: %s", file, s[1], expr)
				}
				for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
					if known && !slices.Contains(append(own, common...), l[1]) {
						t.Errorf("%s: %s has no label %s", file, s[1], l[1])
					}
				}
			}
			for _, l := range listed.FindAllStringSubmatch(expr, -1) {
				for name := range strings.SplitSeq(l[1], ",") {
					if name = strings.TrimSpace(name); name != "" && !slices.Contains(labels, name) {
						t.Errorf("%s: no family has the label %s: %s", file, name, expr)
					}
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("%d series in all rules and dashboards", found)
	}
}
