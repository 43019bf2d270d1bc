package exporters

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/collectors/formats"
	"github.com/lunawatch/lunawatch/hsm"
)

// sameLine are lines that releases print in different words, and what we print.
var sameLine = strings.NewReplacer("Hardware Model:", "HSM Model:", "PED Keys", "PED keys", "Partitions created on HSM (1):", "Partitions created on HSM:", "Informaton", "Information",
	"No tampers", "No tamper(s)", "HSM IS ZEROIZED !!!!", "HSM is zeroized!", "no label", "(none)", "[none]", "(none)", "Not Logged In", "Not Logged In")

// TestVendorWords: hsm show prints every line that LunaSH printed, partitions included.
func TestVendorWords(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	format, _ := formats.Named("hsm-show")
	files, _ := filepath.Glob("../collectors/formats/testdata/*/hsm-show.txt")
	if len(files) < 3 {
		t.Fatalf("%d fixtures", len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fact, _, err := format.Parse(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var b strings.Builder
		ShowText(&b, &hsm.Device{Name: "a", Show: hsm.Section[hsm.Show]{At: now, MaxAge: time.Minute, Value: fact.(hsm.Show)}}, now)
		printed := make(map[string]bool)
		for line := range strings.Lines(b.String()) {
			printed[words(line)] = true
		}
		for line := range strings.Lines(string(text)) {
			line = words(sameLine.Replace(line))
			if line == "" || strings.Contains(line, "lunash:>") || strings.HasPrefix(line, "=") || strings.HasPrefix(line, "Command Result") {
				continue
			}
			if !printed[line] {
				t.Errorf("%s: no %q in\n%s", file, line, &b)
				break
			}
		}
	}
}

func words(line string) string { return strings.Join(strings.Fields(line), " ") }

// TestTenantsInTables: names that somebody on the HSM chose move no cursor.
func TestTenantsInTables(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	evil := "p\x1b[2J\n   HSM Zeroized: No"
	d := &hsm.Device{Name: "a", Show: hsm.Section[hsm.Show]{At: now, MaxAge: time.Minute, Value: hsm.Show{Label: hsm.Some(evil), Partitions: []hsm.NamedPartition{{Serial: "1", Name: evil}}}},
		Partitions: hsm.Section[[]hsm.Partition]{At: now, MaxAge: time.Minute, Value: []hsm.Partition{{Serial: "1", Name: evil}}}}
	var b strings.Builder
	ShowText(&b, d, now)
	PartitionsText(&b, d, now)
	d.HA = hsm.Section[hsm.HA]{At: now, MaxAge: time.Minute, Value: hsm.HA{LogFile: evil, Certificates: []hsm.ClientCertificate{{Subject: evil}},
		Groups: []hsm.HAGroupState{{Serial: evil, Members: []hsm.HAMemberState{{Serial: evil, Label: hsm.Some(evil)}}}}}}
	HAText(&b, d, now)
	if strings.Contains(b.String(), "\x1b") || strings.Contains(b.String(), "\n   HSM Zeroized: No") || strings.Count(b.String(), "p?[2J?   HSM") != 8 {
		t.Errorf("%q", b.String())
	}
}
