package check

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
			if to.Scheme != "" {
				continue
			}
			links++
			target := file
			if to.Path != "" {
				target = filepath.Join(filepath.Dir(file), to.Path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link %q leads nowhere: %v", file, m[1], err)
			} else if to.Fragment != "" && !slices.Contains(anchors(t, target), to.Fragment) {
				t.Errorf("%s: link %q: there is no such heading", file, m[1])
			}
		}
		return nil
	}))
	if links == 0 {
		t.Error("no relative link was found")
	}
}

var (
	heading   = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	linkText  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	noAnchor  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	fileNamed = regexp.MustCompile("`([\\w./-]*/)?[\\w.-]+\\.(?:go|md|yaml|yml|txt|sh|conf|mod)`")
)

// anchors returns those of the headings of a Markdown file, as GitHub makes them.
func anchors(t *testing.T, file string) (all []string) {
	text, err := os.ReadFile(file)
	Must(t, err)
	for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		plain := noAnchor.ReplaceAllString(linkText.ReplaceAllString(h[1], "$1"), "")
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(plain)), " ", "-")
		for n, anchor := 0, name; ; n++ {
			if n > 0 {
				anchor = fmt.Sprintf("%s-%d", name, n)
			}
			if !slices.Contains(all, anchor) {
				all = append(all, anchor)
				break
			}
		}
	}
	return all
}

// elsewhere are files that documents name and that are not of this checkout: what a
// user has or makes.
var elsewhere = []string{"snmpd.conf", "nsswitch.conf", "hsm1/hsm-show.txt", "hsm1/snmpwalk.txt", "hsm1/log1.txt", "capture.yaml", "luna-snmp.conf"}

// TestNamedFiles: each file that a document names is in the checkout, by its path, by
// its end, or beside the document.
func TestNamedFiles(t *testing.T) {
	var files strings.Builder
	Must(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && file != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		files.WriteString("/" + filepath.ToSlash(file) + "\n")
		return err
	}))
	named := 0
	for name, text := range Documents(t, root) {
		for _, m := range fileNamed.FindAllString(fenced.ReplaceAllString(text, ""), -1) {
			named++
			file := strings.TrimPrefix(strings.Trim(m, "`"), "../")
			if strings.HasPrefix(file, "/") || slices.Contains(elsewhere, file) {
				continue
			}
			if !strings.Contains(files.String(), "/"+file+"\n") {
				t.Errorf("%s names %s, which is no file", name, m)
			}
		}
	}
	if named == 0 {
		t.Error("no file is named")
	}
}

// TestReadmeIsOneScreen: who opens it sees what the program is, tries it, and goes on.
func TestReadmeIsOneScreen(t *testing.T) {
	text := Documents(t, root)["README.md"]
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > 64 {
		t.Errorf("README.md has %d lines", len(lines))
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n > 130 {
			t.Errorf("README.md:%d has %d characters", i+1, n)
		}
	}
}

var (
	makeTarget = regexp.MustCompile("(?:`|(?m:^    ))make ([a-z-]+)")
	targetLine = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// TestMakeTargets: each make that a document names is in the Makefile, and CI runs the
// tests by the command that README.md names.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	Must(t, err)
	var targets []string
	for _, m := range targetLine.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	texts := Documents(t, root)
	for name, text := range texts {
		for _, m := range makeTarget.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s: the Makefile has no %s", name, m[1])
			}
		}
	}
	if !strings.Contains(texts["README.md"], "\n    make test ") {
		t.Error("README.md does not name make test")
	}
	if ci, err := os.ReadFile(filepath.Join(root, ".ci", "run")); err == nil && !strings.Contains(string(ci), "\nmake test\n") {
		t.Error(".ci/run does not run make test")
	}
}

var metricNamed = regexp.MustCompile(`\bluna_[a-z0-9_]+(?:\.go)?`)

// TestNamedMetrics: each metric that a document names is one that is served. luna_x_*
// stands for all that begin so.
func TestNamedMetrics(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"exporters/metrics_*.go", "agent/metrics*.go", "exporters/otlp/push.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		Must(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				text, err := os.ReadFile(file)
				Must(t, err)
				source.Write(text)
			}
		}
	}
	named := 0
	for name, text := range Documents(t, root) {
		for _, metric := range metricNamed.FindAllString(text, -1) {
			if strings.HasSuffix(metric, ".go") {
				continue
			}
			named++
			served := `"` + metric + `"`
			if strings.HasSuffix(metric, "_") {
				served = `"` + metric
			}
			if !strings.Contains(source.String(), served) {
				t.Errorf("%s names %s, which is no metric", name, metric)
			}
		}
	}
	if named == 0 {
		t.Error("no metric is named")
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
