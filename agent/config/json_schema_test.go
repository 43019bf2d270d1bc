package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lunawatch/lunawatch/internal/check"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	check.Must(t, err)
	c := jsonschema.NewCompiler()
	check.Must(t, c.AddResource("lunawatch.json", document))
	s, err := c.Compile("lunawatch.json")
	check.Must(t, err)
	return s
}

// asJSONValue returns a text as an editor reads it; false: JSON has no such value.
func asJSONValue(text []byte) (any, bool) {
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, false
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(converted)))
	return value, err == nil
}

// withNames gives HSMs and receivers the name that they need.
func withNames(value any) {
	sections, _ := value.(map[string]any)
	for _, key := range []string{"hsms", "receivers"} {
		list, _ := sections[key].([]any)
		for _, e := range list {
			if element, ok := e.(map[string]any); ok && element["name"] == nil {
				element["name"] = "a"
			}
		}
	}
}

// readable reports whether the parser reads a text: every key is known, every value of
// its kind, in its range and one of its words. What keys demand of each other it leaves
// aside, as JSON Schema does.
func readable(text []byte) bool {
	var c Config
	d := readDocument("", text, &c)
	if len(d.faults) > 0 {
		return false
	}
	_, err := Parse(text)
	faults, _ := errors.AsType[Faults](err)
	return !slices.ContainsFunc(faults, func(f Fault) bool {
		return outside.MatchString(f.Err.Error()) && !beyondSchema.MatchString(f.Error())
	})
}

// outside are faults of a number or a word, and of no duration.
var outside = regexp.MustCompile(`^-?[0-9.e+]+ is out of range; | is none of | is neither 2c nor 3`)

// beyondSchema are some that JSON Schema cannot say: of names that may be written in
// several ways, of words beside paths, and of what depends on another key.
var beyondSchema = regexp.MustCompile(`_protocol: |kernel_log: |0 to utilization_ratio|version: "" is neither`)

// TestSchemaAccepts: the shipped files, and what the parser accepts.
func TestSchemaAccepts(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("../../examples/*.yaml")
	check.Must(t, err)
	for _, file := range append(files, "../../lunawatch.yaml") {
		text, err := os.ReadFile(file)
		check.Must(t, err)
		value, ok := asJSONValue(text)
		if !ok {
			t.Errorf("%s has no form in JSON", file)
			continue
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestSchemaRefuses: each wrong file whose fault is one of structure.
func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob("testdata/config/*.yaml")
	check.Must(t, err)
	refused := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if kind, _, _ := strings.Cut(name, "-"); slices.Contains([]string{"alias", "merge", "tag", "syntax"}, kind) || name == "huge-duration" {
			continue // JSON has nothing like it, or far too much
		}
		text, err := os.ReadFile(file)
		check.Must(t, err)
		value, ok := asJSONValue(text)
		if !ok {
			continue
		}
		withNames(value)
		got := schema.Validate(value) == nil
		if want := readable(text); got != want {
			t.Errorf("%s: the schema accepts it: %t, the parser reads it: %t", name, got, want)
		}
		if !got {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d files are refused", refused)
	}
}

// TestSchemaAgreesWithParser gives each key each value: both read it, or neither does.
func TestSchemaAgreesWithParser(t *testing.T) {
	schema := compiled(t)
	for _, key := range keys() {
		for _, text := range wrongValues {
			if slices.Contains([]string{"1e3", "99999999999999999999", "99999h99999h999999999h"}, text) {
				continue // YAML and JSON differ in what number this is, or the schema cannot say it
			}
			document := []byte(key.lines(" " + text))
			value, ok := asJSONValue(document)
			if !ok {
				continue
			}
			withNames(value)
			accepted := schema.Validate(value)
			if want := readable(document); (accepted == nil) != want {
				_, err := Parse(document)
				t.Errorf("%s: %s: the schema says %v, the parser %v", key, text, accepted, err)
			}
		}
	}
}
