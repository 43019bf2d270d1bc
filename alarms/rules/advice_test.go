package rules

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// TestAdvice holds what people are told to do against the vendor's documents:
// steps that it must name, in this order, and words that it must not have.
func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		codes string // seen, in this order
		group string
		steps string // by ";"
		never string // by ";"
	}{
		// List of HSM Alarm Codes.
		{"0001", "soft-v", "power;in range;restart", ""},
		{"0002", "soft-t", "fans;in range;restart", ""},
		{"0003", "soft", "power;in range;restart", ""},
		{"1006", "soft", "temperature;power;in range;restart", ""},
		{"0012", "hw", "hsm supportinfo;support", ""},
		{"0014", "battery", "support;replace", "restart"},
		{"2003", "battery", "support;replace", "restart"},
		{"2004", "battery", "Replace the unit: the firmware has halted;backup", "plan"},
		{"2003 2004", "battery", "Replace the unit: the firmware has halted", "plan"},
		{"0015", "chassis", "off and on;hsm tamper show", "Close the chassis"},
		{"0015 2020", "chassis", "Close the chassis;hsm tamper show;clear", ""},
		{"1003", "halt", "power cycle;support", ""},
		{"1004", "hw", "fans;support", ""},
		{"1005", "halt", "Contact the vendor's support;not authentic", "restart"},
		{"2005", "activation", "tamper;activate", ""},
		{"2014", "activation", "activate", ""},
		{"2008", "integrity", "Restart;support", "zeroize"},
		{"1005 2009", "halt", "Restart;power cycle;support", "zeroize"},
		{"2009", "halt", "Restart;power cycle;support", "zeroize"},
		{"2012", "stm", "stm recover", ""},
		{"2026", "fwupd", "which firmware;storage;support", ""},
		{"2027", "capacity", "partition", ""},
		{"2028", "capacity", "backups;Free", ""},

		// Stored Data Integrity: zeroizing is for a failure at the start only.
		{"2024", "integrity", "Restart;at the start;power cycle;zeroize;support;while it runs;support", ""},

		// Alarm code samples: a card in reset, or in the boot loader, needs a
		// restart first; the firmware is locked until the SO clears the tamper.
		{"0004", "hard-ht", "Restart;hsm tamper show;clear", ""},
		{"1007", "hard-ht", "Restart;hsm tamper show;clear", ""},
		{"2015", "hard-ht", "hsm tamper show;clears;restart", ""},
		{"0004 1007 2015", "hard-ht", "hsm tamper show;clears;restart", "Restart the HSM, then"},
		{"2021", "removal", "hsm tamper show;clears;restart", ""},

		// Recovering from a Tamper Event: clear, then reset, then activate.
		{"2010", "lock", "hsm tamper show;hsm tamper clear;restart;activate", "Restart the HSM, then"},

		// Decommission deletes the audit role too; zeroize does not.
		{"0010", "decom", "Restart;clear;Initialize;audit;backup", ""},
		{"1016", "decom", "Restart;clear;Initialize;audit;backup", ""},
		{"2022", "decom", "clear;Initialize;audit;backup", "Restart"},
		{"0010 1016 2006", "decom", "clear;Initialize;audit;backup", "Restart"},
		{"1001", "restart", "Restart;tamper stopped it;hsm tamper show;power cycle", ""},
		{"2006", "decom", "Initialize;audit;backup", ""},
		{"2007", "zeroize", "Initialize;backup", "audit"},
	} {
		advice := alarms.Advice(alarms.Alarm{Key: alarms.Key{Group: test.group}, Codes: strings.Fields(test.codes)})
		rest := strings.ToLower(advice)
		for step := range strings.SplitSeq(test.steps, ";") {
			_, after, found := strings.Cut(rest, strings.ToLower(step))
			if !found {
				t.Errorf("%s: no %q, or not in its place: %s", test.codes, step, advice)
				break
			}
			rest = after
		}
		for word := range strings.SplitSeq(test.never, ";") {
			if word != "" && strings.Contains(strings.ToLower(advice), strings.ToLower(word)) {
				t.Errorf("%s: says %q: %s", test.codes, word, advice)
			}
		}
		for code := range strings.FieldsSeq(test.codes) {
			if c, known := alarms.CodeNamed(code); !known || c.Group != test.group {
				t.Errorf("%s is not of group %s", code, test.group)
			}
		}
	}
}

// TestAdviceFits: an SnmpAdminString has 255 bytes.
func TestAdviceFits(t *testing.T) {
	for _, c := range alarms.Catalogue() {
		if len(c.Action) > 255 {
			t.Errorf("ALM%s: %d bytes: %s", c.Code, len(c.Action), c.Action)
		}
	}
	for _, g := range alarms.Groups() {
		if len(g.Action) > 255 {
			t.Errorf("%s: %d bytes: %s", g.Name, len(g.Action), g.Action)
		}
	}
}

// TestAdviceByLayer: what is to be checked first follows from the layer at which the way
// to an HSM is dead, as the evidence of the alarm's text has it.
func TestAdviceByLayer(t *testing.T) {
	seen := map[string]hsm.Layer{alarms.GroupNamed("unreachable").Action: hsm.LayerUnknown}
	for _, layer := range hsm.Layers() {
		a := alarms.Alarm{Key: alarms.Key{Group: "unreachable"}, Text: "now", Evidence: []alarms.Evidence{{Text: "before", Layer: hsm.LayerRoute}, {Text: "now", Layer: layer}, {Text: "back"}}}
		advice := alarms.Advice(a)
		if other, twice := seen[advice]; twice || len(advice) > 255 || strings.Count(advice, ". ") > 0 || layer.Words() == "" {
			t.Errorf("%s, %q: %d bytes, as of layer %q: %s", layer, layer.Words(), len(advice), other, advice)
		}
		seen[advice] = layer
	}
	unknown := alarms.Alarm{Key: alarms.Key{Group: "unreachable"}, Text: "now", Evidence: []alarms.Evidence{{Text: "before", Layer: hsm.LayerRoute}, {Text: "now"}}}
	if got, want := alarms.Advice(unknown), alarms.GroupNamed("unreachable").Action; got != want {
		t.Errorf("of an unknown layer: %s", got)
	}
}

// TestAdviceByPoll: a voltage that only a poll has read as depleted asks for
// what ALM2004 does.
func TestAdviceByPoll(t *testing.T) {
	depleted, _ := alarms.CodeNamed("2004")
	for _, codes := range [][]string{nil, {"2003"}} {
		a := alarms.Alarm{Key: alarms.Key{Group: "battery"}, Severity: alarms.Critical, Codes: codes}
		if got := alarms.Advice(a); got != depleted.Action {
			t.Errorf("%v: %s", codes, got)
		}
	}
	low := alarms.Alarm{Key: alarms.Key{Group: "battery"}, Severity: alarms.Minor}
	if got := alarms.Advice(low); got != alarms.GroupNamed("battery").Action {
		t.Errorf("low: %s", got)
	}
}
