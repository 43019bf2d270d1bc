package rules

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/texts"
	"github.com/lunawatch/lunawatch/hsm"
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

// TestPollsSayWhatEnded: a clear by a poll says what the poll showed.
func TestPollsSayWhatEnded(t *testing.T) {
	key := alarms.Key{Device: "a", Group: "restart"}
	d := &hsm.Device{Name: "a", Show: alarmstest.Read(hsm.Show{Status: "OK"})}
	got := clearedByPolls(d, []alarms.Key{key}, alarmstest.At(10))
	if len(got) != 1 {
		t.Fatalf("%d findings", len(got))
	}
	if got[0].Evidence.Text != "hsm show that works and reports a good status" {
		t.Errorf("evidence %+v", got[0].Evidence)
	}
}
