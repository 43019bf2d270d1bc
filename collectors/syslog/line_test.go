package syslog

import (
	"fmt"
	"testing"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

func TestAlarmIsOnlyTheKernels(t *testing.T) {
	for line, code := range map[string]string{
		"2026 Apr 17 11:00:45 v kern info kernel: k7pf0: [HSM] ALM2006: HSM decommissioned by FW": "2006",
		"2026 Apr 17 11:00:45 v  kern info  kernel: k7pf12: ALM0015 : PCIe Link Failure":          "0015",
		"viper0: [HSM] ALM_1003: HSM halted":                                                      "1003",
		"k7pf0: [HSM] ALM9999":                                                                    "9999",
		"k7pf0: [HSM] ALM2006 is the code of a decommission":                                      "",
		"k7pf0: [HSM] ALM20: short":                                                               "",
		"k7pf0: [HSM] ALM20x6: no digits":                                                         "",
		"[HSM] ALM2006: without a card":                                                           "",
		"K7PF: ALM2006: no instance":                                                              "",
		"2026 Apr 17 11:00:45 v local5 info lunash [1]: Command: search k7pf0: [HSM] ALM2006: x : admin : a/1": "",
		"Command: search k7pf0: [HSM] ALM2006: x : admin : 192.0.2.1/1":                                        "",
		"<14>Feb  1 11:06:55 host app: k7pf0: [HSM] ALM2006: x":                                                "",
		"12,1,2,-;k7pf0: [HSM] ALM2006: from a user process":                                                   "",

		// Without the driver's name, or with it in capitals: from the kernel only.
		"2026 Apr 17 11:00:45 v kern info kernel: [HSM] ALM2006: HSM decommissioned by FW":        "2006",
		"2026 Apr 17 11:00:45 v kern info kernel: ALM0015: PCIe Link Failure":                     "0015",
		"2026 Apr 17 11:00:45 v kern info ALM0015: PCIe Link Failure":                             "0015",
		"2026 Apr 17 11:00:45 v kern info [HSM] ALM0015: PCIe Link Failure":                       "0015",
		"2026 Apr 17 11:00:45 v kern info kernel: K7PF0: [HSM] ALM2006: HSM decommissioned by FW": "2006",
		"2026 Apr 17 11:00:45 v kern info kernel: K7PF0: [hsm] ALM2006: HSM decommissioned by FW": "2006",
		"2026 Apr 17 11:00:45 v kern info K7PF0: [HSM] ALM2006: HSM decommissioned by FW":         "2006",
		"2026 Apr 17 11:00:45 v kern info kernel: ***TEST : [HSM] ALM2007: HSM zeroized":          "2007",
		"<6>Feb  1 11:06:55 host kernel: [HSM] ALM2009: HSM halted":                               "2009",
		"<6>Feb  1 11:06:55 host ALM2009: HSM halted":                                             "2009",
		"Feb  1 11:06:55 host kernel: [  12.345678] ALM2009: HSM halted":                          "2009",
		"[ 9731.221934] ALM0013: High Temperature - 76C":                                          "0013",
		"6,1021,9731221934,-;[HSM] ALM2001: High temperature warning activated":                   "2001",
		"12,1021,9731221934,-;[HSM] ALM2001: from a user process":                                 "",
		"ALM2006: no head": "",
		"2026 Apr 17 11:00:45 v kern info kernel: usb 1-1: Product: ALM2006: x":                                "",
		"2026 Apr 17 11:00:45 v kern info kernel: usb 1-1: Product: k7pf0: [HSM] ALM2007: x":                   "",
		"2026 Apr 17 11:00:45 v user info ALM2006: x":                                                          "",
		"2026 Apr 17 11:00:45 v authpriv info sshd[7]: Invalid user k7pf0: [HSM] ALM2007: x from 192.0.2.9":    "",
		"2026 Apr 17 11:00:45 v authpriv info sshd[7]: Invalid user ALM2007: x from 192.0.2.9":                 "",
		"<86>Feb  1 11:06:55 host sshd[7]: Invalid user kernel: k7pf0: [HSM] ALM2007: x":                       "",
		"Feb  1 11:06:55 host sshd[7]: Invalid user ALM2007: x":                                                "",
		"2026 Apr 17 11:00:45 v local5 info NTLS [3]: Client opened session 7 : HSM1:ALM2007: x : 192.0.2.9/4": "",
	} {
		got := ""
		if a := ParseLine(line).Alarm; a != nil {
			got = a.Code
		}
		if got != code {
			t.Errorf("%q: alarm %q, want %q", line, got, code)
		}
	}
}

func TestLogLineForms(t *testing.T) {
	for line, want := range map[string]string{
		"Feb 29 11:06:55 host app[7]: x":                            "Feb 29 11:06:55|host|app|7|x",
		"Feb  1 11:06:55.123456 host app: x":                        "Feb  1 11:06:55.123456|host|app|0|x",
		"Feb  1 11:06:55 kernel: x":                                 "Feb  1 11:06:55||kernel|0|x",
		"1 2026-02-01T11:06:55Z host app 7 - - x":                   "2026-02-01T11:06:55Z|host|app|7|x",
		"<13>1 - - - - - - x":                                       "|||0|x",
		"<13>1 2026-02-01 host app 7 - - x":                         "|||0|1 2026-02-01 host app 7 - - x",
		"2026 Feb  1 11:06:55 h user info a b c: x":                 "2026-02-01T11:06:55Z|h||0|2026 Feb  1 11:06:55 h user info a b c: x",
		"2026 Feb  1 11:06:55 h  authpriv  authpriv info  login: x": "2026-02-01T11:06:55Z|h|login|0|x",
		"2026 Feb  1 11:06:55 h user loud a: x":                     "2026-02-01T11:06:55Z|h||0|2026 Feb  1 11:06:55 h user loud a: x",
		"Feb 31 11:06:55 host app: x":                               "|||0|Feb 31 11:06:55 host app: x",
		"Feb  1 24:06:55 host app: x":                               "|||0|Feb  1 24:06:55 host app: x",
		"<192>x":                                                    "|||0|<192>x",
		"":                                                          "|||0|",
	} {
		l := ParseLine(line)
		at := l.Stamp
		if l.Time.Known {
			at = l.Time.Value.Format(time.RFC3339)
		}
		if got := fmt.Sprintf("%s|%s|%s|%d|%s", at, l.Host, l.Process, l.PID.Value, l.Message); got != want {
			t.Errorf("%q:\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestAlarmValue(t *testing.T) {
	for text, want := range map[string]string{
		"Soft tamper - temperature (83C)":  "83",
		"High Temperature - 76C":           "76",
		"Soft tamper - temperature (-12C)": "-12",
		"HSM fan 1 failure":                "1",
		"Unknown alarm ID 4a in firmware":  "4a",
		"HSM zeroized":                     "",
		"over C":                           "",
		"a fan":                            "",
	} {
		got := alarmValue(text)
		if got.Known != (want != "") || got.Value != want {
			t.Errorf("%q: %+v, want %q", text, got, want)
		}
	}
}

// TestLogLineDoesNotAllocate checks the cost of an appliance's lines, of which a log
// can have millions.
func TestLogLineDoesNotAllocate(t *testing.T) {
	for _, line := range benchLines {
		if n := testing.AllocsPerRun(100, func() { sink = ParseLine(line) }); n > 0 {
			t.Errorf("%v allocations for %q", n, line)
		}
	}
}

var (
	sink       hsm.LogLine
	benchLines = []string{
		"2026 Mar  1 14:29:59 vault-a  local5 info  lunash [29529]: info : 0 : Command: hsm show  : monitor : 192.0.2.9/61470",
		"2026 Mar  1 14:29:59 vault-a  local5 info  NTLS [4711]: info : 0 : Incoming connection request... : 192.0.2.9/40847",
		"Mar  1 14:29:59 vault-a kernel: usb 1-1: new device",
	}
)

func BenchmarkParseLogLine(b *testing.B) {
	for name, line := range map[string]string{
		"appliance": benchLines[0],
		"rfc3164":   benchLines[2],
		"alarm":     "2026 Mar  1 14:29:59 vault-a  kern info  kernel: k7pf0: [HSM] ALM0002: Soft tamper - temperature (81C)",
		"raw":       "a line of no form at all, as an application may write it",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				sink = ParseLine(line)
			}
		})
	}
}
