package formats

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestListIsSorted checks the order on which [Named] relies, and that All
// returns a copy.
func TestListIsSorted(t *testing.T) {
	for i, f := range formats {
		if i > 0 && formats[i-1].Name >= f.Name {
			t.Errorf("%q is listed before %q", formats[i-1].Name, f.Name)
		}
		if got, ok := Named(f.Name); !ok || got.Name != f.Name {
			t.Errorf("Named(%q) is %q, %v", f.Name, got.Name, ok)
		}
	}
	if f, ok := Named("no-such-format"); ok {
		t.Errorf("found %q", f.Name)
	}
	clear(All())
	if formats[0].Name == "" {
		t.Error("All returns the list itself")
	}
}

// TestEveryFormatIsListed looks in the source of every package below collectors
// for package-level variables that hold formats, by themselves or in a list.
func TestEveryFormatIsListed(t *testing.T) {
	declared := make(map[string]token.Position)
	for _, p := range sources(t, "..") {
		for name, at := range declaredFormats(t, p) {
			declared[name] = at
			if _, ok := Named(name); !ok {
				t.Errorf("%s: format %q is not in the list", at, name)
			}
		}
	}
	for _, f := range formats {
		if _, ok := declared[f.Name]; !ok {
			t.Errorf("format %q is listed, but this test does not find its declaration", f.Name)
		}
	}
}

// parsedFiles are files of one package, and their positions.
type parsedFiles struct {
	set   *token.FileSet
	files []*ast.File
}

// sources parses all Go files but tests below root, by directory.
func sources(t *testing.T, root string) map[string]*parsedFiles {
	t.Helper()
	dirs := make(map[string]*parsedFiles)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		dir := filepath.Dir(path)
		if dirs[dir] == nil {
			dirs[dir] = &parsedFiles{set: token.NewFileSet()}
		}
		f, err := parser.ParseFile(dirs[dir].set, path, nil, parser.SkipObjectResolution)
		dirs[dir].files = append(dirs[dir].files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// constructors are the functions of package answer that return a format.
var constructors = []string{"answer.Latest", "answer.Merged", "answer.Each", "answer.AsFile"}

// declaredFormats returns where the package-level variables of a package
// construct formats, by name.
func declaredFormats(t *testing.T, p *parsedFiles) map[string]token.Position {
	t.Helper()
	makes := slices.Clone(constructors)
	var values []ast.Expr
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if r := d.Type.Results; d.Recv == nil && r != nil && len(r.List) == 1 && typeName(r.List[0].Type) == "answer.Format" {
					makes = append(makes, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						values = append(values, v.Values...)
					}
				}
			}
		}
	}
	found := make(map[string]token.Position)
	add := func(at token.Pos, name ast.Expr) {
		l, ok := name.(*ast.BasicLit)
		if !ok {
			t.Errorf("%s: a format whose name is not a string literal", p.set.Position(at))
			return
		}
		text, err := strconv.Unquote(l.Value)
		if err != nil {
			t.Errorf("%s: %v", p.set.Position(at), err)
		}
		found[text] = p.set.Position(at)
	}
	for _, value := range values {
		ast.Inspect(value, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.CallExpr:
				switch f := typeName(n.Fun); {
				case f == "answer.AsFile": // its argument is a format
				case slices.Contains(makes, f):
					add(n.Pos(), n.Args[0])
				}
			case *ast.CompositeLit:
				if typeName(n.Type) == "answer.Format" {
					add(n.Pos(), nameIn(n))
				}
				for _, e := range n.Elts { // literals without a type, in a list or map of formats
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						e = kv.Value
					}
					if l, ok := e.(*ast.CompositeLit); ok && l.Type == nil && elementOf(n.Type) == "answer.Format" {
						add(l.Pos(), nameIn(l))
					}
				}
			}
			return true
		})
	}
	return found
}

// typeName returns the name of a type or function, with its package if it has
// one; "" for any other expression.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

// elementOf returns the name of the element type of a list or map type.
func elementOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.MapType:
		return typeName(e.Value)
	}
	return ""
}

// nameIn returns the value of field Name of a literal of answer.Format.
func nameIn(l *ast.CompositeLit) ast.Expr {
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && typeName(kv.Key) == "Name" {
			return kv.Value
		}
	}
	return l
}
