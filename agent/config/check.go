package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/lunawatch/lunawatch/internal/near"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// check returns node without keys that the type of its field does not have, and without
// values that are not of their type, each of which is a fault; nil: nothing is left. It
// notes where each value is. Nodes are shared by aliases, so it changes none.
func (d *document) check(path string, node ast.Node, field reflect.StructField) ast.Node {
	typ := field.Type
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return node
	case *ast.MappingNode:
		checked := *n
		switch typ.Kind() {
		case reflect.Struct:
			checked.Values = d.checkKeys(path, n.Values, d.keys(typ))
			return &checked
		case reflect.Map:
			checked.Values = d.checkNamed(path, n.Values, reflect.StructField{Type: typ.Elem(), Tag: field.Tag})
			return &checked
		}
	case *ast.SequenceNode:
		if typ.Kind() == reflect.Slice {
			return d.checkList(path, n, reflect.StructField{Type: typ.Elem(), Tag: field.Tag})
		}
	}
	if err := wrongKind(path, node, typ, field.Tag); err != nil {
		d.lose(start(node), path, err)
		return nil
	}
	return node
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

// keyFields fills in the field of each key of a section.
func keyFields(section reflect.Type, fields map[string]reflect.StructField) {
	for field := range section.Fields() {
		switch key := field.Tag.Get("yaml"); key {
		case "", "-":
		case ",inline":
			keyFields(field.Type, fields)
		default:
			fields[key] = field
		}
	}
}

// checkKeys checks the keys of a section and of those inlined in it.
func (d *document) checkKeys(path string, entries []*ast.MappingValueNode, fields map[string]reflect.StructField) (good []*ast.MappingValueNode) {
	for _, e := range d.once(path, entries) {
		key := e.Key.GetToken().Value
		field, known := fields[key]
		if !known {
			d.lose(start(e.Key), keyPath(path, key), unknownKey(key, slices.Sorted(maps.Keys(fields))))
		} else if value := d.checkEntry(keyPath(path, key), e, field); value != nil {
			good = append(good, &ast.MappingValueNode{BaseNode: e.BaseNode, Start: e.Start, Key: e.Key, Value: value})
		}
	}
	return good
}

// checkNamed checks a map, whose keys the file chooses.
func (d *document) checkNamed(path string, entries []*ast.MappingValueNode, element reflect.StructField) (good []*ast.MappingValueNode) {
	for _, e := range d.once(path, entries) {
		at := keyPath(path, e.Key.GetToken().Value)
		switch value := d.checkEntry(at, e, element).(type) {
		case nil:
		case *ast.NullNode:
			d.lose(start(e.Key), at, isNothing(element))
		default:
			good = append(good, &ast.MappingValueNode{BaseNode: e.BaseNode, Start: e.Start, Key: e.Key, Value: value})
		}
	}
	return good
}

// checkList checks the elements of a list. One that is wrong leaves its place.
func (d *document) checkList(path string, list *ast.SequenceNode, element reflect.StructField) ast.Node {
	checked := *list
	checked.Values = make([]ast.Node, len(list.Values))
	for i, v := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.at[at] = start(v)
		value := d.check(at, asWritten(v, element.Type), element)
		if _, null := value.(*ast.NullNode); null {
			d.lose(start(v), at, isNothing(element))
		}
		if value == nil {
			value = ast.Null(list.GetToken())
		}
		checked.Values[i] = value
	}
	return &checked
}

func isNothing(f reflect.StructField) error {
	return fmt.Errorf("%s, not nothing", needed(f.Type, f.Tag))
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

func (d *document) checkEntry(path string, e *ast.MappingValueNode, field reflect.StructField) ast.Node {
	value := asWritten(e.Value, field.Type)
	d.at[path] = start(e.Key)
	if _, scalar := value.(ast.ScalarNode); scalar {
		d.at[path] = start(value)
	}
	return d.check(path, value, field)
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

// wrongKind returns what is wrong with a value that cannot be read as one of its type.
func wrongKind(path string, node ast.Node, typ reflect.Type, tag reflect.StructTag) error {
	if _, text := node.(*ast.StringNode); text && typ == reflect.TypeFor[string]() {
		return nil
	}
	value := reflect.New(typ)
	err := decode(node, value.Interface())
	_, isFloat := node.(*ast.FloatNode)
	fraction := isFloat && (typ.Kind() == reflect.Int || typ.Kind() == reflect.Int64) // the decoder cuts it off
	finite := typ.Kind() != reflect.Float64 || !math.IsNaN(value.Elem().Float()) && !math.IsInf(value.Elem().Float(), 0)
	if err == nil && !fraction && finite {
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
