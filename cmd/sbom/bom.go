package main

import (
	"fmt"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
)

// https://cyclonedx.org/docs/1.6/json: of each type what is used here.
type (
	bom struct {
		Schema      string      `json:"$schema"`
		BOMFormat   string      `json:"bomFormat"`
		SpecVersion string      `json:"specVersion"`
		Version     int         `json:"version"`
		Metadata    metadata    `json:"metadata"`
		Components  []component `json:"components"`
	}
	metadata struct {
		Lifecycles []lifecycle `json:"lifecycles"`
		Component  component   `json:"component"`
	}
	lifecycle struct {
		Phase string `json:"phase"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licences   []licence  `json:"licenses"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	licence struct {
		License    *spdx  `json:"license,omitempty"`
		Expression string `json:"expression,omitempty"` // of more than one licence
	}
	spdx struct {
		ID string `json:"id"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// The licences of this module and of Go. Those of the others are in
// docs/dependencies.md.
const (
	ownLicence = "Apache-2.0"
	goLicence  = "BSD-3-Clause"
)

// list returns what is linked into a program. sum is the SHA-256 of its file.
func list(info *debug.BuildInfo, sum string, licences map[string]string) (bom, error) {
	_, command, _ := strings.Cut(info.Path, info.Main.Path)
	program := entry("application", info.Main.Path, info.Main.Version, ownLicence)
	program.PURL += "#" + strings.TrimPrefix(command, "/")
	program.Ref = program.PURL
	program.Hashes = []hash{{"SHA-256", sum}}
	for _, s := range info.Settings {
		program.Properties = append(program.Properties, property{"go:build:" + s.Key, s.Value})
	}
	components := []component{entry("library", "stdlib", strings.TrimPrefix(info.GoVersion, "go"), goLicence)}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := entry("library", m.Path, m.Version, licences[m.Path])
		if licences[m.Path] == "" {
			return bom{}, fmt.Errorf("%s is linked, and has no row with its licence", m.Path)
		}
		// The sum is of a list of files, not of a file, so it is no hash of CycloneDX.
		c.Properties = []property{{"go:sum", m.Sum}}
		components = append(components, c)
	}
	return bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6", Version: 1,
		Metadata:   metadata{Lifecycles: []lifecycle{{"post-build"}}, Component: program},
		Components: components,
	}, nil
}

func entry(kind, path, version, terms string) component {
	purl := "pkg:golang/" + strings.ToLower(path)
	if version != "(devel)" {
		purl += "@" + url.QueryEscape(version)
	}
	return component{Type: kind, Ref: purl, Name: path, Version: version, Licences: []licence{licenceOf(terms)}, PURL: purl}
}

func licenceOf(terms string) licence {
	if strings.Contains(terms, " ") {
		return licence{Expression: terms}
	}
	return licence{License: &spdx{terms}}
}

// licenceRow is a row of docs/dependencies.md: a module, and its licence as SPDX has
// it.
var licenceRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|")

// readLicences returns the licence of each module.
func readLicences(document string) map[string]string {
	found := make(map[string]string)
	for _, row := range licenceRow.FindAllStringSubmatch(document, -1) {
		found[row[1]] = strings.TrimSpace(row[2])
	}
	return found
}
