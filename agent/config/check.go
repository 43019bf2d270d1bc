package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// set gives to what node holds, without keys that its type does not have and without
// values that are not of their type, each of which is a fault. It notes where each value
// is. What is there but has no value keeps what it has; false: it has a value of another
// type.
func (d *document) set(path string, node ast.Node, to reflect.Value, tag reflect.StructTag) bool {
	if _, null := node.(*ast.NullNode); null || node == nil {
		return true
	}
	if to.Kind() == reflect.Pointer {
		pointed := reflect.New(to.Type().Elem())
		if !to.IsNil() {
			pointed.Elem().Set(to.Elem())
		}
		if !d.set(path, node, pointed.Elem(), tag) {
			return false
		}
		to.Set(pointed)
		return true
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		switch to.Kind() {
		case reflect.Struct:
			d.setKeys(path, n.Values, to)
			return true
		case reflect.Map:
			d.setNamed(path, n.Values, to, tag)
			return true
		}
	case *ast.SequenceNode:
		if to.Kind() == reflect.Slice {
			d.setList(path, n.Values, to, tag)
			return true
		}
	}
	if err := setScalar(path, node, to, tag); err != nil {
		d.lose(start(node), path, err)
		return false
	}
	return true
}

// keys returns the field of each key of a section.
func (d *document) keys(section reflect.Type) map[string]reflect.StructField {
	fields, known := d.fields[section]
	if !known {
		fields = make(map[string]reflect.StructField)
		keyFields(section, fields)
		d.fields[section] = fields
	}
	return fields
}

// keyFields fills in the field of each key of a section, and of those inlined in it, by
// its index in the section.
func keyFields(section reflect.Type, fields map[string]reflect.StructField, within ...int) {
	for field := range section.Fields() {
		field.Index = slices.Concat(within, field.Index)
		switch key := field.Tag.Get("yaml"); key {
		case "", "-":
		case ",inline":
			keyFields(field.Type, fields, field.Index...)
		default:
			fields[key] = field
		}
	}
}

// setKeys sets the fields of a section.
func (d *document) setKeys(path string, entries []*ast.MappingValueNode, section reflect.Value) {
	fields := d.keys(section.Type())
	for _, e := range d.once(path, entries) {
		key := e.Key.GetToken().Value
		field, known := fields[key]
		if !known {
			d.lose(start(e.Key), keyPath(path, key), unknownKey(key, slices.Sorted(maps.Keys(fields))))
			continue
		}
		d.setEntry(keyPath(path, key), e, section.FieldByIndex(field.Index), field.Tag)
	}
}

// setNamed makes a map, whose keys the file chooses.
func (d *document) setNamed(path string, entries []*ast.MappingValueNode, to reflect.Value, tag reflect.StructTag) {
	made := reflect.MakeMap(to.Type())
	for _, e := range d.once(path, entries) {
		key := e.Key.GetToken().Value
		value := reflect.New(to.Type().Elem()).Elem()
		if _, null := e.Value.(*ast.NullNode); null {
			d.lose(start(e.Key), keyPath(path, key), isNothing(value.Type(), tag))
		} else if d.setEntry(keyPath(path, key), e, value, tag) {
			made.SetMapIndex(reflect.ValueOf(key).Convert(to.Type().Key()), value)
		}
	}
	to.Set(made)
}

// setList makes a list. An element that is wrong leaves its place.
func (d *document) setList(path string, nodes []ast.Node, to reflect.Value, tag reflect.StructTag) {
	made := reflect.MakeSlice(to.Type(), len(nodes), len(nodes))
	for i, v := range nodes {
		at := path + "[" + strconv.Itoa(i) + "]"
		d.at[at] = start(v)
		if _, null := v.(*ast.NullNode); null {
			d.lose(start(v), at, isNothing(to.Type().Elem(), tag))
		}
		d.set(at, asWritten(v, to.Type().Elem()), made.Index(i), tag)
	}
	to.Set(made)
}

func isNothing(typ reflect.Type, tag reflect.StructTag) error {
	return fmt.Errorf("%s, not nothing", needed(typ, tag))
}

