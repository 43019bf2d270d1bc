package poll

import (
	"reflect"
	"unique"

	"github.com/lunawatch/lunawatch/hsm"
)

// detach replaces the strings of facts, which are parts of the answer that they were read
// from and would hold all of it in memory, by copies. HSMs say the same of most things,
// so equal strings share one copy.
func detach(facts []hsm.Fact) {
	for i, f := range facts {
		v := reflect.New(reflect.TypeOf(f)).Elem()
		v.Set(reflect.ValueOf(f))
		detachIn(v)
		facts[i] = v.Interface().(hsm.Fact)
	}
}

func detachAll(list []string) {
	for i := range list {
		list[i] = unique.Make(list[i]).Value()
	}
}

// detachIn does it in a value that can be set.
func detachIn(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(unique.Make(v.String()).Value())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				detachIn(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			detachIn(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			detachIn(v.Elem())
		}
	case reflect.Map:
		detachMap(v)
	default:
	}
}

func detachMap(v reflect.Value) {
	if v.IsNil() {
		return
	}
	next := reflect.MakeMapWithSize(v.Type(), v.Len())
	for key, value := range v.Seq2() {
		k, x := reflect.New(key.Type()).Elem(), reflect.New(value.Type()).Elem()
		k.Set(key)
		x.Set(value)
		detachIn(k)
		detachIn(x)
		next.SetMapIndex(k, x)
	}
	v.Set(next)
}
