package exporters

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
)

func TestExplain(t *testing.T) {
	explain := func(name string) (string, error) {
		var b strings.Builder
		err := Explain(&b, name)
		return b.String(), err
	}
	for name, want := range map[string][]string{
		"ALM2001":   {"High temperature warning activated", "minor", "ALM2002 in the log", "at 80 C the card stops"},
		"0015":      {"PCIe Link Failure", "off the bus: no service", "underlyingResourceUnavailable"},
		"ALM_2024":  {"integrity", "lunawatch alarms clear"},
		"2011":      {"Clears:", "ALM2010"},
		"2025":      {"nothing: it is information", "since firmware 7.7.0"},
		"0017":      {"a one-off event"},
		"zeroize":   {"Event ID:       13"},
		"lock":      {"ALM2010", "Can follow:", "hard-ht"},
		"log-disk":  {"a poll that finds it good again", "none: it is polled"},
		"integrity": {"nothing that is read"},
		"":          {"temp-warn", "ALM2028"},
	} {
		text, err := explain(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", name, w, text)
			}
		}
	}
	if _, err := explain("9999"); err == nil || !strings.Contains(err.Error(), `"9999" is neither a code`) {
		t.Errorf("9999: %v", err)
	}
	for _, c := range alarms.Catalogue() {
		if _, known := halts[c.Halts]; !known {
			t.Errorf("ALM%s: no words for %q", c.Code, c.Halts)
		}
		if text, err := explain(c.Code); err != nil || !strings.Contains(text, c.Why) {
			t.Errorf("%s: %v\n%s", c.Code, err, text)
		}
	}
	for _, g := range alarms.Groups() {
		if text, err := explain(g.Name); err != nil || !strings.Contains(text, g.Action) {
			t.Errorf("%s: %v\n%s", g.Name, err, text)
		}
	}
}
