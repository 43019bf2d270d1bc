package agent

import (
	"testing"

	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// TestDriverOf finds the lines of cards among those of a host's kernel.
func TestDriverOf(t *testing.T) {
	for text, want := range map[string]string{
		"6,1,2,-;k7pf0: [HSM] ALM2007: HSM zeroized":                  "k7pf0",
		"6,1,2,-;K7PF1: [HSM] ALM2007: HSM zeroized":                  "k7pf1",
		"6,1,2,-;K7PF1: HSM missing from PCIe bus":                    "k7pf1",
		"2026-02-01T11:06:55Z host1 k7pf0: HSM missing from PCIe bus": "k7pf0",
		"6,1,2,-;[HSM] ALM2007: HSM zeroized":                         "of a card",
		"6,1,2,-;[HSM] LOG(CRITICAL) x":                               "of a card",
		"6,1,2,-;NOTE: hsm log: LOG(CRITICAL) x":                      "of a card",
		"6,1,2,-;eth0: link up":                                       "",
		"6,1,2,-;usb 1-1: Product: ALM2007: x":                        "",
	} {
		driver, found := driverOf(syslog.ParseLine(text))
		got := driver
		if found && driver == "" {
			got = "of a card"
		}
		if got != want || !found && driver != "" {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
