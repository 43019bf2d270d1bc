package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/lunawatch/lunawatch/internal/setting"
)

// The bounds of a configuration file. A site of a hundred HSMs is far below.
const (
	maxConfigBytes  = 1 << 20
	maxConfigTokens = 200_000
	maxConfigKeys   = 1000    // of one section; the parser's time grows with their square
	maxConfigNodes  = 100_000 // with every alias expanded
	maxConfigNested = 32      // brackets, or lists in one line; eight times as many columns of indentation
)

// A Fault is what is wrong at one place of a configuration file.
type Fault struct {
	File         string // "": a text without a file
	Line, Column int    // from 1
	setting.Fault
}

// Error implements error: FILE:LINE:COLUMN: KEY: what is wrong.
func (f Fault) Error() string {
	at := fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Fault.Error())
	if f.File == "" {
		return at
	}
	return f.File + ":" + at
}

// Faults is all that is wrong with a configuration file, in the order of its
// lines. Its text has one line for each.
type Faults []Fault

// Error implements error.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// A document is the text of a configuration while it is read.
type document struct {
	file   string
	root   ast.Node                                        // nil: it holds nothing
	at     map[string]place                                // of every value, by path
	faults Faults                                          // so far
	lost   []string                                        // paths of what was not read
	nodes  int                                             // so far, with aliases expanded
	anchor map[string]anchoredValue                        // by name
	fields map[reflect.Type]map[string]reflect.StructField // of the sections so far, by key
}

type place struct{ line, column int }

type anchoredValue struct {
	node  ast.Node
	nodes int
}

// readDocument reads a text into c, and leaves what the text does not mention, or has
// a fault in: one for each key or value that c has no place for.
func readDocument(file string, text []byte, c *Config) *document {
	d := &document{file: file, at: map[string]place{"": {1, 1}}, anchor: make(map[string]anchoredValue), fields: make(map[reflect.Type]map[string]reflect.StructField)}
	d.parse(text)
	if d.root == nil || d.nodes > maxConfigNodes {
		return d
	}
	ast.Walk(unlink{}, d.root)
	d.set("", d.root, reflect.ValueOf(c).Elem(), "")
	return d
}

// unlink takes scalars out of the chain of all tokens: the library goes along it to the
// end of the document for each value that has an unmarshaler.
type unlink struct{}

// Visit implements [ast.Visitor].
func (u unlink) Visit(node ast.Node) ast.Visitor {
	if _, scalar := node.(ast.ScalarNode); scalar {
		t := node.GetToken()
		t.Prev, t.Next = nil, nil
	}
	return u
}

func decode(node ast.Node, to any) error {
	return yaml.NodeToValue(node, to, yaml.CustomUnmarshaler(func(d *time.Duration, text []byte) (err error) {
		*d, err = time.ParseDuration(strings.Trim(strings.TrimSpace(string(text)), `"'`))
		return err
	}))
}

func (d *document) fault(at place, path string, err error) {
	d.faults = append(d.faults, Fault{d.file, at.line, at.column, setting.Fault{Path: path, Err: err}})
}

// lose adds a fault for a value that cannot be read.
func (d *document) lose(at place, path string, err error) {
	d.lost = append(d.lost, path)
	d.fault(at, path, err)
}

// validated adds the faults that Validate returned, at their values in the text, or at
// the section that should have them. What was read wrong may have caused those of the
// sections around it, and of what is in it: they are left out.
func (d *document) validated(err error) {
	for _, f := range setting.Faults(err) {
		if slices.ContainsFunc(d.lost, func(lost string) bool { return within(lost, f.Path) || within(f.Path, lost) }) {
			continue
		}
		path := f.Path
		at, ok := d.at[path]
		for !ok {
			path = path[:max(0, strings.LastIndexAny(path, ".["))]
			at, ok = d.at[path]
		}
		d.fault(at, f.Path, f.Err)
	}
}

// within reports whether path is a section or leads into it.
func within(path, section string) bool {
	below, ok := strings.CutPrefix(path, section)
	return ok && (section == "" || below == "" || below[0] == '.' || below[0] == '[')
}

// err returns all faults as an error; nil: there is none.
func (d *document) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(d.faults, func(a, b Fault) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return d.faults
}

// parse sets root: one document, not nested too deep, and without aliases.
func (d *document) parse(text []byte) {
	if len(text) > maxConfigBytes {
		d.lose(place{1, 1}, "", fmt.Errorf("the file has more than %d bytes; is it the right one?", maxConfigBytes))
		return
	}
	tokens := lexer.Tokenize(string(text))
	if t, err := refused(tokens); err != nil {
		d.lose(placeOf(t), "", err)
		return
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		at, err := notYAML(err)
		d.lose(at, "", err)
		return
	}
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.DirectiveNode, *ast.NullNode:
		default:
			d.root = d.resolve(doc.Body)
			return
		}
	}
}

