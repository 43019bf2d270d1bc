package check

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	fenced = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quoted = regexp.MustCompile("(?ms)^<!-- ([\\w./-]+) -->\n```go\n(.*?)^```$")
)

const root = "../.."

// TestLinks follows every relative link of the Markdown files of the checkout.
func TestLinks(t *testing.T) {
	links := 0
	Must(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case filepath.Ext(file) != ".md":
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			to, err := url.Parse(m[1])
			if err != nil {
				t.Errorf("%s: link %q: %v", file, m[1], err)
				continue
			}
			if to.Scheme != "" || to.Path == "" {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), to.Path)); err != nil {
				t.Errorf("%s: link %q leads nowhere: %v", file, m[1], err)
			}
		}
		return nil
	}))
	if links == 0 {
		t.Error("no relative link was found")
	}
}

// TestQuotedCode holds the code in CONTRIBUTING.md against the files that it
// is quoted from.
func TestQuotedCode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	Must(t, err)
	quotes := quoted.FindAllStringSubmatch(string(text), -1)
	if len(quotes) == 0 {
		t.Error("CONTRIBUTING.md quotes no file")
	}
	for _, q := range quotes {
		want, err := os.ReadFile(filepath.Join(root, q[1]))
		Must(t, err)
		if diff := cmp.Diff(string(want), q[2]); diff != "" {
			t.Errorf("CONTRIBUTING.md differs from %s (-file +quoted):\n%s", q[1], diff)
		}
	}
}
