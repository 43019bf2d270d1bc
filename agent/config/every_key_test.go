package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// A place in a configuration: the keys that lead there, "[]" for an element of a list
// and "{}" for a key that the file chooses.
type keyPlace struct {
	path  []string
	field reflect.StructField // zero: an element of a list or map
	typ   reflect.Type
}

// String is the path as errors have it.
func (k keyPlace) String() string {
	return strings.NewReplacer(".[]", "[0]", "{}", "battery").Replace(strings.Join(k.path, "."))
}

// everyKey lists the places of all keys and elements of a type, in its order.
func everyKey(path []string, field reflect.StructField, typ reflect.Type) (list []keyPlace) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if len(path) > 0 {
		list = append(list, keyPlace{path, field, typ})
	}
	below := func(name string, field reflect.StructField, typ reflect.Type) {
		list = append(list, everyKey(append(slices.Clone(path), name), field, typ)...)
	}
	switch typ.Kind() {
	case reflect.Slice:
		below("[]", reflect.StructField{}, typ.Elem())
	case reflect.Map:
		below("{}", reflect.StructField{}, typ.Elem())
	case reflect.Struct:
		for f := range typ.Fields() {
			switch key := f.Tag.Get("yaml"); key {
			case "", "-":
			case ",inline":
				list = append(list, everyKey(path, f, f.Type)[min(1, len(path)):]...)
			default:
				below(key, f, f.Type)
			}
		}
	}
	return list
}

func keys() []keyPlace { return everyKey(nil, reflect.StructField{}, reflect.TypeFor[Config]()) }

// lines has text at a place, each key in a line of its own.
func (k keyPlace) lines(text string) string {
	var b strings.Builder
	for depth, name := range k.path {
		b.WriteString(strings.Repeat("  ", depth))
		switch name {
		case "[]":
			b.WriteString("-")
		case "{}":
			b.WriteString("battery:")
		default:
			b.WriteString(name + ":")
		}
		if depth < len(k.path)-1 {
			b.WriteString("\n")
		}
	}
	return b.String() + text + "\n"
}

// foreign are words of Go and of the YAML library.
var foreign = regexp.MustCompile(`unmarshal|\bGo\b|struct\b|strconv|parse(int|float|bool)|reflect|\btoken\b|scalar|mapping|sequence|\bnode\b|\bmap\b|int64|float64|bool\b|string\b|syntax|context|time: |invalid|parse "|lookup|character '|tag:|not found`)

// wrongValues are values of every wrong kind; most are right somewhere.
var wrongValues = []string{
	"word", `"quoted"`, `""`, "''", "5", "-5", "0", "1.5", "1e3", "0x1F", "99999999999999999999", ".nan", "-.inf", "true", "yes", "~", "", "5 m", "5m", "-5m", "2026-01-01",
	"[x, y]", "[]", "[[x]]", "[~]", "{a: b}", "{}", "{a: {b: c}}", "{? [a]: b}", "- x", "|\n                  x", "99999h99999h999999999h",
}

// TestWrongKinds gives each key each value. Whatever is wrong is said in our words, at
// its place. The golden file has what is said of each kind, once.
func TestWrongKinds(t *testing.T) {
	said := make(map[string]string)
	number, quoted := regexp.MustCompile(`^\d+:\d+: `), regexp.MustCompile(`"(?:[^"\\]|\\.)*"|^-?[0-9][0-9a-z+.]*`)
	for _, key := range keys() {
		for _, value := range wrongValues {
			_, err := Parse([]byte(key.lines(" " + value)))
			if err == nil {
				continue
			}
			faults, ok := err.(Faults) //nolint:errorlint // it is that, and not something in it
			if !ok {
				t.Fatalf("%s %s: %T %v", key, value, err, err)
			}
			for _, f := range faults {
				text := f.Error()
				if found := foreign.FindString(strings.ReplaceAll(text, f.Path, "")); found != "" {
					t.Errorf("%s: %s: %q says %q", key, value, text, found)
				}
				what, _ := strings.CutPrefix(number.ReplaceAllString(text, ""), f.Path+": ")
				what = quoted.ReplaceAllString(what, "VALUE")
				if f.Path == key.String() && said[what] == "" {
					said[what] = key.String() + ": " + value
				}
			}
		}
	}
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(said)) {
		fmt.Fprintf(&b, "%s\n    %s\n", what, strings.ReplaceAll(said[what], "\n", "\\n"))
	}
	check.Golden(t, "wrong_kinds.txt", []byte(b.String()))
}

