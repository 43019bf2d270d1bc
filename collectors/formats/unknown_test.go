package formats

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/hsm"
)

// notKnown are words in place of a value.
var notKnown = []string{"Unknown", "N/A", "not available", "-", "Unknown!", "<unknown>"}

// kept are the keys whose text people choose, or which is a state: a rule has
// to see an unknown word of a state.
var kept = map[string]bool{
	"label": true, "name": true, "clients": true, "partition": true, "partitions": true,
	"status": true, "hsm_status": true, "state": true, "smart": true,
	"authentication": true,                     // "unknown" is one of its states
	"rpv":            true, "audit_role": true, // N/A is "not supported"
	"log_file": true, "tampers": true, "subject": true, "issuer": true,
}

// labelled is a line with a label and a value; member one of a JSON object.
var (
	labelled = regexp.MustCompile(`(?m)^([ \t]*[A-Za-z][^:|"\n]{2,45}(?::[ \t]+|[ \t]*->[ \t]*))([^ \t\r\n][^\r\n]*)`)
	member   = regexp.MustCompile(`("[A-Za-z]+": *)("[^"\n]*"|-?[0-9.]+)`)
)

// TestUnknownIsNoValue puts words for "not known" in the place of each value of
// each capture: what they replace becomes unknown, and nothing else changes.
func TestUnknownIsNoValue(t *testing.T) {
	tried := 0
	for _, f := range fixtures(t) {
		if f.anyLine() || strings.HasSuffix(f.format, "-conf") || strings.Contains(f.path, "wrapped") { // where half a value is left
			continue
		}
		form := labelled
		if f.json() {
			form = member
		}
		want := make(map[string]bool) // by key and value: elements of lists move
		for path, v := range leaves(t, f.parse(t, f.text).Fact) {
			want[lastKey(path)+" "+v] = true
			want[v] = len(v) > 8
		}
		for _, at := range form.FindAllStringSubmatchIndex(f.text, -1) {
			for _, word := range notKnown {
				if f.json() {
					word = `"` + word + `"`
				}
				tried++
				text := f.text[:at[4]] + word + f.text[at[5]:]
				for path, v := range leaves(t, f.parse(t, text).Fact) {
					if !want[lastKey(path)+" "+v] && !want[v] && v != "<nil>" && v != "" && !kept[lastKey(path)] && !strings.Contains(path, ".chassis.") {
						t.Errorf("%s, %s%s: %s is %s", f.path, f.text[at[2]:at[3]], word, path, v)
					}
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d values were replaced", tried)
	}
}

// TestUnknownAttempts: login attempts that are not known do not show that the HSM
// holds keys.
func TestUnknownAttempts(t *testing.T) {
	for _, word := range append(notKnown, "???") {
		f := fixture{format: "hsm-show", text: "HSM Details:\n   HSM Label:  root\n   SO Login Attempts Left:  " + word + "\n   HSM SO login attempts left:  " + word + "\n\nCommand Result : 0 (Success)\n"}
		show := f.parse(t, f.text).Fact.(hsm.Show)
		if show.Zeroized.Known || show.SOLoginAttemptsLeft.Known {
			t.Errorf("%s: zeroized %+v, attempts %+v", word, show.Zeroized, show.SOLoginAttemptsLeft)
		}
	}
}

// leaves returns the values in the JSON of a fact, by path. Elements of a list
// count by their place.
func leaves(t *testing.T, fact hsm.Fact) map[string]string {
	t.Helper()
	b, err := json.Marshal(fact)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(path+"."+k, x)
			}
		case []any:
			for i, x := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), x)
			}
		default:
			all[path] = fmt.Sprint(v)
		}
	}
	walk("", v)
	return all
}

func lastKey(path string) string {
	key := path[strings.LastIndexByte(path, '.')+1:]
	key, _, _ = strings.Cut(key, "[")
	return key
}
