package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/internal/check"
)

const document = "| module | licence | for |\n|---|---|---|\n| `go.etcd.io/bbolt` | MIT | the journal |\n" +
	"| `github.com/gosnmp/gosnmp` | BSD-2-Clause AND BSD-3-Clause | SNMP |\n"

func program() *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Path:      "github.com/lunawatch/lunawatch/cmd/lunawatch",
		Main:      debug.Module{Path: "github.com/lunawatch/lunawatch", Version: "v1.2.3+dirty"},
		Deps: []*debug.Module{
			{Path: "github.com/gosnmp/gosnmp", Version: "v1.47.0", Sum: "h1:snmp="},
			{Path: "go.etcd.io/bbolt", Version: "v1.5.0", Sum: "h1:bolt="},
		},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}},
	}
}

func TestList(t *testing.T) {
	got, err := list(program(), "5a5a", readLicences(document))
	check.Must(t, err)
	want := []component{
		{Type: "library", Ref: "pkg:golang/stdlib@1.26.8", Name: "stdlib", Version: "1.26.8", PURL: "pkg:golang/stdlib@1.26.8",
			Licences: []licence{{License: &spdx{"BSD-3-Clause"}}}},
		{Type: "library", Ref: "pkg:golang/github.com/gosnmp/gosnmp@v1.47.0", Name: "github.com/gosnmp/gosnmp", Version: "v1.47.0",
			PURL: "pkg:golang/github.com/gosnmp/gosnmp@v1.47.0", Licences: []licence{{Expression: "BSD-2-Clause AND BSD-3-Clause"}},
			Properties: []property{{"go:sum", "h1:snmp="}}},
		{Type: "library", Ref: "pkg:golang/go.etcd.io/bbolt@v1.5.0", Name: "go.etcd.io/bbolt", Version: "v1.5.0",
			PURL: "pkg:golang/go.etcd.io/bbolt@v1.5.0", Licences: []licence{{License: &spdx{"MIT"}}}, Properties: []property{{"go:sum", "h1:bolt="}}},
	}
	if diff := cmp.Diff(want, got.Components); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	purl := "pkg:golang/github.com/lunawatch/lunawatch@v1.2.3%2Bdirty#cmd/lunawatch"
	self := component{Type: "application", Ref: purl, Name: "github.com/lunawatch/lunawatch", Version: "v1.2.3+dirty", PURL: purl,
		Licences: []licence{{License: &spdx{"Apache-2.0"}}}, Hashes: []hash{{"SHA-256", "5a5a"}}, Properties: []property{{"go:build:vcs.revision", "c0ffee"}}}
	if diff := cmp.Diff(self, got.Metadata.Component); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestListWithoutLicence(t *testing.T) {
	_, err := list(program(), "", readLicences(strings.ReplaceAll(document, "bbolt", "bolt")))
	if err == nil || !strings.Contains(err.Error(), "go.etcd.io/bbolt is linked") {
		t.Errorf("got %v", err)
	}
}

func TestVersionOfAnArchive(t *testing.T) {
	if got := entry("application", "example.org/x", "(devel)", "MIT").PURL; got != "pkg:golang/example.org/x" {
		t.Errorf("got %s", got)
	}
}

// TestWriteTwice lists this test's own program, twice.
func TestWriteTwice(t *testing.T) {
	self, err := os.Executable()
	check.Must(t, err)
	var texts [2]string
	for i := range texts {
		out := filepath.Join(t.TempDir(), "bom.json")
		_, err := write(self, "../../docs/dependencies.md", out)
		check.Must(t, err)
		text, err := os.ReadFile(out)
		check.Must(t, err)
		if !json.Valid(text) {
			t.Errorf("no JSON: %s", text)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		t.Errorf("two lists of one program differ:\n%s", cmp.Diff(texts[0], texts[1]))
	}
}
