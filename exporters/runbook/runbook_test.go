package runbook_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/collectors/lunacm"
	"github.com/lunawatch/lunawatch/collectors/lunash"
	"github.com/lunawatch/lunawatch/exporters/runbook"
	"github.com/lunawatch/lunawatch/internal/check"
)

// TestDocuments holds docs/runbooks to the tables, and has nothing else there.
func TestDocuments(t *testing.T) {
	var index strings.Builder
	index.WriteString("# Runbooks\n\nWhat to do about each alarm. The agent serves the same pages at `/runbooks/`, and `lunawatch alarms explain` prints them.\n\n")
	want := []string{"README.md"}
	for _, g := range alarms.Groups() {
		page, known := runbook.Of(g.Name)
		if !known {
			t.Fatalf("no page of %s", g.Name)
		}
		var b strings.Builder
		check.Must(t, runbook.Markdown(&b, page))
		check.Golden(t, "../../../docs/runbooks/"+g.Name+".md", []byte(b.String()))
		fmt.Fprintf(&index, "- [%s](%s.md): %s\n", g.Name, g.Name, g.Title)
		want = append(want, g.Name+".md")
	}
	check.Golden(t, "../../../docs/runbooks/README.md", []byte(index.String()))
	files, err := filepath.Glob("../../docs/runbooks/*")
	check.Must(t, err)
	for _, f := range files {
		if !slices.Contains(want, filepath.Base(f)) {
			t.Errorf("%s is of no group", f)
		}
	}
}

// readOnly are commands to look at something, besides those that the agent itself sends.
var readOnly = []string{
	"syslog tail -logname hsm", "ntls show", "service list", "status ps", "status sysstat code",
	"vtl verify", "df -h", "ping ADDRESS", "ip route get ADDRESS",
}

// TestCommandsOnlyRead: what a page says to check first changes nothing.
func TestCommandsOnlyRead(t *testing.T) {
	for _, g := range alarms.Groups() {
		page, _ := runbook.Of(g.Name)
		for _, c := range page.Check {
			if !slices.Contains(readOnly, c.Line) && lunash.Allowed(c.Line) != nil && lunacm.Allowed(c.Line) != nil && !strings.HasPrefix(c.Line, "lunawatch ") {
				t.Errorf("%s: %q is no command that is known to read only", g.Name, c.Line)
			}
		}
		if len(page.Check) < 2 && g.Name != "test" {
			t.Errorf("%s: nothing to check first but the alarm", g.Name)
		}
	}
}

// TestKeys: each threshold is that of a group, and each key of a group is a threshold.
func TestKeys(t *testing.T) {
	keys := map[string]bool{}
	for f := range reflect.TypeFor[rules.Thresholds]().Fields() {
		if key := f.Tag.Get("yaml"); key != "-" {
			keys[key] = false
		}
	}
	for _, g := range alarms.Groups() {
		for _, key := range g.Keys {
			if _, known := keys[key]; !known {
				t.Errorf("%s: %q is no threshold", g.Name, key)
			}
		}
		page, _ := runbook.Of(g.Name)
		for _, key := range page.Keys {
			keys[key.Name] = true
		}
	}
	for key, used := range keys {
		if !used {
			t.Errorf("%s is the threshold of no group", key)
		}
	}
}

// TestHandler serves what the documents have, and lets a page do nothing.
func TestHandler(t *testing.T) {
	get := func(path string) (*http.Response, string) {
		w := httptest.NewRecorder()
		runbook.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		body, err := io.ReadAll(w.Result().Body)
		check.Must(t, err)
		return w.Result(), string(body)
	}
	for path, want := range map[string][]string{
		"/runbooks/":        {`<a href="battery">battery</a>`, "Unknown alarm"},
		"/runbooks/battery": {"<h1>battery: Battery low or depleted</h1>", "ALM0014", "battery_margin", "<code>hsm show</code>", "2.75 V", "event_age"},
		"/runbooks/comm":    {`<a href="hsm-crashed">hsm-crashed</a>`},
	} {
		r, body := get(path)
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s %q", path, r.Status, r.Header)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q in\n%s", path, w, body)
			}
		}
	}
	if r, body := get("/runbooks/%3Cscript%3E"); r.StatusCode != http.StatusNotFound || strings.Contains(body, "<script>") {
		t.Errorf("an unknown group: %s %s", r.Status, body)
	}
}

// TestPages: what a person needs is there, whichever group it is.
func TestPages(t *testing.T) {
	for _, g := range alarms.Groups() {
		page, _ := runbook.Of(g.Name)
		if len(page.Means) == 0 {
			t.Errorf("%s: neither Means nor a code says what it means", g.Name)
		}
		var b strings.Builder
		check.Must(t, runbook.Markdown(&b, page))
		terminal := fmt.Sprint(page.Rows())
		for _, want := range []string{g.Action, rules.HowCleared(g.Name)[1:], page.Means[0].Text} {
			if !strings.Contains(b.String(), want) || !strings.Contains(terminal, want) {
				t.Errorf("%s: no %q in\n%s\nor\n%s", g.Name, want, &b, terminal)
			}
		}
	}
	if _, known := runbook.Of("no-such-group"); known {
		t.Error("a page of no group")
	}
}