// once returns the entries of a section without those whose key it has already, each of
// which is a fault.
func (d *document) once(path string, entries []*ast.MappingValueNode) (first []*ast.MappingValueNode) {
	lines := make(map[string]int)
	for _, e := range entries {
		key := e.Key.GetToken().Value
		if line := lines[key]; line > 0 {
			d.fault(start(e.Key), keyPath(path, key), fmt.Errorf("is there twice; the first is in line %d", line))
			continue
		}
		lines[key] = start(e.Key).line
		first = append(first, e)
	}
	return first
}

func (d *document) setEntry(path string, e *ast.MappingValueNode, to reflect.Value, tag reflect.StructTag) bool {
	value := asWritten(e.Value, to.Type())
	d.at[path] = start(e.Key)
	if _, scalar := value.(ast.ScalarNode); scalar {
		d.at[path] = start(value)
	}
	return d.set(path, value, to, tag)
}

// asWritten returns a number as text where text is needed: firmware 7.10 is not
// 7.1.
func asWritten(node ast.Node, typ reflect.Type) ast.Node {
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		if typ.Kind() == reflect.String {
			return ast.String(node.GetToken())
		}
	}
	return node
}

// setScalar sets a value that has no keys and no elements; nor does the text have any, or
// the type would not do.
func setScalar(path string, node ast.Node, to reflect.Value, tag reflect.StructTag) error {
	typ := to.Type()
	if text, ok := node.(*ast.StringNode); ok && typ.Kind() == reflect.String {
		to.SetString(text.Value)
		return nil
	}
	value := reflect.New(typ)
	err := decode(node, value.Interface())
	_, isFloat := node.(*ast.FloatNode)
	fraction := isFloat && (typ.Kind() == reflect.Int || typ.Kind() == reflect.Int64) // the decoder cuts it off
	finite := typ.Kind() != reflect.Float64 || !math.IsNaN(value.Elem().Float()) && !math.IsInf(value.Elem().Float(), 0)
	if err == nil && !fraction && finite {
		to.Set(value.Elem())
		return nil
	}
	if overflow := (*yaml.OverflowError)(nil); errors.As(err, &overflow) {
		return fmt.Errorf("%s; this one is too large", needed(typ, tag))
	}
	return fmt.Errorf("%s, not %s", needed(typ, tag), shownValue(path, node))
}

// shownValue returns what was read in the place of another value.
func shownValue(path string, node ast.Node) string {
	switch n := node.(type) {
	case *ast.MappingNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode:
		return setting.Shown(path, n.Value)
	case *ast.LiteralNode:
		return setting.Shown(path, n.Value.Value)
	}
	return setting.Shown(path, node.GetToken().Value)
}

// needed returns what a value of a type is called, with its range or words.
func needed(typ reflect.Type, tag reflect.StructTag) string {
	what := kindOf(typ)
	if r := setting.Range(tag.Get("range")); r != "" && typ.Kind() != reflect.Slice && typ.Kind() != reflect.Map {
		what += " (" + r.String() + ")"
	}
	if words := strings.Fields(tag.Get("words")); len(words) > 0 && typ.Kind() != reflect.Slice {
		what = "one of " + strings.Join(words, ", ")
	}
	if typ.Kind() == reflect.Struct || typ.Kind() == reflect.Map {
		return what + " are needed"
	}
	return what + " is needed"
}

// kindOf returns what a value of a type is called.
func kindOf(typ reflect.Type) string {
	if typ == reflect.TypeFor[time.Duration]() {
		return "a duration such as 90s, 5m or 1h"
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return kindOf(typ.Elem())
	case reflect.Struct, reflect.Map:
		return "keys with values"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	}
	return "text"
}

func keyPath(path, key string) string {
	if path == "" {
		return setting.Key(key)
	}
	return path + "." + setting.Key(key)
}

// unknownKey returns the fault of a key that is none of a section's.
func unknownKey(key string, known []string) error {
	for _, k := range known {
		if strings.HasSuffix(k, "_file") && strings.Contains(k, strings.ToLower(key)) {
			return fmt.Errorf("unknown key; secrets are only read from files: use %s", k)
		}
		if strings.EqualFold(k, key) {
			return fmt.Errorf("unknown key; did you mean %s?", k)
		}
	}
	if meant := near.Name(key, known); meant != "" {
		return fmt.Errorf("unknown key; did you mean %s?", meant)
	}
	return errors.New("unknown key; lunawatch.yaml shows every key")
}
