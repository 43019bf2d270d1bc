package grafana

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// units are the names of units that Grafana has, as far as panels use them.
var units = []string{"none", "short", "percentunit", "celsius", "volt", "s", "bytes", "reqps", "cps", "rotrpm", "bool_yes_no"}

// dashboard is what the test reads of a file.
type dashboard struct {
	UID, Title, Description string
	SchemaVersion           int
	Templating              struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []struct {
		ID                       int
		Type, Title, Description string
		Datasource               struct{ Type, UID string }
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct{ RefID, Expr, LegendFormat string }
		FieldConfig              struct {
			Defaults struct {
				Unit       string
				Thresholds struct {
					Steps []struct {
						Color string
						Value *float64
					}
				}
			}
		}
	}
}

// TestBoards holds the files to the tables, and each to what Grafana needs and people
// read: an identifier of its own, and of each panel a title, a unit and a description.
func TestBoards(t *testing.T) {
	uids := map[string]bool{}
	for name, b := range boards {
		text, err := b.text()
		check.Must(t, err)
		check.Golden(t, "../"+name+".json", text)
		var d dashboard
		check.Must(t, json.Unmarshal(text, &d))
		if d.UID == "" || len(d.UID) > 40 || uids[d.UID] || d.Title == "" || d.Description == "" || d.SchemaVersion < 39 {
			t.Errorf("%s: %q %q %q %d", name, d.UID, d.Title, d.Description, d.SchemaVersion)
		}
		uids[d.UID] = true
		if len(text) > 30_000 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		var variables []string
		for _, v := range d.Templating.List {
			variables = append(variables, v.Name)
		}
		ids, titles := map[int]bool{}, map[string]bool{}
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] || titles[p.Title] || p.Title == "" || p.Description == "" || !slices.Contains(units, p.FieldConfig.Defaults.Unit) || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
				t.Errorf("%s: %+v", name, p)
			}
			ids[p.ID], titles[p.Title] = true, true
			steps := p.FieldConfig.Defaults.Thresholds.Steps
			for i, s := range steps {
				if (s.Value == nil) != (i == 0) || i > 1 && *s.Value <= *steps[i-1].Value {
					t.Errorf("%s: %s: thresholds %+v", name, p.Title, steps)
				}
			}
			for _, target := range p.Targets {
				for _, v := range regexp.MustCompile(`\$\{?([a-z_]+)`).FindAllStringSubmatch(target.Expr, -1) {
					if !slices.Contains(variables, v[1]) {
						t.Errorf("%s: %s: there is no variable %s", name, p.Title, v[1])
					}
				}
				if slices.Contains(variables, "device") != strings.Contains(target.Expr, `device="$device"`) {
					t.Errorf("%s: %s: %s", name, p.Title, target.Expr)
				}
				if len(p.Targets) > 1 && target.LegendFormat == "" {
					t.Errorf("%s: %s: a series without a name", name, p.Title)
				}
			}
		}
	}
	files, err := filepath.Glob("*.json")
	check.Must(t, err)
	if len(files) != len(boards) {
		t.Errorf("%q, and %d boards", files, len(boards))
	}
	for _, f := range files {
		if text, err := os.ReadFile(f); err != nil || !json.Valid(text) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// TestSyntax: promtool takes each expression.
func TestSyntax(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("promtool (package prometheus) is not installed")
	} else if err != nil {
		t.Skip("promtool (package prometheus) is not installed")
	}
	rules := []any{}
	for _, b := range boards {
		for _, p := range b.panels {
			for _, e := range p.exprs {
				rules = append(rules, map[string]string{"record": fmt.Sprintf("board:%d", len(rules)), "expr": strings.ReplaceAll(e.query, "$device", "luna-a")})
			}
		}
	}
	text, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "boards", "rules": rules}}})
	check.Must(t, err)
	file := filepath.Join(t.TempDir(), "rules.yml")
	check.Must(t, os.WriteFile(file, text, 0o600))
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