// refused returns what the parser must not get, and where it is: a second
// document, which would be ignored, and what would take it minutes or much
// memory.
func refused(tokens token.Tokens) (*token.Token, error) {
	var brackets, lists, line, headers, directive int
	content, ended := false, false
	keys := make(map[int]int) // so far in the section of that indentation
	if len(tokens) > maxConfigTokens {
		return tokens[maxConfigTokens], fmt.Errorf("the file holds more than %d words and signs", maxConfigTokens)
	}
	for _, t := range tokens {
		if t.Position.Line != line {
			line, lists = t.Position.Line, 0
			if t.Position.Column > 8*maxConfigNested {
				return t, errors.New("indented too deep")
			}
			maps.DeleteFunc(keys, func(column, _ int) bool { return column > t.Position.Column })
			if t.Next != nil && t.Next.Type == token.MappingValueType {
				keys[t.Position.Column]++
			}
			if keys[t.Position.Column] > maxConfigKeys {
				return t, fmt.Errorf("a section of more than %d keys", maxConfigKeys)
			}
		}
		switch t.Type {
		case token.CommentType:
			continue
		case token.DirectiveType:
			directive = line
			continue
		case token.DocumentHeaderType:
			headers++
			ended = ended || content || headers > 1
			continue
		case token.DocumentEndType:
			ended = ended || content
			continue
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			lists++
		}
		if max(brackets, lists) > maxConfigNested {
			return t, errors.New("nested too deep")
		}
		if directive == line {
			continue
		}
		if ended {
			return t, errors.New("a second document begins; one file holds one configuration")
		}
		content = true
	}
	return nil, nil
}

// knownTags repeat what the type of a key says. They are removed, since the
// decoder panics on some values with a tag.
var knownTags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq"}

// resolve returns node without anchors and tags, with aliases expanded, and
// with what << merges. It stops where that is too much.
func (d *document) resolve(node ast.Node) ast.Node {
	if d.nodes++; d.nodes > maxConfigNodes {
		if len(d.faults) == 0 {
			d.lose(start(node), "", fmt.Errorf("the file holds more than %d values, aliases expanded", maxConfigNodes))
		}
		return node
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		before := d.nodes
		value := d.resolve(n.Value)
		d.anchor[n.Name.GetToken().Value] = anchoredValue{value, d.nodes - before}
		return value
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		value, ok := d.anchor[name]
		if !ok {
			d.lose(start(n), "", errors.New("* begins an alias, and no anchor before it has its name; text that begins with * needs quotes"))
		}
		d.nodes += value.nodes
		return value.node
	case *ast.TagNode:
		if !slices.Contains(knownTags, n.GetToken().Value) {
			d.lose(start(n), "", errors.New("! begins a tag, and this one has no meaning here; text that begins with ! needs quotes"))
		}
		if n.Value == nil {
			return ast.Null(n.GetToken())
		}
		return d.resolve(n.Value)
	case *ast.MappingNode:
		for _, v := range n.Values {
			v.Value = d.resolve(v.Value)
		}
		n.Values = d.merge(n.Values)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			n.Values[i] = d.resolve(v)
		}
	}
	return node
}

// merge returns the keys of a mapping and those that << merges into it, of
// which the first counts.
func (d *document) merge(values []*ast.MappingValueNode) []*ast.MappingValueNode {
	var keys, merged []*ast.MappingValueNode
	for _, v := range values {
		if !v.Key.IsMergeKey() {
			keys = append(keys, v)
			continue
		}
		sources := []ast.Node{v.Value}
		if list, ok := v.Value.(*ast.SequenceNode); ok {
			sources = list.Values
		}
		for _, source := range sources {
			if m, ok := source.(*ast.MappingNode); ok {
				merged = append(merged, m.Values...)
			} else if d.nodes <= maxConfigNodes {
				d.lose(start(v.Value), "", errors.New("only keys with values can be merged"))
			}
		}
	}
	seen := make(map[string]bool)
	for _, v := range keys {
		seen[v.Key.GetToken().Value] = true
	}
	for _, v := range merged {
		if key := v.Key.GetToken().Value; !seen[key] {
			seen[key] = true
			keys = append(keys, v)
		}
	}
	return keys
}

// start returns where node begins. The token of a mapping in lines is the colon
// of its first key.
func start(node ast.Node) place {
	switch n := node.(type) {
	case nil:
		return place{1, 1}
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	}
	return placeOf(node.GetToken())
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}
