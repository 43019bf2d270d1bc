package managers

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// A walk is what snmpbulkwalk -OnUeb printed of a real snmpd with the agent, which
// watches three simulated appliances: values by OIDs with a leading dot, in order.
type walk struct {
	order  []string
	values map[string]string // without type and quotes
}

// recorded reads testdata: estate.walk with all three, away.walk with two of them away
// until what was measured was too old.
func recorded(t *testing.T, name string) walk {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	check.Must(t, err)
	return parse(t, string(text))
}

func parse(t *testing.T, text string) walk {
	t.Helper()
	w := walk{values: make(map[string]string)}
	for line := range strings.Lines(text) {
		key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		if !found {
			t.Fatalf("%q is no line of a walk", line)
		}
		if _, rest, typed := strings.Cut(value, ": "); typed && !strings.HasPrefix(value, `"`) {
			value = rest
		}
		w.order = append(w.order, key)
		w.values[key] = strings.Trim(value, `"`)
	}
	return w
}

// columns returns the rows of a table of ours: values by the names of columns, by index
// in the order of the walk.
func (w walk) columns(t *testing.T, table string) (indexes []string, rows map[string]map[string]string) {
	t.Helper()
	prefix := oid(table) + ".1."
	names := make(map[string]string)
	for name, n := range oids {
		if column, ok := strings.CutPrefix(n, prefix); ok {
			names[column] = name
		}
	}
	rows = make(map[string]map[string]string)
	for _, key := range w.order {
		rest, ok := strings.CutPrefix(key, prefix)
		column, index, _ := strings.Cut(rest, ".")
		if !ok || names[column] == "" {
			continue
		}
		if rows[index] == nil {
			rows[index] = make(map[string]string)
			indexes = append(indexes, index)
		}
		rows[index][names[column]] = w.values[key]
	}
	if len(names) == 0 {
		t.Fatalf("no columns of %s", table)
	}
	return indexes, rows
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	check.Must(t, err)
	return n
}
