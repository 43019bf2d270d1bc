package zabbix

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lunawatch/lunawatch/contrib/object"
	"github.com/lunawatch/lunawatch/internal/check"
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

// TestTemplate holds the template to the modules: -update writes it.
func TestTemplate(t *testing.T) {
	text, err := Template(objects(t))
	check.Must(t, err)
	check.Golden(t, "../lunawatch.yaml", text)
}
