package check_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"

	"github.com/lunawatch/lunawatch/internal/check"
)

var (
	requirement   = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`)
	dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|")
)

// dependencies returns the rows of a section of docs/dependencies.md: of each module
// its licence.
func dependencies(t *testing.T, section string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/dependencies.md")
	check.Must(t, err)
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		t.Fatalf("docs/dependencies.md has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	rows := make(map[string]string)
	for _, row := range dependencyRow.FindAllStringSubmatch(rest, -1) {
		rows[row[1]] = strings.TrimSpace(row[2])
	}
	return rows
}

// linked returns the modules of others that are in the program for production.
func linked(t *testing.T) map[string]bool {
	t.Helper()
	modules := make(map[string]bool)
	packages.Visit(load(t, packages.NeedName|packages.NeedImports|packages.NeedDeps|packages.NeedModule, "./cmd/lunawatch"), nil, func(p *packages.Package) {
		if p.Module != nil && !p.Module.Main {
			modules[p.Module.Path] = true
		}
	})
	return modules
}

// TestDependencies holds docs/dependencies.md, go.mod and the program together.
func TestDependencies(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	check.Must(t, err)
	inProgram := linked(t)
	want := make(map[string][]string)
	for _, line := range requirement.FindAllStringSubmatch(string(text), -1) {
		section := "Direct, for tests only"
		if inProgram[line[1]] {
			section = "Direct, in the program"
		}
		want[section] = append(want[section], line[1])
		delete(inProgram, line[1])
	}
	want["Indirect, in the program"] = slices.Collect(maps.Keys(inProgram))
	if len(want) != 3 {
		t.Errorf("go.mod has direct requirements for %d sections only", len(want)-1)
	}
	for section, modules := range want {
		slices.Sort(modules)
		if diff := cmp.Diff(modules, slices.Sorted(maps.Keys(dependencies(t, section)))); diff != "" {
			t.Errorf("%s (-go.mod +docs/dependencies.md):\n%s", section, diff)
		}
	}
}

// licences are what only the text of a licence has. BSD-2-Clause is within
// BSD-3-Clause.
var licences = []struct{ id, text string }{
	{"Apache-2.0", "Apache License Version 2.0"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"BSD-3-Clause", "Neither the name"},
	{"LGPL-3.0-only", "GNU LESSER GENERAL PUBLIC LICENSE Version 3"},
	{"MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"MPL-2.0", "Mozilla Public License"},
}

// TestLicences holds the licences in docs/dependencies.md against those of the modules.
func TestLicences(t *testing.T) {
	rows := make(map[string]string)
	for _, section := range []string{"Direct, in the program", "Direct, for tests only", "Indirect, in the program"} {
		maps.Copy(rows, dependencies(t, section))
	}
	args := append([]string{"list", "-m", "-f", "{{.Path}} {{.Dir}}"}, slices.Sorted(maps.Keys(rows))...)
	out, err := exec.Command("go", args...).Output()
	check.Must(t, err)
	for line := range strings.Lines(string(out)) {
		module, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		var has []string
		text := licenceText(t, dir)
		for _, l := range licences {
			if strings.Contains(text, l.text) {
				has = append(has, l.id)
			}
		}
		if got := identifiers(rows[module]); !slices.Equal(got, has) && !slices.Equal(got, without(has, "BSD-2-Clause")) {
			t.Errorf("%s: licence %q, and its text has %q", module, rows[module], has)
		}
	}
}

// identifiers returns the licences of an SPDX expression, without their exceptions.
func identifiers(expression string) (ids []string) {
	for part := range strings.SplitSeq(expression, " AND ") {
		id, _, _ := strings.Cut(part, " WITH ")
		ids = append(ids, id)
	}
	return ids
}

// without takes an identifier out of several.
func without(ids []string, id string) []string {
	if len(ids) < 2 {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(other string) bool { return other == id })
}

// licenceText returns the licences of a module, in one line.
func licenceText(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	check.Must(t, err)
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		check.Must(t, err)
		all.Write(text)
	}
	return strings.Join(strings.Fields(all.String()), " ")
}