// secretNames are keys that secrets are written under by mistake.
var secretNames = []string{
	"password", "Password", "passwd", "passphrase", "token", "api_token", "secret", "key", "routing_key", "api_key", "community", "credentials", "auth_password", "bearer_token", "headers",
}

// secretShapes are ways to write a secret, S, some of them wrong.
var secretShapes = []string{
	" S", ` "S"`, " 'S'", " *S", " &S", " &S x", " &a S", " !S", " !S x", " !!S x", " |S", " >S", " %S", " @S", " `S", ` "S`, " 'S", " {S", " [S", " [S}", " {S: S}", " {a: {b: S}}", " [S, [S]]", " S: S", " ? S", ` "S" S`, ` "S\qS"`,
	" \"S\n S", " |\n      S\n S", " https://u:S@h:99999/", ":S", ":S: x", "=S", "=S: x", " <<: S", " - S", " -S", "\n                  S: S", "\n                  - S", " S\n                  S: S", " S\nS", "\tS", " \tS", " S\t: S", " ?S", " &S *S", " !<S> S", " |2S\n S", " S }x: {", " *S : x", " ---\n--- S", " #S", " 'S'S", " \"S\\uD800S\"", " !!int S", " !!float S", " !!seq S",
}

// TestNoSecretInFaults plants a secret in every way under keys that look like those of
// secrets, those of the schema included, in every section. No error has it.
func TestNoSecretInFaults(t *testing.T) {
	const planted = "hunter2"
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	try := func(where keyPlace, tail string) {
		t.Helper()
		text := where.lines(strings.ReplaceAll(tail, "S", planted))
		if _, err := Parse([]byte(text)); err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: %v", text, err)
		}
	}
	at := func(path ...string) keyPlace { return keyPlace{path: path} }
	for _, key := range keys() {
		last := key.path[len(key.path)-1]
		switch {
		case key.typ.Kind() == reflect.Struct || key.typ.Kind() == reflect.Map:
			for _, name := range secretNames {
				for _, shape := range secretShapes {
					try(at(append(slices.Clone(key.path), name)...), shape)
				}
			}
		case regexp.MustCompile(`password|\btoken\b|secret|key|community|credential`).MatchString(last):
			for _, shape := range secretShapes {
				try(key, shape)
			}
		}
		try(key, " https://user:S@host:99999/ S")
		try(key, ` "https://user:S@host:99999/"`)
		try(key, ` "user:S@host:99999"`)
		try(key, ` [ "user:S@host" ]`)
		try(key, ` [ "--password=S" ]`)
		try(key, ` "--password=S"`)
	}
	for _, name := range secretNames {
		for _, shape := range secretShapes {
			try(at(name), shape)
		}
	}
}

// TestAllFaultsAtOnce: a value of the wrong kind hides no other fault, and causes none.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := parse("f", []byte(`snmp:
  agentXTimeout: soon
  agentXRetries: -1
intervals: {fast: 5ms, slwo: 5m}
intervals: {slow: 5m}
hsms:
- {name: a, adddress: 192.0.2.1, password_file: /p, user: admin}
- {name: "b c", replay: /d, logs: [x, ~]}
alarms:
  raise_after: {batery: 5m, fan: soon}
`))
	want := `f:2:18: snmp.agentXTimeout: a whole number (1 to 86400) is needed, not "soon"
f:3:18: snmp.agentXRetries: -1 is out of range; 0 to 1000 is allowed
f:4:19: intervals.fast: 5ms is out of range; 1s or more is allowed
f:4:24: intervals.slwo: unknown key; did you mean slow?
f:5:1: intervals: is there twice; the first is in line 4
f:7:13: hsms[0].adddress: unknown key; did you mean address?
f:7:59: hsms[0].user: "admin" can change the appliance; use an account with role monitor, or set allow_privileged_user
f:8:10: hsms[1].name: "b c" is not a name: 1 to 64 letters, digits, dots, dashes or underscores
f:8:39: hsms[1].logs[1]: text is needed, not nothing
f:10:25: alarms.raise_after.batery: is not a group of alarms; did you mean battery?
f:10:34: alarms.raise_after.fan: a duration such as 90s, 5m or 1h (0s or more) is needed, not "soon"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
