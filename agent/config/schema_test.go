package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// The schema has one source for each thing: keys, types, ranges and words are those of
// the structs; defaults those of Default and of an HSM and a receiver that are completed,
// or the tag default; descriptions and examples those of the shipped lunawatch.yaml.

// A keyName is a key of a section, wherever that section is; without section, a path.
type keyName struct {
	section reflect.Type
	key     string
}

// A described key is one that lunawatch.yaml shows.
type described struct{ text, example string }

var (
	shownKey = regexp.MustCompile(`^( *)(# +)?(- )?([A-Za-z0-9_]+):(?: +(.*))?$`)
	remark   = regexp.MustCompile(`^( *)# ?(.*)$`)
	trailing = regexp.MustCompile(`^(.*?)(?:^| +)# (.*)$`)
)

// descriptions reads lunawatch.yaml: what is above a key and behind it is about it,
// and what is above an element of a list is about the first section in it.
func descriptions(t *testing.T) map[keyName]described {
	t.Helper()
	text, err := os.ReadFile("../../lunawatch.yaml")
	check.Must(t, err)
	all := make(map[keyName]described)
	var above, element []string // remarks
	var path []string
	var indents []int
	var last []keyName
	column := -1 // of the last remark behind a key
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		m := shownKey.FindStringSubmatch(line)
		if m != nil {
			indent := len(m[1]) + len(m[3])
			if m[2] == "" {
				path, indents = outOf(path, indents, indent)
			}
			at, name, field, ok := shownAt(path, indents, m)
			if ok {
				if m[3] != "" {
					element, above = above, nil
				}
				if len(above) == 0 && section(field.Type) != nil {
					above, element = element, nil
				}
				value := m[5]
				column = -1
				if r := trailing.FindStringSubmatch(value); r != nil {
					value, column = r[1], len(line)-len(r[2])-2
					above = append(above, r[2])
				}
				if section(field.Type) != nil {
					value = ""
				}
				last = []keyName{at, name}
				for _, n := range last {
					d := all[n]
					d.text, d.example = cmp.Or(d.text, strings.Join(above, " ")), cmp.Or(d.example, strings.TrimSpace(value))
					all[n] = d
				}
				above = nil
				if m[2] == "" {
					path, indents = append(path, m[4]), append(indents, indent)
				}
				continue
			}
		}
		switch r := remark.FindStringSubmatch(line); {
		case r == nil:
			above, column = nil, -1
		case column >= 0 && len(r[1]) == column:
			for _, n := range last {
				d := all[n]
				if !strings.HasSuffix(d.text, strings.TrimSpace(r[2])) {
					d.text += " " + strings.TrimSpace(r[2])
				}
				all[n] = d
			}
		default:
			above, column = append(above, strings.TrimSpace(r[2])), -1
		}
	}
	return all
}

// outOf leaves the sections that a line of this indentation is not in.
func outOf(path []string, indents []int, indent int) ([]string, []int) {
	for len(indents) > 0 && indents[len(indents)-1] >= indent {
		path, indents = path[:len(path)-1], indents[:len(indents)-1]
	}
	return path, indents
}

// shownAt returns the key of a line: where it is, and whichever section has it. One in a
// remark may be indented by where that begins, or by where it is itself.
func shownAt(path []string, indents []int, line []string) (at, name keyName, field reflect.StructField, ok bool) {
	for _, indent := range []int{len(line[1]) + len(line[2]) + len(line[3]), len(line[1])} {
		here, _ := outOf(slices.Clone(path), slices.Clone(indents), indent)
		here = append(here, line[4])
		if name, field, ok = keyAt(here); ok {
			return keyName{nil, strings.Join(here, ".")}, name, field, true
		}
	}
	return at, name, field, false
}

// section returns the type of a section, of a list of them, or of a pointer to one.
func section(typ reflect.Type) reflect.Type {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return nil
	}
	return typ
}

// keyAt returns the key at a path without indices.
func keyAt(path []string) (name keyName, field reflect.StructField, ok bool) {
	typ := reflect.TypeFor[Config]()
	for i, key := range path {
		if typ == nil {
			return name, field, false
		}
		name, field, ok = fieldOf(typ, key)
		if !ok || i == len(path)-1 {
			return name, field, ok
		}
		typ = section(field.Type)
	}
	return name, field, false
}

