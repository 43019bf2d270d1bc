package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/exporters/glance"
	"github.com/lunawatch/lunawatch/hsm"
)

// An object is one of JSON.
type object = map[string]any

// Document returns the OpenAPI 3.1 document of all routes.
var Document = sync.OnceValue(func() []byte {
	s := schemas{components: make(object)}
	paths := make(object)
	for _, r := range routes {
		path, known := paths[Prefix+r.path].(object)
		if !known {
			path = make(object)
			paths[Prefix+r.path] = path
		}
		path[strings.ToLower(r.method)] = s.operation(r)
	}
	text, err := json.MarshalIndent(object{
		"openapi":    "3.1.0",
		"info":       object{"title": "Lunawatch", "version": "1", "description": about},
		"paths":      paths,
		"components": object{"schemas": s.components},
	}, "", "  ")
	if err != nil { // a test reads it
		return []byte("{}")
	}
	return append(text, '\n')
})

const about = "What the agent knows of HSMs, alarms and receivers, and what operators do to alarms. Times are RFC 3339; units are in the names: " +
	"bytes, seconds, volts, degrees Celsius, ratios from 0 to 1. What is not known is null or absent, never zero. " +
	"New keys may be added; none is taken away or changes its meaning in version 1."

// operation describes a route.
func (s schemas) operation(r route) object {
	answer := func(description string, t reflect.Type) object {
		return object{"description": description, "content": object{"application/json": object{"schema": s.of(t)}}}
	}
	wrong := reflect.TypeFor[errorAnswer]()
	responses := object{"200": answer("The answer, with an ETag.", r.returns), "304": object{"description": "Not changed since the answer whose ETag is in If-None-Match."}}
	o := object{"summary": r.summary, "responses": responses}
	if r.takes != nil {
		o["requestBody"] = object{"required": r.method != "DELETE", "content": object{"application/json": object{"schema": s.of(r.takes)}}}
		responses = object{
			"200": answer("It is done.", r.returns), "400": answer("It cannot be done so; the text says why.", wrong), "403": answer("Who asks may not.", wrong),
			"404": answer("There is no such thing.", wrong), "413": answer("The body is too large.", wrong), "415": answer("The body is not said to be JSON.", wrong),
		}
		o["responses"] = responses
	}
	var parameters []object
	for part := range strings.SplitSeq(r.path, "/") {
		if name, is := strings.CutPrefix(part, "{"); is {
			parameters = append(parameters, object{"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"}})
		}
	}
	if len(parameters) > 0 {
		responses["404"] = answer("There is no such thing.", wrong)
	}
	for _, p := range r.parameters {
		parameters = append(parameters, object{"name": p.name, "in": "query", "description": p.description, "schema": object{"type": "string"}})
	}
	if len(parameters) > 0 {
		responses["400"] = answer("A parameter is wrong.", wrong)
		o["parameters"] = parameters
	}
	return o
}

// schemas makes JSON Schemas of types, as encoding/json writes them.
type schemas struct{ components object }

// fixed are the schemas of types that write themselves.
var fixed = map[reflect.Type]object{
	reflect.TypeFor[time.Time]():       {"type": "string", "format": "date-time"},
	reflect.TypeFor[hsm.LocalTime]():   {"type": "string", "description": "in the time zone of the appliance, which it does not state"},
	reflect.TypeFor[Values]():          {"type": "array", "items": object{"type": []string{"number", "null"}}},
	reflect.TypeFor[glance.State]():    {"enum": []string{"ok", "warning", "critical", "unknown"}},
	reflect.TypeFor[alarms.Severity](): {"enum": []string{"none", "cleared", "indeterminate", "warning", "minor", "major", "critical"}},
}

// of returns the schema of a type. One with a name is a component, and referred to.
func (s schemas) of(t reflect.Type) object {
	if o, is := fixed[t]; is {
		return o
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": s.of(t.Elem())}
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Struct:
		return s.structure(t)
	}
	return object{} // anything: a test says that there is none
}

func nullable(o object) object { return object{"anyOf": []object{o, {"type": "null"}}} }

func (s schemas) structure(t reflect.Type) object {
	switch {
	case strings.HasPrefix(t.Name(), "Opt["):
		return nullable(s.of(t.Field(0).Type))
	case t.Name() == "" || strings.Contains(t.Name(), "["):
		return s.properties(t)
	}
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	name := pkg + "." + t.Name()
	if pkg == "api" {
		name = t.Name()
	}
	if s.components[name] == nil {
		s.components[name] = object{} // it may refer to itself
		s.components[name] = s.properties(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// properties describes the fields of a struct; those that may be left out are not required.
func (s schemas) properties(t reflect.Type) object {
	all, required := make(object), []string{}
	for level := []reflect.Type{t}; len(level) > 0; { // what is nearer hides what is embedded deeper
		var embedded []reflect.Type
		found := make(object)
		for _, t := range level {
			for f := range t.Fields() {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Anonymous && name == "" {
					embedded = append(embedded, f.Type)
					continue
				}
				if name = cmp.Or(name, f.Name); f.IsExported() && name != "-" && all[name] == nil {
					found[name] = s.of(f.Type)
					if !strings.Contains(options, "omit") {
						required = append(required, name)
					}
				}
			}
		}
		maps.Copy(all, found)
		level = embedded
	}
	return object{"type": "object", "properties": all, "required": required}
}
