package check_test

import (
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/lunawatch/lunawatch/agent/config"
)

// registries are the lists that make a thing take part, one line per entry. of
// is how the type of an entry begins.
var registries = []struct{ room, list, of string }{
	{"alarms/rules", "rules", "rules.Rule"},
	{"mib/alarm", "tables", "mib.Table["},
	{"mib/entity", "tables", "mib.Table["},
	{"mib/vendor", "tables", "mib.Table["},
	{"mib/luna", "tables", "mib.Table["},
	{"cmd/lunawatch", "commands", "func(*flag.FlagSet) main.action"},
}

// TestRegistries fails for a value of such a type that is not in its list: a
// file that somebody wrote and that does nothing.
func TestRegistries(t *testing.T) {
	for _, r := range registries {
		p := load(t, packages.LoadSyntax, "./"+r.room)[0]
		listed := entries(p, r.list)
		if listed == nil {
			t.Errorf("%s has no list %s", r.room, r.list)
		}
		found := 0
		for _, name := range p.Types.Scope().Names() {
			v := p.Types.Scope().Lookup(name)
			if !strings.HasPrefix(entryType(v), r.of) {
				continue
			}
			found++
			if !listed[v] {
				t.Errorf("%s: %s is not in %s: it does nothing", r.room, name, r.list)
			}
		}
		if found == 0 {
			t.Errorf("%s has nothing of type %s", r.room, r.of)
		}
	}
}

// entryType returns the type of a variable, or of a function of one argument with one
// result, whose names are left out; "" of anything else.
func entryType(o types.Object) string {
	name := func(t types.Type) string { return types.TypeString(t, (*types.Package).Name) }
	switch o := o.(type) {
	case *types.Var:
		return name(o.Type())
	case *types.Func:
		if s := o.Signature(); s.Params().Len() == 1 && s.Results().Len() == 1 {
			return "func(" + name(s.Params().At(0).Type()) + ") " + name(s.Results().At(0).Type())
		}
	}
	return ""
}

// entries returns what the initial value of a list names; nil: there is no list.
func entries(p *packages.Package, list string) map[types.Object]bool {
	for _, f := range p.Syntax {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok || v.Names[0].Name != list {
					continue
				}
				named := make(map[types.Object]bool)
				ast.Inspect(v, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && p.TypesInfo.Uses[id] != nil {
						named[p.TypesInfo.Uses[id]] = true
					}
					return true
				})
				return named
			}
		}
	}
	return nil
}

// embedded returns the names of the types that a struct embeds by pointer.
func embedded(typ *types.TypeName) (names []string) {
	s, _ := typ.Type().Underlying().(*types.Struct)
	for f := range s.Fields() {
		if p, ok := f.Type().(*types.Pointer); ok && f.Embedded() {
			names = append(names, p.Elem().(*types.Named).Obj().Name())
		}
	}
	return names
}

// TestReceiversAreConfigurable fails for a notifier of alarms/receivers that no
// key of the configuration leads to.
func TestReceiversAreConfigurable(t *testing.T) {
	keys := make(map[string]bool)
	receiver := reflect.TypeFor[config.Receiver]()
	for f := range receiver.Fields() {
		if f.Type.Kind() == reflect.Pointer {
			keys[f.Type.Elem().Name()] = true
		}
	}
	receivers := load(t, packages.LoadTypes, "./alarms/receivers")[0].Types
	scope, found := receivers.Scope(), 0
	for _, name := range scope.Names() {
		typ, ok := scope.Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if method, _, _ := types.LookupFieldOrMethod(types.NewPointer(typ.Type()), true, receivers, "Notify"); method == nil {
			continue
		}
		if found++; !keys[name] && !slices.ContainsFunc(embedded(typ), func(name string) bool { return keys[name] }) {
			t.Errorf("no key of a receiver leads to %s", name)
		}
	}
	if found == 0 {
		t.Error("no receivers found")
	}
}