// fieldOf returns the field of a key, and the struct that declares it.
func fieldOf(typ reflect.Type, key string) (keyName, reflect.StructField, bool) {
	for f := range typ.Fields() {
		if f.Tag.Get("yaml") == key {
			return keyName{typ, key}, f, true
		}
		if f.Tag.Get("yaml") == ",inline" {
			if name, field, ok := fieldOf(f.Type, key); ok {
				return name, field, true
			}
		}
	}
	return keyName{}, reflect.StructField{}, false
}

// completed returns a configuration with one of each section, as its defaults complete it.
func completed(t *testing.T) reflect.Value {
	t.Helper()
	c, err := Parse([]byte(`hsms:
- {name: n, address: n, password_file: n, known_hosts_file: n, rest: {password_file: n, ca_file: n}, snmp_agent: {address: n, user: n, auth_password_file: n, priv_password_file: n}}
receivers: [{name: n, agentx: {}}]
host: {name: this}
`))
	check.Must(t, err)
	return reflect.ValueOf(c)
}

// given are keys that completed has to give, or completes from them.
var given = []string{"name", "address", "password_file", "known_hosts_file", "ca_file", "auth_password_file", "priv_password_file"}

// A schemaKey is one key of the schema, in the order of the structs.
type schemaKey struct {
	path  string // hsms[].rest.address
	key   string
	field reflect.StructField
	described
	preset string // its default as YAML; "": none
	below  []schemaKey
}

// schemaKeys returns the keys of a section; v has its defaults, and is not valid where
// there are none.
func schemaKeys(typ reflect.Type, v reflect.Value, path string, docs map[keyName]described) (list []schemaKey) {
	for f := range typ.Fields() {
		key := f.Tag.Get("yaml")
		value := reflect.Value{}
		if v.IsValid() {
			value = v.FieldByIndex(f.Index)
		}
		switch key {
		case "", "-":
			continue
		case ",inline":
			list = append(list, schemaKeys(f.Type, value, path, docs)...)
			continue
		}
		k := schemaKey{path: strings.TrimPrefix(path+"."+key, "."), key: key, field: f, described: docs[keyName{typ, key}]}
		if here, ok := docs[keyName{nil, strings.ReplaceAll(k.path, "[]", "")}]; ok && here.text != "" {
			k.described = here
		}
		k.text = sentence(k.text)
		if s := section(f.Type); s != nil {
			at := k.path
			for value.IsValid() && (value.Kind() == reflect.Pointer && !value.IsNil() || value.Kind() == reflect.Slice && value.Len() > 0) {
				if value.Kind() == reflect.Slice {
					value = value.Index(0)
				} else {
					value = value.Elem()
				}
			}
			if f.Type.Kind() == reflect.Slice {
				at += "[]"
			}
			if !value.IsValid() || value.Kind() != reflect.Struct {
				value = reflect.Value{}
			}
			k.below = schemaKeys(s, value, at, docs)
		} else if k.preset = f.Tag.Get("default"); k.preset == "" && value.IsValid() && !slices.Contains(given, key) {
			if k.preset = preset(value); k.preset == "n" {
				k.preset = "" // completed gives it
			}
		}
		list = append(list, k)
	}
	return list
}

// preset returns a default as YAML; "" where nothing is set.
func preset(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		d := v.Interface().(time.Duration).String()
		for _, zero := range []string{"m0s", "h0m"} {
			if strings.HasSuffix(d, zero) {
				d = d[:len(d)-2]
			}
		}
		return d
	case v.Type() == reflect.TypeFor[alarms.Severity]():
		return strings.TrimPrefix(v.Interface().(alarms.Severity).String(), "none")
	case v.Kind() == reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, v.Index(i).String())
		}
		return strings.TrimSuffix("["+strings.Join(parts, ", ")+"]", "[]")
	case v.Kind() == reflect.Map:
		return ""
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return v.String()
}

// durationPattern is what time.ParseDuration takes.
const durationPattern = `^[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)$`

