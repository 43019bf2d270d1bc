package rules

import (
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/collectors/syslog"
)

// endingLines have, for every rule that ends an alarm by itself or by a line
// without an ALM code, a line that makes it do so.
var endingLines = []string{
	"kern info  kernel: k7pf0: ALM0017: Request Timed Out",
	"kern info  kernel: k7pf0: [HSM] ALM2000: Unknown alarm ID 5c in firmware",
	"local5 err  NTLS [31]: error : 0xc0000500 : NTLS initialization failed : RC_SOCKET_ERROR",
	"local5 info  NTLS [31]: info : 0 : NTLS is online and operational.",
	"local5 info  certmonitord[9]: info : 0 : New NTLS certificate detected and its expiry date is later",
	"local4 notice  ipmievd[61]: Fan sensor Fan3B          . Lower Critical going low  (Reading 2100 < Threshold 2000 RPM)",
	"local4 notice  ipmievd: Voltage sensor +5V            . Upper Critical going high  (Reading 5.1 > Threshold 5.304 Volts)",
	"local4 notice  ipmievd[5]: Power Supply sensor PSU2_Status    . - Failure detected Deasserted",
	"local3 info  hsm[7]: S/N 484233 LUNA_ZEROIZE_HSM returned RC_OK(0x00000000)",
	"local3 info  hsm[7]: S/N 484233 LUNA_DELETE_CONTAINER returned RC_OK(0x00000000)",
	"authpriv info  login: DIALUP AT ttyS0 BY recover",
	"local3 info  hsm[7]: S/N 484233 LUNA_LOGIN returned LUNA_RET_UM_PIN_INCORRECT(0x00300107)",
	"local6 err  oamp[77]: ERR:    RTC: lost all power",
	"local5 err  lunash [7]: error : 0 : 'hsm show' failed. (310102 : LUNA_RET_SM_SESSION_REALLOC_ERROR)",
	"local5 err  lunash [7]: error : 0 : 'hsm show' failed. (80000D03 : LUNA_RET_LOG_FULL)",
}

// TestEndsAreInWords has the words of every group say what ends its alarms:
// time for a one-off event, a line that clears it.
func TestEndsAreInWords(t *testing.T) {
	for _, text := range endingLines {
		findings := evaluateLine(Line{LogLine: syslog.ParseLine(alarmstest.Stamp + text), Device: "a", At: alarmstest.At(0)}, DefaultThresholds())
		if len(findings) == 0 {
			t.Errorf("%s: no finding", text)
		}
		for _, f := range findings {
			words := HowCleared(f.Group)
			if f.Condition == alarms.Bad && f.Age > 0 && !strings.Contains(words, "event_age") {
				t.Errorf("%s: %s ends by time, but in words by %s", text, f.Group, words)
			}
			if f.Condition == alarms.Good && len(f.Clears) == 0 && !strings.Contains(words, "in the log") {
				t.Errorf("%s: clears %s, but in words it ends by %s", text, f.Group, words)
			}
		}
	}
	if words := HowCleared("forecast"); !strings.Contains(words, "trend") {
		t.Errorf("forecast ends by %s", words)
	}
}

// TestCodesEndAsExplained plays every code that raises a state and then each
// line of the firmware: what the engine clears is what the words of the code
// say, and nothing else.
func TestCodesEndAsExplained(t *testing.T) {
	says := func(c alarms.Code, at int) []alarms.Finding {
		l := line(alarmstest.Stamp + "kern info  kernel: k7pf0: [HSM] ALM" + c.Code + ": " + c.Text)
		l.At = alarmstest.At(at)
		return evaluateLine(l, DefaultThresholds())
	}
	for _, c := range alarms.Catalogue() {
		if c.Kind != alarms.Assert || c.Code == "0015" { // what hides the cause of a lost link is in the engine's tests
			continue
		}
		words := HowCodeCleared(c)
		for _, later := range alarms.Catalogue() {
			if later.Component != "firmware" || later.Group == c.Group && later.Kind != alarms.Clear {
				continue
			}
			s := alarms.NewState()
			s.Apply(alarms.Eval(s, says(c, 0), alarms.Damping{}, alarmstest.At(0)))
			s.Apply(alarms.Eval(s, says(later, 60), alarms.Damping{}, alarmstest.At(60)))
			_, active := s.Active[alarms.Key{Device: "a", Group: c.Group}]
			said := strings.Contains(words, "ALM"+later.Code) ||
				strings.Contains(words, "running firmware") && !strings.HasPrefix(later.Halts, "OOS30")
			if active == said {
				t.Errorf("ALM%s, then ALM%s: active %v; in words it ends by %s", c.Code, later.Code, active, words)
			}
		}
	}
}
