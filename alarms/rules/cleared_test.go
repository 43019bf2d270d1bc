package rules

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/texts"
)

// TestClearRulesHaveWords needs words for what ClearedBy of each group looks
// for, and none for groups without it.
func TestClearRulesHaveWords(t *testing.T) {
	for _, g := range alarms.Groups() {
		rule := g.ClearedBy
		if (rule.Words != "") != (rule.Since != nil) || strings.Count(HowCleared(g.Name), rule.Words) != 1 && rule.Words != "" {
			t.Errorf("%s cleared by %q, in words %q", g.Name, HowCleared(g.Name), rule.Words)
		}
	}
	for _, x := range texts.All() {
		if x.OneOff && !alarms.GroupNamed(x.Group).Ages {
			t.Errorf("%s clears by itself, but not in words", x.Group)
		}
	}
	for _, c := range alarms.Catalogue() {
		if c.Kind == alarms.Event && c.Severity != alarms.None && !alarms.GroupNamed(c.Group).Ages {
			t.Errorf("ALM%s clears by itself, but not in words", c.Code)
		}
	}
}
