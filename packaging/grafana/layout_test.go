package grafana

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// TestLayout holds each file to what Grafana demands of a dashboard's identifiers,
// panels, queries and variables: panels lie side by side on a grid of 24 columns, and each
// query of a panel has a letter of its own.
func TestLayout(t *testing.T) {
	uid := regexp.MustCompile(`^[A-Za-z0-9_-]{1,40}$`)
	for name := range boards {
		text, err := os.ReadFile(name + ".json")
		check.Must(t, err)
		var d dashboard
		check.Must(t, json.Unmarshal(text, &d))
		if !uid.MatchString(d.UID) {
			t.Errorf("%s: uid %q", name, d.UID)
		}
		variables := map[string]bool{}
		for _, v := range d.Templating.List {
			if variables[v.Name] || v.Query == "" || !slices.Contains([]string{"datasource", "query"}, v.Type) {
				t.Errorf("%s: variable %+v", name, v)
			}
			variables[v.Name] = true
		}
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			if !slices.Contains([]string{"timeseries", "stat", "table"}, p.Type) {
				t.Errorf("%s: %s is a %q", name, p.Title, p.Type)
			}
			g := p.GridPos
			if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 3 || g.X+g.W > 24 {
				t.Errorf("%s: %s lies at %+v", name, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s lies over %s", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			queries := map[string]bool{}
			for _, q := range p.Targets {
				if queries[q.RefID] || len(q.RefID) != 1 || q.RefID < "A" || q.RefID > "Z" || q.Expr == "" {
					t.Errorf("%s: %s: query %+v", name, p.Title, q)
				}
				queries[q.RefID] = true
			}
		}
	}
}
