package collectortest

import (
	"encoding/json"
	"reflect"
	"testing"
)

// PlainJSON returns v as encoding/json decodes it into an any.
func PlainJSON(t testing.TB, v any) (out any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Contradiction returns where part, as of [PlainJSON], states a value that full does
// not; "" if nowhere. part may lack values.
func Contradiction(part, full any) string {
	switch p := part.(type) {
	case nil:
		return ""
	case map[string]any:
		f, _ := full.(map[string]any)
		for k := range p {
			if s := Contradiction(p[k], f[k]); s != "" {
				return k + ": " + s
			}
		}
		return ""
	case []any:
		f, _ := full.([]any)
		if len(p) > len(f) {
			return "more elements"
		}
		for i := range p {
			if s := Contradiction(p[i], f[i]); s != "" {
				return s
			}
		}
		return ""
	}
	if !reflect.DeepEqual(part, full) {
		b, _ := json.Marshal([]any{part, full})
		return string(b)
	}
	return ""
}
