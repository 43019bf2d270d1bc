package exporters

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
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

// TestExplainTroubles: what Lunawatch says is explained as it was said.
func TestExplainTroubles(t *testing.T) {
	for text, want := range map[string]string{
		"13":                       "zeroize: ",
		"luna-a/battery":           "battery: ",
		"luna-a/lock/k7pf1 (test)": "lock: ",
		"2026 Mar  1 12:09:00 luna-a kern info kernel: k7pf0: [HSM] ALM2010: HSM locked": "ALM2010: ",
		"port refused: dial tcp 192.0.2.1:22: connect: connection refused":               "port refused\n\n  Meaning:",
		"no-answer":    "Check the power and the network cable",
		"unrecognised": "lunawatch capture",
		`level=WARN msg="source fails" hsm=a failure=timeout layer=""`:                     "no answer in time",
		"hsms[0].password_file: /p can be read by everybody (mode 0644); use chmod o-r":    "chmod o-r FILE",
		"metrics and the page are open to whoever reaches :9477: set basic_auth_users ...": "-web.config.file",
	} {
		var b strings.Builder
		if err := Explain(&b, text); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v\n%s", text, err, &b)
		}
	}
	for _, l := range hsm.Layers() {
		if x := layerTrouble(l); x.words == "" || x.action == alarms.GroupNamed("unreachable").Action {
			t.Errorf("%s: %+v", l, x)
		}
	}
	for _, f := range hsm.Failures() {
		var b strings.Builder
		if err := Explain(&b, string(f)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	for _, text := range []string{"999", "a/nothing", "ALM9999: no such code", "something else"} {
		if err := Explain(&strings.Builder{}, text); err == nil {
			t.Errorf("%q is explained", text)
		}
	}
}
