// Package checkmk makes what ships for Checkmk: the objects of LUNAWATCH-MIB as the
// plugin knows them, and the plugin as a package.
package checkmk

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	assigned   = regexp.MustCompile(`(?s)(?:^|\n)\s*([a-z][\w-]*)\s+(OBJECT IDENTIFIER|MODULE-IDENTITY|OBJECT-IDENTITY|OBJECT-TYPE)\b(.*?)::=\s*\{\s*([a-z][\w-]*)\s+(\d+)\s*\}`)
	convention = regexp.MustCompile(`(?s)\n(\w+)\s*::=\s*TEXTUAL-CONVENTION\b.*?SYNTAX\s+(INTEGER\s*\{[^}]*\}|\w+)`)
	syntax     = regexp.MustCompile(`(?s)^\s*SYNTAX\s+(INTEGER\s*\{[^}]*\}|\w+)`)
	numbered   = regexp.MustCompile(`(\w+)\s*\((\d+)\)`)
)

// Objects returns the objects below root as a module of Python, from the texts of MIB
// modules: their numbers below root, and the words of those that have words. An error is
// a parent that none of the texts defines.
func Objects(root string, texts []string) (string, error) {
	parents, types, words := make(map[string][2]string), make(map[string]string), make(map[string]string)
	for _, text := range texts {
		for _, m := range convention.FindAllStringSubmatch(text, -1) {
			words[m[1]] = m[2]
		}
		for _, m := range assigned.FindAllStringSubmatch(text, -1) {
			parents[m[1]] = [2]string{m[4], m[5]}
			if s := syntax.FindStringSubmatch(m[3]); m[2] == "OBJECT-TYPE" && s != nil {
				types[m[1]] = s[1]
			}
		}
	}
	base, err := path(parents, root, "iso")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Made of the MIB modules by go test ./contrib/checkmk -update: edits are lost.\n\nMODULE = %q\n\n", ".1"+base)
	var objects, enumerations strings.Builder
	for _, name := range slices.Sorted(maps.Keys(types)) {
		oid, err := path(parents, name, root)
		if err != nil {
			continue // of another module
		}
		fmt.Fprintf(&objects, "    %q: %q,\n", name, strings.TrimPrefix(oid, "."))
		if list := numbered.FindAllStringSubmatch(words[types[name]]+types[name], -1); list != nil {
			fmt.Fprintf(&enumerations, "    %q: {", name)
			for i, m := range list {
				fmt.Fprintf(&enumerations, "%s%q: %q", strings.Repeat(", ", min(i, 1)), m[2], m[1])
			}
			enumerations.WriteString("},\n")
		}
	}
	fmt.Fprintf(&b, "OBJECTS = {\n%s}\n\nWORDS = {\n%s}\n", &objects, &enumerations)
	return b.String(), nil
}

// path returns the numbers that lead from an ancestor to a name, each after a dot.
func path(parents map[string][2]string, name, ancestor string) (string, error) {
	oid := ""
	for n := name; n != ancestor; n = parents[n][0] {
		if _, known := parents[n]; !known || len(oid) > 1000 {
			return "", fmt.Errorf("%s: nothing leads from %s to %s", name, n, ancestor)
		}
		oid = "." + parents[n][1] + oid
	}
	return oid, nil
}
