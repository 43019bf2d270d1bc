package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

var (
	recording  = regexp.MustCompile(`- record: (\S+)\n\s+expr: (.*)\n`)
	named      = regexp.MustCompile(`{{ *([a-z_]+) *}}`)
	grouped    = regexp.MustCompile(`\bby ?\(([^)]*)\)`)
	aggregated = regexp.MustCompile(`\b(?:sum|max|min|avg|count) ?(?:\(|by\b)`)
)

// TestLegends: a label that a dashboard names a series by is one that its expression
// leaves: of an aggregation those it is by, and else those of a family in it.
func TestLegends(t *testing.T) {
	families := served(t)
	rules, err := os.ReadFile("../packaging/prometheus/lunawatch.rules.yml")
	check.Must(t, err)
	for _, m := range recording.FindAllSubmatch(rules, -1) {
		families[string(m[1])] = left(families, string(m[2]))
	}
	files, err := filepath.Glob("../packaging/grafana/*.json")
	check.Must(t, err)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		var d struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr, LegendFormat string }
			}
		}
		check.Must(t, json.Unmarshal(text, &d))
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				labels := left(families, q.Expr)
				for _, m := range named.FindAllStringSubmatch(q.LegendFormat, -1) {
					if found++; !slices.Contains(labels, m[1]) {
						t.Errorf("%s: %s: %s is none of %q, which %s leaves", file, p.Title, m[1], labels, q.Expr)
					}
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d labels in all legends", found)
	}
}

// left returns the labels that the series of an expression have.
func left(families map[string][]string, expr string) (labels []string) {
	if aggregated.MatchString(expr) {
		for _, by := range grouped.FindAllStringSubmatch(expr, -1) {
			for name := range strings.SplitSeq(by[1], ",") {
				labels = append(labels, strings.TrimSpace(name))
			}
		}
		return labels
	}
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, families[s[1]]...)
	}
	return append(labels, "instance", "job")
}