// typeSchema returns the JSON Schema of a value. orNull: nothing may stand there, too.
func typeSchema(f reflect.StructField, typ reflect.Type, below []schemaKey, orNull bool) map[string]any {
	null := func(types ...string) any {
		if orNull {
			types = append(types, "null")
		}
		if len(types) == 1 {
			return types[0]
		}
		return types
	}
	element := func() map[string]any { return typeSchema(f, typ.Elem(), below, false) }
	words := strings.Fields(f.Tag.Get("words"))
	if typ == reflect.TypeFor[snmp.Form]() {
		words = strings.Fields(f.Tag.Get("names"))
	}
	switch {
	case typ.Kind() == reflect.Pointer:
		return typeSchema(f, typ.Elem(), below, orNull)
	case typ == reflect.TypeFor[snmp.Forms]():
		return map[string]any{"anyOf": []any{map[string]any{"type": null("array"), "items": element()}, element()}}
	case typ.Kind() == reflect.Slice:
		return map[string]any{"type": null("array"), "items": element()}
	case typ.Kind() == reflect.Map:
		return map[string]any{"type": null("object"), "additionalProperties": element()}
	case typ.Kind() == reflect.Struct:
		return sectionSchema(typ, below, null("object"))
	case typ == reflect.TypeFor[time.Duration]():
		return map[string]any{"anyOf": []any{map[string]any{"type": null("string"), "pattern": durationPattern}, map[string]any{"const": 0}}}
	case len(words) > 0:
		var allowed []any
		for _, w := range words {
			allowed = append(allowed, w)
			if n, err := strconv.Atoi(w); err == nil {
				allowed = append(allowed, n)
			}
		}
		if typ.Kind() == reflect.String && typ != reflect.TypeFor[snmp.Form]() {
			allowed = append(allowed, "")
		}
		if orNull {
			allowed = append(allowed, nil)
		}
		return map[string]any{"enum": allowed}
	case typ.Kind() == reflect.Bool:
		return map[string]any{"type": null("boolean")}
	case typ.Kind() == reflect.String:
		return map[string]any{"type": null("string", "number", "boolean")}
	case typ.Kind() == reflect.Float64:
		return withRange(setting.Range(f.Tag.Get("range")), map[string]any{"type": null("number")})
	}
	return withRange(setting.Range(f.Tag.Get("range")), map[string]any{"type": null("integer")})
}

// withRange bounds numbers.
func withRange(r setting.Range, schema map[string]any) map[string]any {
	if r == "" {
		return schema
	}
	var any []any
	for _, s := range r.Spans() {
		bounds := make(map[string]interface{})
		bound := func(text string, without bool, with, exclusive string) {
			if n, err := strconv.ParseFloat(text, 64); err == nil && without {
				bounds[exclusive] = n
			} else if err == nil {
				bounds[with] = n
			}
		}
		bound(s.Low, s.AboveLow, "minimum", "exclusiveMinimum")
		bound(s.High, s.BelowHigh, "maximum", "exclusiveMaximum")
		any = append(any, bounds)
	}
	if len(any) == 1 {
		maps.Copy(schema, any[0].(map[string]interface{}))
		return schema
	}
	schema["anyOf"] = any
	return schema
}

func sectionSchema(typ reflect.Type, below []schemaKey, types any) map[string]any {
	properties := make(map[string]any)
	for _, k := range below {
		s := typeSchema(k.field, k.field.Type, k.below, true)
		s["description"] = k.about()
		if k.preset != "" {
			s["default"] = asJSON(k)
		}
		properties[k.key] = s
	}
	schema := map[string]any{"type": types, "properties": properties, "additionalProperties": false}
	if typ == reflect.TypeFor[HSM]() || typ == reflect.TypeFor[Receiver]() {
		schema["required"] = []string{"name"}
	}
	return schema
}

// sentence returns a remark as a sentence.
func sentence(remark string) string {
	first, size := utf8.DecodeRuneInString(remark)
	if remark == "" {
		return ""
	}
	if word, _, _ := strings.Cut(remark, " "); len(word) > size && !strings.HasSuffix(word, ":") { // not "s between pings", and not "true: ..."
		first = unicode.ToUpper(first)
	}
	return strings.TrimRight(string(first)+remark[size:], ".:;, ") + "."
}

// about is the description of a key, with what is allowed.
func (k schemaKey) about() string {
	if allowed := k.allowed(); allowed != "" {
		return k.text + " Allowed: " + allowed + "."
	}
	return k.text
}

// allowed is what k may be, in words.
func (k schemaKey) allowed() string {
	tag := k.field.Tag
	words := strings.Join(append(strings.Fields(tag.Get("words")), strings.Fields(tag.Get("names"))...), ", ")
	if words != "" {
		return words
	}
	text := string(setting.Range(tag.Get("range")))
	if text != "" {
		text = setting.Range(text).String()
	}
	if unit := tag.Get("unit"); unit != "" {
		return strings.TrimSpace(text + " " + unit)
	}
	return text
}

// asJSON returns the default of a key as JSON has it.
func asJSON(k schemaKey) any {
	switch typ := k.field.Type; {
	case typ == reflect.TypeFor[time.Duration](), typ == reflect.TypeFor[alarms.Severity]():
		return k.preset
	case typ.Kind() == reflect.Bool:
		return k.preset == "true"
	case typ.Kind() == reflect.Slice:
		return strings.Split(strings.Trim(k.preset, "[]"), ", ")
	case typ.Kind() == reflect.String:
		return k.preset
	}
	n, _ := strconv.ParseFloat(k.preset, 64)
	return n
}

