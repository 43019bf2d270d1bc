package rules

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
)

func TestCatalogueHoldsTogether(t *testing.T) {
	if len(alarms.Catalogue()) != 58 {
		t.Errorf("%d codes, want 58", len(alarms.Catalogue()))
	}
	groups := make(map[string]bool)
	for _, g := range alarms.Groups() {
		if groups[g.Name] {
			t.Errorf("group %s twice", g.Name)
		}
		groups[g.Name] = true
		if g.Title == "" || g.Action == "" || g.Trap == "" {
			t.Errorf("group %s lacks a title, an action or a trap", g.Name)
		}
	}
	seen := make(map[string]bool)
	for _, c := range alarms.Catalogue() {
		if seen[c.Code] {
			t.Errorf("code %s twice", c.Code)
		}
		seen[c.Code] = true
		if !groups[c.Group] {
			t.Errorf("%s: no group %q", c.Code, c.Group)
		}
		if c.Why == "" || c.Text == "" || c.Type == "" || c.Cause == "" {
			t.Errorf("%s lacks a text", c.Code)
		}
		if want := map[byte]string{'0': "host-driver", '1': "bootloader", '2': "firmware"}[c.Code[0]]; c.Component != want {
			t.Errorf("%s: component %s, want %s", c.Code, c.Component, want)
		}
		if (c.Kind == alarms.Clear) != (c.Severity == alarms.SeverityCleared) || (c.Kind == alarms.Clear) != (len(c.Clears) > 0) {
			t.Errorf("%s: kind %s, severity %s and clears %q do not fit", c.Code, c.Kind, c.Severity, c.Clears)
		}
		for _, code := range append(slices.Clone(c.Clears), firmwareStopped...) {
			if cleared, ok := alarms.CodeNamed(code); !ok || cleared.Kind != alarms.Assert {
				t.Errorf("%s clears %s, which is no state", c.Code, code)
			}
		}
	}
	for _, r := range rules {
		if !groups[r.Group] {
			t.Errorf("rule of no group %q", r.Group)
		}
	}
}

// TestCatalogueIsTheReference compares with the facts, where they are beside
// the checkout.
func TestCatalogueIsTheReference(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "reference", "alarms.md"))
	if err != nil {
		t.Skipf("SKIPPED: the reference is not beside the checkout: %v", err)
	}
	_, table, _ := strings.Cut(string(text), "```tsv\n")
	table, _, _ = strings.Cut(table, "```")
	r := csv.NewReader(strings.NewReader(table))
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := rows[0]
	if len(rows)-1 != len(alarms.Catalogue()) {
		t.Errorf("%d codes in the reference, %d in the catalogue", len(rows)-1, len(alarms.Catalogue()))
	}
	for _, row := range rows[1:] {
		field := func(name string) string { return row[slices.Index(head, name)] }
		c, ok := alarms.CodeNamed(field("code"))
		if !ok {
			t.Errorf("%s is not in the catalogue", field("code"))
			continue
		}
		words := strings.NewReplacer("nnC", "76C", " x", " 1").Replace(c.Text)
		if !regexp.MustCompile(strings.ReplaceAll(field("pattern"), `\u2013`, "\u2013")).MatchString(words) {
			t.Errorf("%s: %q does not match %s", c.Code, words, field("pattern"))
		}
		var clears []string
		for code := range strings.SplitSeq(strings.ReplaceAll(field("clears"), " (inferred)", ""), ",") {
			if code != "" {
				clears = append(clears, code)
			}
		}
		halts := field("halts_fw")
		if halts == "no" {
			halts = ""
		}
		want := alarms.Code{Code: c.Code, Component: field("component"), Text: c.Text, Kind: alarms.CodeKind(field("kind")),
			Group: strings.ToLower(field("group")), Type: field("event_type"), Cause: field("probable_cause"),
			Halts: halts, Since: field("since"), Clears: clears, Why: c.Why, Action: c.Action}
		if strings.Contains(field("reason"), "major when repeated") {
			want.Again = alarms.Major
		}
		if err := want.Severity.UnmarshalText([]byte(field("severity"))); err != nil {
			t.Errorf("%s: %v", c.Code, err)
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%s (-reference +catalogue):\n%s", c.Code, diff)
		}
	}
}

// TestEveryStateEnds has a way to an end for every code that raises a state,
// but for those that the documentation leaves to an operator.
func TestEveryStateEnds(t *testing.T) {
	cleared := make(map[string]bool)
	for _, c := range alarms.Catalogue() {
		for _, code := range c.Clears {
			cleared[code] = true
		}
	}
	ruled := make(map[string]bool)
	for _, r := range rules {
		ruled[r.Group] = true
	}
	for _, c := range alarms.Catalogue() {
		operator := c.Group == "integrity" || c.Group == "fwupd"
		ends := cleared[c.Code] || ruled[c.Group] || alarms.GroupNamed(c.Group).ClearedBy.Since != nil
		if c.Kind == alarms.Assert && ends == operator {
			t.Errorf("%s of %s: ends %v", c.Code, c.Group, ends)
		}
	}
}

func TestSeverityNames(t *testing.T) {
	for s := alarms.None; s <= alarms.Critical; s++ {
		var back alarms.Severity
		text, err := s.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%v became %q, then %v", s, text, back)
		}
	}
	var s alarms.Severity
	if err := s.UnmarshalText([]byte("dire")); err == nil || !strings.Contains(err.Error(), `"dire"`) {
		t.Errorf("got %v", err)
	}
}
