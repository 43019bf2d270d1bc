package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/rules"
	"github.com/lunawatch/lunawatch/alarms/texts"
	"github.com/lunawatch/lunawatch/internal/check"
)

// generated begins what a test writes of a document.
const generated = "<!-- go test ./cmd/lunawatch -update writes what follows; do not edit it -->\n"

// TestCatalogueDocument holds the catalogue in docs/alarms.md to the tables of groups,
// codes and texts.
func TestCatalogueDocument(t *testing.T) {
	hand, _, found := strings.Cut(check.Documents(t, "../..")["docs/alarms.md"], generated)
	if !found {
		t.Fatalf("docs/alarms.md lacks %q", generated)
	}
	var b strings.Builder
	b.WriteString(hand + generated)
	for _, g := range alarms.Groups() {
		writeGroup(&b, g)
	}
	b.WriteString("\n## Codes\n\nWhat is raised at a severity is an alarm of the group; a code without one clears it, or is only information.\n\n")
	b.WriteString("| code | from | severity | alarm | text | meaning |\n|---|---|---|---|---|---|\n")
	for _, c := range alarms.Catalogue() {
		fmt.Fprintf(&b, "| ALM%s | %s | %s | [%s](#%s) | %s | %s |\n", c.Code, c.Component, severityOf(c), c.Group, c.Group, cell(c.Text), cell(c.Why))
	}
	check.Golden(t, "../../../docs/alarms.md", []byte(b.String()))
}

// writeGroup writes all that a site should know of a group.
func writeGroup(b *strings.Builder, g alarms.Group) {
	fmt.Fprintf(b, "\n### %s\n\n%s. Event ID %d, %s, %s (%s).\n\n", g.Name, g.Title, g.Number, g.Trap, g.Type, g.Cause)
	item := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "- %s: %s\n", name, text)
		}
	}
	var codes, words []string
	for _, c := range alarms.Catalogue() {
		if c.Group == g.Name {
			codes = append(codes, "ALM"+c.Code+" ("+severityOf(c)+")")
		}
	}
	for _, text := range texts.All() {
		if text.Group == g.Name {
			words = append(words, fmt.Sprintf("`%s` (%s)", text.Words, text.Severity))
		}
	}
	item("What to do", g.Action)
	item("What clears it", rules.HowCleared(g.Name))
	item("Explained by", strings.Join(g.Causes, ", "))
	item("Explained, on what the HSM depends on, by", strings.Join(g.ParentCauses, ", "))
	item("Codes", strings.Join(codes, ", "))
	item("Texts in logs", strings.Join(words, ", "))
}

// severityOf returns the severity of a code; of one that raises nothing, what it does.
func severityOf(c alarms.Code) string {
	switch {
	case c.Kind == alarms.Clear:
		return "clears ALM" + strings.Join(c.Clears, ", ALM")
	case c.Severity == alarms.None:
		return "information"
	case c.Again != alarms.None && c.Again != c.Severity:
		return c.Severity.String() + ", again " + c.Again.String()
	}
	return c.Severity.String()
}

// cell returns text as Markdown takes it in a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(text)
}
