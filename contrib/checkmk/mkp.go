package checkmk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// plugins is what a site has in local/lib/python3/cmk_addons/plugins.
//
//go:embed cmk_addons/plugins/lunawatch
var plugins embed.FS

// Oldest is the first release of Checkmk that loads the plugin: 2.2 has neither
// cmk.agent_based.v2 nor cmk_addons.
const Oldest = "2.3.0"

// Files returns the files of the plugin by their paths below cmk_addons/plugins.
func Files() (map[string][]byte, error) {
	files := make(map[string][]byte)
	root, err := fs.Sub(plugins, "cmk_addons/plugins")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = fs.ReadFile(root, path)
		return err
	})
	return files, err
}

// A member is a file in an archive.
type member struct {
	name string
	text []byte
}

// Package returns the plugin of a version as a Checkmk extension package (MKP): what is
// in it in Python's and in JSON's form, and the files. The same version and time give
// the same bytes.
func Package(version string, at time.Time) ([]byte, error) {
	files, err := Files()
	if err != nil {
		return nil, err
	}
	var members []member
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		members = append(members, member{name, files[name]})
		names = append(names, name)
	}
	inner, err := archive(members, at)
	if err != nil {
		return nil, err
	}
	info := []field{
		{"author", "The Lunawatch authors"},
		{"description", "Thales Luna HSMs by the SNMP tables of a Lunawatch agent."},
		{"download_url", "https://github.com/lunawatch/lunawatch"},
		{"files", map[string][]string{"cmk_addons_plugins": names}},
		{"name", "lunawatch"},
		{"title", "Lunawatch"},
		{"version", version},
		{"version.min_required", Oldest},
		{"version.packaged", Oldest},
		{"version.usable_until", nil},
	}
	python, text, err := manifest(info)
	if err != nil {
		return nil, err
	}
	outer, err := archive([]member{{"info", python}, {"info.json", text}, {"cmk_addons_plugins.tar", inner}}, at)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(outer); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// A field is one of a manifest.
type field struct {
	name  string
	value any
}

// manifest returns the fields as Python and as JSON. They differ in the word for nothing.
func manifest(fields []field) (python, text []byte, err error) {
	var p, j strings.Builder
	for i, f := range fields {
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, nil, err
		}
		literal := string(value)
		if f.value == nil {
			literal = "None"
		}
		comma := strings.Repeat(",\n ", min(i, 1))
		fmt.Fprintf(&p, "%s%q: %s", comma, f.name, literal)
		fmt.Fprintf(&j, "%s%q: %s", comma, f.name, value)
	}
	return []byte("{" + p.String() + "}\n"), []byte("{" + j.String() + "}\n"), nil
}

// archive packs files.
func archive(members []member, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.text)), Mode: 0o644, ModTime: at.UTC().Truncate(time.Second)}); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.text); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
