package collectortest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// referenceDir is a directory of captured outputs beside a checkout. Where it is
// missing, the tests that need it are skipped.
const referenceDir = "../../../shared/reference/formats"

var fence = regexp.MustCompile("(?ms)^(```+)text id=(\\w+)/(\\d+)\n(.*?)^```+$")

// ReferenceBlocks returns the blocks of one file: their ids in the order of the file,
// and their texts by id. It skips the test if the file is missing.
func ReferenceBlocks(t testing.TB, file string) (ids []string, texts map[string]string) {
	t.Helper()
	texts = make(map[string]string)
	for _, m := range fence.FindAllStringSubmatch(ReferenceText(t, file), -1) {
		id := m[2] + "/" + m[3]
		ids = append(ids, id)
		texts[id] = m[4]
	}
	if len(ids) == 0 {
		t.Fatalf("%s: no blocks", file)
	}
	return ids, texts
}

// ReferenceText returns one file. It skips the test if the file is missing.
func ReferenceText(t testing.TB, file string) string {
	t.Helper()
	dir := os.Getenv("LUNAWATCH_REFERENCE")
	if dir == "" {
		dir = referenceDir
	}
	b, err := os.ReadFile(filepath.Join(dir, file+".md"))
	if err != nil {
		t.Skipf("no reference outputs beside this checkout: %v", err)
	}
	return string(b)
}

// Match compares the JSON of v with lines of "path json", and returns an error if one
// differs. Steps of a path are separated by dots: an index (a negative one counts from
// the end), a key, or # for the length; "." is the whole. An object may have more
// keys than are wanted.
func Match(v any, want string) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var got any
	if err := json.Unmarshal(b, &got); err != nil {
		return err
	}
	for line := range strings.Lines(want) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		path, value, _ := strings.Cut(line, " ")
		var wanted any
		if err := json.Unmarshal([]byte(value), &wanted); err != nil {
			return fmt.Errorf("the test's own %q: %w", line, err)
		}
		have, err := at(got, path)
		if err != nil {
			return fmt.Errorf("%s: %w in %s", path, err, b)
		}
		if !covers(have, wanted) {
			h, _ := json.Marshal(have)
			return fmt.Errorf("%s: got %s, want %s", path, h, value)
		}
	}
	return nil
}

// at returns the value at a path.
func at(v any, path string) (any, error) {
	if path == "." {
		return v, nil
	}
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case []any:
			if step == "#" {
				v = float64(len(x))
				continue
			}
			i, err := strconv.Atoi(step)
			if i < 0 {
				i += len(x)
			}
			if err != nil || i < 0 || i >= len(x) {
				return nil, fmt.Errorf("no element %s", step)
			}
			v = x[i]
		case map[string]any:
			if step == "#" {
				v = float64(len(x))
				continue
			}
			v = x[step]
		default:
			return nil, fmt.Errorf("nothing at %s", step)
		}
	}
	return v, nil
}

// covers reports whether got has all of want, in which null is also a missing key.
func covers(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for k := range w {
			ok = ok && covers(g[k], w[k])
		}
		return ok
	case []any:
		g, ok := got.([]any)
		ok = ok && len(g) == len(w)
		for i := range w {
			ok = ok && covers(g[i], w[i])
		}
		return ok
	}
	return reflect.DeepEqual(got, want)
}
