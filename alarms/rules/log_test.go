package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify/snmp"
	"github.com/lunawatch/lunawatch/collectors/syslog"
	"github.com/lunawatch/lunawatch/hsm"
)

// line is a line of an appliance's log, read at the start of a story.
func line(text string) Line {
	return Line{LogLine: syslog.ParseLine(text), Device: "a", File: "/logs/a/messages", At: alarmstest.At(0)}
}

// described renders the findings of the rules for a line.
func described(l Line) (list []string) {
	for _, found := range evaluateLine(l, DefaultThresholds()) {
		s := map[alarms.Condition]string{alarms.Good: "good", alarms.Between: "between", alarms.Bad: "bad " + found.Severity.String()}[found.Condition]
		s += " " + found.Key.String()
		if found.Age > 0 {
			s += " ages"
		}
		list = append(list, strings.Replace(s, " a/", " ", 1))
	}
	return list
}

func TestLogRules(t *testing.T) {
	for text, want := range map[string][]string{
		"kern info  kernel: k7pf0: [HSM] ALM2012: HSM in secure transport mode":             {"bad major stm", "good restart"},
		"kern info  kernel: k7pf0: [HSM] ALM2013: HSM recovered from secure transport mode": {"good stm", "good restart"},
		"kern info  kernel: k7pf0: ALM0002: Soft tamper - temperature (82C)":                {"bad critical soft-t"},
		"kern info  kernel: k7pf10: [HSM] ALM2003: Battery low voltage warning":             {"bad minor battery/k7pf10", "good restart/k7pf10"},
		"kern info  kernel: k7pf1: [HSM] ALM2003: Battery low voltage warning":              {"bad minor battery/k7pf1", "good restart/k7pf1"},
		"kern info  kernel: k7pf0: [HSM] ALM1001: HSM restart required":                     {"bad critical restart"},
		"kern info  kernel: k7pf0: [HSM] ALM2009: HSM halted - internal firmware error":     {"bad critical halt"},
		"kern info  kernel: k7pf0: ALM0017: Request Timed Out":                              {"bad minor comm ages"},
		"kern info  kernel: k7pf0: [HSM] ALM2000: Unknown alarm ID 5c in firmware":          {"bad warning meta ages", "good restart"},
		"kern info  kernel: k7pf0: [HSM] ALM2025: Firmware update in progress":              {"good restart"},
		"kern info  kernel: k7pf0: [HSM] ALM2999: Something of a newer firmware":            {"bad indeterminate meta/ALM2999 ages"},
		"kern info  kernel: k7pf1: [HSM] ALM0007: Something else":                           {"bad indeterminate meta/k7pf1 ALM0007 ages"},
		"kern info  kernel: ***TEST : k7pf0: [HSM] ALM2007: HSM zeroized":                   {"bad critical zeroize (test) ages", "good restart (test)"},
		"kern info  kernel: ***TEST : k7pf0: [HSM] ALM2013: HSM recovered":                  {"good stm (test)", "good restart (test)"},
		"kern info  kernel: eth0: link up":                                                  nil,

		"kern crit  kernel: NOTE: viper0: hsm log: LOG(CRITICAL)  HSM crashed:": {"bad critical hsm-crashed"},
		"local6 crit  oamp[77]: HSM crashed: somebody quotes it":                nil,
		"local6 crit  oamp[77]: CRIT: Fatal error 0x00300417":                   {"bad critical hsm-crashed"},

		"user info  sysstatd: Luna System State Server - OOS Errors: 100,60,30!":            {"bad critical system-status/30"},
		"user info  sysstatd: Luna System State Server - InSrvTrb Errors: 110!":             {"bad major system-status/110"},
		"user info  sysstatd: Luna System State Server - OOS Errors: 35!":                   {"bad indeterminate system-status/35"},
		"user info  sysstatd: OOS Errors: 35!":                                              {"bad indeterminate system-status/35"},
		"user info  sysstatd: Luna System State Server - InSrvTrb Errors: 1!":               {"bad indeterminate system-status/1"},
		"user info  sysstatd: Luna System State Server - OFL Errors: 50,20,100,55,60,56!":   {"bad critical system-status/50", "bad indeterminate system-status/55", "bad indeterminate system-status/56"},
		"user info  sysstatd: Luna System State Server - OOS Errors: 20,60,61,62,63,80,95!": nil,
		"user info  sysstatd: Luna System State Server - OOS Errors: 3x!":                   {"bad indeterminate system-status/3x"},
		"user info  sysstatd: Luna System State Server - OOS Errors: 050,50,7x,7x!":         {"bad critical system-status/50", "bad indeterminate system-status/7x"},
		"user info  sysstatd: Luna System State Server - OOS Errors: 30":                    nil,
		"user info  somebody: Luna System State Server - OOS Errors: 30!":                   nil,

		"local5 info  certmonitord[9]: info : 0 : NTLS certificate will be expire on Jul 26 16:32:48 2027 GMT": {"bad warning ntls-certificate"},
		"local5 warn  certmonitord[9]: warning : 0 : NTLS certificate is missing":                              {"bad major ntls-certificate"},
		"local5 info  certmonitord[9]: info : 0 : New NTLS certificate detected and its expiry date is later":  {"good ntls-certificate"},
		"local5 info  certmonitord[9]: info : 0 : NTLS certificate expiry monitor started":                     nil,

		"syslog warn  crontab: DISK FULL: WARNING! First log threshold reached 75%.": {"bad major log-disk"},
		"syslog emerg  crontab: DISK FULL: 95%. NTLS is stopped":                     {"bad critical log-disk"},

		"local4 notice  ipmievd[61]: Fan sensor Fan3B          . Lower Critical going low  (Reading 1500 < Threshold 2000 RPM)":              {"bad minor appliance-fan/FAN3B"},
		"local4 notice  ipmievd: Fan sensor FAN3B            Lower Critical going low  (Reading 2000 < Threshold 2000 RPM)":                  {"bad minor appliance-fan/FAN3B"},
		"local4 notice  ipmievd: Fan sensor Fan3B          . Lower Critical going low  (Reading 2100 < Threshold 2000 RPM)":                  {"good appliance-fan/FAN3B"},
		"local4 notice  ipmievd: Fan sensor Fan3B          . Lower Non-recoverable going low  (Reading 400 < Threshold 1000 RPM)":            {"bad major appliance-fan/FAN3B"},
		"local4 notice  ipmievd: Fan sensor Fan3B          . Lower Non-recoverable going low  (Reading 9100 < Threshold 1000 RPM)":           {"good appliance-fan/FAN3B"},
		"local4 notice  ipmievd[9]: ***TEST : Fan sensor Fan1A . Lower Critical going low  (Reading 0 .lt Threshold 2000 RPM)":               {"bad minor appliance-fan/FAN1A (test) ages"},
		"local4 notice  ipmievd: Temperature sensor CHA DIMM 0     . Upper Critical going high  (Reading 88 > Threshold 87 degrees C)":       {"bad major motherboard/CHADIMM0"},
		"local4 notice  ipmievd: Temperature sensor CPU            . Upper Non-recoverable going high (Reading 89 .gt Threshold 89 degrees)": {"bad critical motherboard/CPU"},
		"local4 notice  ipmievd: Voltage sensor +5V            . Upper Critical going high  (Reading 5.1 > Threshold 5.304 Volts)":           {"good motherboard/+5V"},
		"local4 notice  ipmievd: Temperature sensor Inlet . Lower Critical going low  (Reading -4 < Threshold -2 degrees C)":                 {"bad major motherboard/INLET"},
		"local4 notice  ipmievd: Voltage sensor PSU2_+12V_value. Upper Non-recoverable going high  (Reading 14.5 > Threshold 13.392 Volts)":  {"bad major power-supply/PSU2"},
		"local4 notice  ipmievd: Voltage sensor PSU2_+12V_value. Upper Non-recoverable going high  (Reading 12.5 > Threshold 13.392 Volts)":  nil,
		"local4 notice  somed: Fan sensor Fan3B . Lower Critical going low  (Reading 0 < Threshold 2000 RPM)":                                nil,
		"local4 notice  ipmievd: Fan sensor 16": nil,
		"local4 notice  ipmievd: Fan sensor Fan3B . Lower Critical going low  (Reading 1.2.3 < Threshold 2000 RPM)": nil,

		"local4 notice  ipmievd[5]: Power Supply sensor PSU2_Status    . - Failure detected Asserted":   {"bad major power-supply/PSU2"},
		"local4 notice  ipmievd[5]: Power Supply sensor PSU2_Status    . - Failure detected Deasserted": {"good power-supply/PSU2"},
		"local4 notice  ipmievd[5]: Power Supply sensor PSU2_Status    . - Failure detected":            {"bad major power-supply/PSU2"},
		"local4 notice  ipmievd: Power Supply sensor PSU1_Status    . - Presence detected Deasserted":   {"bad major power-supply/PSU1"},
		"local4 notice  ipmievd: Power Supply sensor PSU1_Status    . - Presence detected Asserted":     {"good power-supply/PSU1"},
		"local4 notice  ipmievd: Power Supply sensor - Transition to Power Off":                         {"bad critical power-supply"},
		"local4 notice  ipmievd: Reading sensors...":                                                    nil,

		"daemon crit  smartd[4]: Device: /dev/sda, Temperature 51 Celsius reached limit of 44 Celsius":           {"bad major disk"},
		"daemon crit  smartd[4]: ***TEST : Device: /dev/sda, Temperature 51 Celsius reached limit of 44 Celsius": {"bad major disk (test) ages"},
		"daemon info  smartd[4]: Device: /dev/sda, SMART Prefailure Attribute: 1 changed from 200 to 92":         nil,

		"local5 err  NTLS [31]: error : 0xc0000500 : NTLS initialization failed : RC_SOCKET_ERROR": {"bad major ntls-log ages"},
		"local5 crit  NTLS [31]: critical : 0xc0000102 : Terminating.":                             {"bad critical ntls-log ages"},
		"local5 info  NTLS [31]: info : 0 : NTLS is online and operational.":                       {"good ntls-log"},
		"local5 info  NTLS [31]: info : 0 : NTLS terminated":                                       nil,
		"local5 err  other[31]: error":                                                             nil,
	} {
		if diff := cmp.Diff(want, described(line(alarmstest.Stamp+text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestCardOfLine has the object of a card's alarm be its driver's name, but for
// the first card of an appliance and for a device that is a card itself.
func TestCardOfLine(t *testing.T) {
	for _, test := range []struct {
		text           string
		cards, oneCard bool
		want           string
	}{
		{"k7pf0: HSM missing from PCIe bus", false, false, "bad critical chassis"},
		{"k7pf1: HSM missing from PCIe bus", false, false, "bad critical chassis/k7pf1"},
		{"k7pf1: HSM missing from PCIe bus", false, true, "bad critical chassis"},
		{"k7pf0: HSM missing from PCIe bus", true, false, "bad critical chassis/k7pf0"},
		{"k7pf1: ALM0015: PCIe Link Failure", false, true, "bad critical chassis"},
		{"k7pf1: ALM0015: PCIe Link Failure", false, false, "bad critical chassis/k7pf1"},
	} {
		l := line(alarmstest.Stamp + "kern info  kernel: " + test.text)
		l.Cards, l.OneCard = test.cards, test.oneCard
		alarmstest.Same(t, test.text, []string{test.want}, described(l))
	}
}

// TestEveryCode has every code of the catalogue evaluated in a line of its own.
func TestEveryCode(t *testing.T) {
	for _, c := range alarms.Catalogue() {
		l := line(alarmstest.Stamp + "kern info  kernel: k7pf0: [HSM] ALM" + c.Code + ": " + c.Text)
		findings := evaluateLine(l, DefaultThresholds())
		if c.Severity == alarms.None {
			if len(findings) != 1 || findings[0].Condition != alarms.Good {
				t.Errorf("%s: %+v", c.Code, findings)
			}
			continue
		}
		found := findings[0]
		if found.Group != c.Group || (found.Condition == alarms.Good) != (c.Kind == alarms.Clear) || found.Code != c.Code || (found.Age > 0) != (c.Kind == alarms.Event) || found.Evidence.Text != l.Message {
			t.Errorf("%s: %+v", c.Code, found)
		}
		if runs := len(findings) == 2; runs != (c.Code[0] == '2' && c.Halts != "OOS30" && c.Code != "2024") {
			t.Errorf("%s: proves that the firmware runs: %v", c.Code, runs)
		}
	}
}

// TestPolledThresholds has a fan that leaves its non-recoverable state be what
// its other threshold, which only polls show, makes of it.
func TestPolledThresholds(t *testing.T) {
	sensors := []hsm.Sensor{alarmstest.ApplianceFan("Fan3A", 4000), alarmstest.ApplianceFan("FAN3B", 4000)}
	for reading, want := range map[string]string{
		"1500": "bad minor appliance-fan/FAN3B", "2100": "good appliance-fan/FAN3B", "1000": "bad major appliance-fan/FAN3B",
	} {
		l := line(alarmstest.Stamp + "local4 notice  ipmievd: Fan sensor Fan3B          . Lower Non-recoverable going low  (Reading " + reading + " < Threshold 1000 RPM)")
		l.Sensors = sensors
		if diff := cmp.Diff([]string{want}, described(l)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reading, diff)
		}
	}
	l := line(alarmstest.Stamp + "local4 notice  ipmievd: Fan sensor Fan3B . Lower Critical going low  (Reading 0 < Threshold 2000 RPM)")
	l.Sensors = sensors
	if diff := cmp.Diff([]string{"bad major appliance-fan/FAN3B"}, described(l)); diff != "" {
		t.Errorf("a stopped fan (-want +got):\n%s", diff)
	}
}

// TestLogAndPollAgree compares names and severities of both for the same
// readings, so that an alarm neither doubles nor flaps.
func TestLogAndPollAgree(t *testing.T) {
	for _, s := range []hsm.Sensor{
		alarmstest.ApplianceFan("Fan1A", 1500), alarmstest.ApplianceFan("Fan2B", 0), alarmstest.Sensor("CHA DIMM 1", 88, "degrees C", 0, 0, 87, 97),
		alarmstest.Sensor("CPU_VCORE", 1.5, "Volts", 0, 0.632, 1.44, 0), alarmstest.Sensor("PSU2 FAN_value", 200, "RPM", 300, 0, 0, 0),
	} {
		d := board(s)
		polls := slices.DeleteFunc(EvaluateSnapshot(&hsm.Snapshot{Devices: []*hsm.Device{d}}, alarms.NewState(), DefaultThresholds(), alarmstest.At(10)),
			func(found alarms.Finding) bool { return found.Group == "data-stale" })
		if len(polls) != 1 {
			t.Fatalf("%s: %+v", s.Name, polls)
		}
		kind, words, threshold := "Fan", "Lower Critical going low", s.LowerCritical.Value
		switch {
		case s.Name == "PSU2 FAN_value":
			words, threshold = "Lower Non-recoverable going low", s.LowerNonrecoverable.Value
		case s.UpperCritical.Known:
			kind, words, threshold = "Temperature", "Upper Critical going high", s.UpperCritical.Value
		}
		l := line(fmt.Sprintf(alarmstest.Stamp+"local4 notice  ipmievd: %s sensor %-15s. %s  (Reading %g < Threshold %g %s)", kind, s.Name, words, s.Reading.Value, threshold, s.Unit))
		l.Sensors = d.Sensors.Value.Sensors
		logs := evaluateLine(l, DefaultThresholds())
		if len(logs) != 1 || logs[0].Key != polls[0].Key || logs[0].Severity != polls[0].Severity || logs[0].Text != polls[0].Text {
			t.Errorf("%s: the log says %+v\nthe poll says %+v", s.Name, logs, polls)
		}
	}
}

func TestLinesOfAnyLength(t *testing.T) {
	t.Parallel()
	l := line(alarmstest.Stamp + "local5 err  NTLS [31]: error : " + strings.Repeat("x", 1<<20))
	found := evaluateLine(l, DefaultThresholds())[0]
	if len(found.Text) > alarms.MaxText+4 || len(found.Evidence.Text) > alarms.MaxText+4 {
		t.Errorf("keeps %d and %d bytes", len(found.Text), len(found.Evidence.Text))
	}
}

func TestPlaceOfLine(t *testing.T) {
	for text, want := range map[string]alarms.LogPlace{
		alarmstest.Stamp + "local5 err  NTLS [31]: error : x":              {Host: "luna-a", File: "messages", Time: "2026 Mar  1 12:00:00", Process: "NTLS[31]"},
		alarmstest.Stamp + "kern info kernel: k7pf0: ALM0014: Low Battery": {Host: "luna-a", File: "messages", Time: "2026 Mar  1 12:00:00", Process: "kernel"},
		"Mar 11 12:00:05 host1 kernel: k7pf0: ALM0014: x":                  {Host: "host1", File: "messages", Time: "Mar 11 12:00:05", Process: "kernel"},
		"[ 9731.2] k7pf0: ALM0014: Low Battery":                            {Host: "a", File: "messages", Time: "2026 Mar  1 12:00:00", Process: ""},
	} {
		if diff := cmp.Diff(&want, evaluateLine(line(text), DefaultThresholds())[0].Evidence.Log); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzEvaluateLine feeds lines of any kind. No text may panic, and no finding
// may be one that the engine cannot take.
func FuzzEvaluateLine(f *testing.F) {
	for _, c := range alarms.Catalogue() {
		f.Add(alarmstest.Stamp + "kern info  kernel: k7pf0: [HSM] ALM" + c.Code + ": " + c.Text)
	}
	f.Add(alarmstest.Stamp + "local4 notice  ipmievd: Fan sensor Fan3B          . Lower Critical going low  (Reading 1500 < Threshold 2000 RPM)")
	f.Add(alarmstest.Stamp + "local4 notice  ipmievd[5]: ***TEST : Power Supply sensor PSU2_Status    . - Failure detected Asserted")
	f.Add(alarmstest.Stamp + "daemon crit  smartd[4]: Device: /dev/sda, Temperature 51 Celsius reached limit of 44 Celsius")
	f.Add(alarmstest.Stamp + "local5 crit  NTLS [31]: critical : 0xc0000102 : Terminating.")
	f.Add("6,1021,9731221934,-;k7pf0: ALM0002: Soft tamper - temperature (81C)")
	sensors := []hsm.Sensor{alarmstest.ApplianceFan("Fan3B", 4000)}
	f.Fuzz(func(t *testing.T, text string) {
		l := line(text)
		l.Sensors = sensors
		for _, found := range evaluateLine(l, DefaultThresholds()) {
			if found.Device != "a" || found.Group == "" || found.Evidence.Log == nil || found.Condition == alarms.Bad && found.Severity <= alarms.SeverityCleared {
				t.Errorf("%q: %+v", text, found)
			}
			if found.Test != l.Test || found.Test && found.Condition == alarms.Bad && found.Age == 0 {
				t.Errorf("%q: a test that is not marked: %+v", text, found)
			}
			s := alarms.NewState()
			s.Apply(alarms.Eval(s, []alarms.Finding{found}, alarms.Damping{}, alarmstest.At(0)))
			for _, a := range s.Active {
				n := alarms.Notification{Change: alarms.Change{Kind: alarms.Raised, Alarm: a}, Address: "192.0.2.1:22", At: alarmstest.At(0)}
				if _, _, reference := snmp.VendorTrap(n); len(reference) > 256 || !strings.HasSuffix(reference, " / 1]") {
					t.Errorf("%q: reference %q", text, reference)
				}
			}
		}
	})
}

// TestRepeatedIsWorse has a slow request be minor, and the next one major.
func TestRepeatedIsWorse(t *testing.T) {
	slow := func(second int) []alarms.Finding {
		l := line(alarmstest.Stamp + "kern info  kernel: k7pf0: ALM0017: Request Timed Out")
		l.At = alarmstest.At(second)
		return evaluateLine(l, DefaultThresholds())
	}
	alarmstest.Play(t, []alarmstest.Step{
		alarmstest.After(0, slow(0), "raised minor a/comm"),
		alarmstest.After(60, slow(60), "updated major a/comm"),
		alarmstest.After(120, slow(120), "seen major a/comm"),
		alarmstest.After(1020, nil, "cleared major a/comm"),
		alarmstest.After(1100, slow(1100), "raised minor a/comm"),
	})
}

// TestCardsOfAHost distinguishes cards by their names, the first as well.
func TestCardsOfAHost(t *testing.T) {
	l := line("6,1,10,-;k7pf0: ALM0014: Low Battery")
	l.Cards = true
	if findings := evaluateLine(l, DefaultThresholds()); len(findings) != 1 || findings[0].Object != "k7pf0" {
		t.Errorf("%+v", findings)
	}
}

// TestLineTimeWithoutYear: the year is the last one that has that day and does not
// put the line into the future.
func TestLineTimeWithoutYear(t *testing.T) {
	for _, c := range []struct{ stamp, read, want string }{
		{"Mar  1 11:00:00", "2026-03-01", "2026-03-01T11:00:00Z"},
		{"Dec 31 23:59:59", "2026-01-01", "2025-12-31T23:59:59Z"},
		{"Feb 29 23:59:59", "2026-03-01", "2024-02-29T23:59:59Z"},
		{"Feb 29 23:59:59", "2028-02-29", "2028-02-29T23:59:59Z"},
		{"Feb 28 00:00:01", "2028-02-27", "2027-02-28T00:00:01Z"},
		{"Feb 29 12:00:00", "2028-02-27", "2024-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", "2101-01-01", "2096-02-29T12:00:00Z"},
		{"Feb 30 12:00:00", "2026-03-01", ""},
		{"yesterday", "2026-03-01", ""},
	} {
		at, err := time.Parse(time.DateOnly, c.read)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if stated := LineTime(Line{LogLine: hsm.LogLine{Stamp: c.stamp}, At: at}); !stated.IsZero() {
			got = stated.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s, read on %s: %q, want %q", c.stamp, c.read, got, c.want)
		}
	}
}

// BenchmarkEvaluateLine is what a line costs that has no finding, as most have none.
func BenchmarkEvaluateLine(b *testing.B) {
	l := Line{LogLine: syslog.ParseLine("2026 Nov 21 02:00:00 luna72  local5 info  lunash [4711]: info : 0 : Lush user login : monitor : 10.1.2.3/40000"), Device: "luna72"}
	limits := DefaultThresholds()
	for b.Loop() {
		if findings := EvaluateLine(&l, &limits); len(findings) > 0 {
			b.Fatal(findings)
		}
	}
}

func evaluateLine(l Line, s Thresholds) []alarms.Finding { return EvaluateLine(&l, &s) }