func allKeys(t *testing.T) []schemaKey {
	t.Helper()
	return schemaKeys(reflect.TypeFor[Config](), completed(t), "", descriptions(t))
}

// TestSchema holds the schema that check-config -schema prints to the structs and to
// lunawatch.yaml. Every key has a description.
func TestSchema(t *testing.T) {
	keys := allKeys(t)
	var undescribed func(list []schemaKey)
	undescribed = func(list []schemaKey) {
		for _, k := range list {
			if k.text == "" {
				t.Errorf("lunawatch.yaml says nothing of %s", k.path)
			}
			undescribed(k.below)
		}
	}
	undescribed(keys)
	schema := sectionSchema(reflect.TypeFor[Config](), keys, []string{"object", "null"})
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "The configuration of Lunawatch"
	text, err := json.MarshalIndent(schema, "", " ")
	check.Must(t, err)
	check.Golden(t, "../schema.json", append(text, '\n'))
}

// kindWord is what a value is called in the documents.
func kindWord(typ reflect.Type) string {
	switch {
	case typ.Kind() == reflect.Pointer:
		return kindWord(typ.Elem())
	case typ == reflect.TypeFor[time.Duration]():
		return "duration"
	case typ == reflect.TypeFor[setting.File]():
		return "file"
	case typ.Kind() == reflect.Slice && section(typ) != nil:
		return "list of sections"
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.String:
		return "list"
	case typ.Kind() == reflect.Slice:
		return "list of " + kindWord(typ.Elem())
	case typ.Kind() == reflect.Map:
		return "keys with " + kindWord(typ.Elem())
	case typ.Kind() == reflect.Struct:
		return "section"
	case typ.Kind() == reflect.Bool:
		return "true or false"
	case typ.Kind() == reflect.Float64:
		return "number"
	case typ == reflect.TypeFor[alarms.Severity](), typ.Kind() == reflect.String:
		return "text"
	}
	return "whole number"
}

// writeSection writes the keys of a section as a table, and then the sections in it.
func writeSection(b *strings.Builder, title, text string, keys []schemaKey) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| key | value | allowed, unit | default | example | |\n|---|---|---|---|---|---|\n", title, cell(text))
	for _, k := range keys {
		about := k.text
		if k.below != nil {
			about = "[below](#" + anchor(k.title()) + ")"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s | %s |\n", k.key, kindWord(k.field.Type), cell(k.allowed()), quoted(k.preset), quoted(k.example), cell(about))
	}
	for _, k := range keys {
		if k.below != nil {
			writeSection(b, "`"+k.title()+"`", k.text, k.below)
		}
	}
}

// title is the path of a section, with [] behind a list of them.
func (k schemaKey) title() string {
	if k.field.Type.Kind() == reflect.Slice {
		return k.path + "[]"
	}
	return k.path
}

// anchor is what a heading is linked by.
func anchor(title string) string {
	return regexp.MustCompile(`[^a-z0-9_-]`).ReplaceAllString(strings.ToLower(title), "")
}

func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "*", "\\*", "{{", "`{{", "}}", "}}`").Replace(text)
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

// TestConfigureDocument holds docs/configure.md to the schema.
func TestConfigureDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# The keys of the configuration

<!-- go test ./agent/config -update writes this file; do not edit it -->

Every key of ` + "`/etc/lunawatch/lunawatch.yaml`" + `, in the order of its sections. [lunawatch.yaml](../lunawatch.yaml) shows them in one
file; begin with one of the [examples](../examples). ` + "`lunawatch check-config`" + ` lists all that is wrong with a file, and
` + "`lunawatch check-config -schema`" + ` prints a JSON Schema (draft 2020-12), by which editors complete and check keys:

    lunawatch check-config -schema > lunawatch.schema.json

and in the first line of the configuration, for the YAML language server: ` + "`# yaml-language-server: $schema=lunawatch.schema.json`" + `.

A duration is a number with its unit, such as ` + "`90s`, `5m` or `1h30m`" + `. A file is named by its path, or as ` + "`credential:NAME`" + `, a credential of
systemd's LoadCredential. A key that is not there, or has no value, has its default; one without a default is not set.
`)
	writeSection(&b, "The file", "Its keys and sections.", allKeys(t))
	check.Golden(t, "../../../docs/configure.md", []byte(b.String()))
}
