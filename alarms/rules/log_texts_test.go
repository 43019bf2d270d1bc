package rules

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
)

func TestLogTexts(t *testing.T) {
	for text, want := range map[string][]string{
		"local5 err  lunash [7]: error : 0 : 'hsm show' failed. (310102 : LUNA_RET_SM_SESSION_REALLOC_ERROR)": {"bad major hsm-sessions ages"},
		"local5 info  client: Error during SSL Connect: RC_OPERATION_TIMED_OUT":                               {"bad minor ntls-log ages"},
		"user info  app: 0x80000035 (CKR_LOG_FULL)":                                                           {"bad major audit-log ages"},
		"user info  app: (80000D03 : LUNA_RET_LOG_FULL)":                                                      {"bad major audit-log ages"},
		"user info  app: (80000D01 : LUNA_RET_LOG_FILE_WRITE_ERROR)":                                          {"bad major audit-log ages"},
		"user info  app: (80000032 : CKR_LOG_FILE_WRITE_ERROR)":                                               {"bad major audit-log ages"},
		"user info  app: (80000D05 : LUNA_RET_LOG_BAD_RECORD_HMAC)":                                           {"bad critical audit-log ages"},
		"user info  app: (80000037 : CKR_LOG_BAD_RECORD_HMAC)":                                                {"bad critical audit-log ages"},
		"local6 err  oamp[77]: ERR:    RTC: tamper 2 signal":                                                  {"bad critical hard"},
		"local6 err  oamp[77]: ERR:    RTC: lost all power":                                                   {"bad major battery ages"},
		"local6 err  oamp[77]: ERR:    RTC: zeroized on power loss":                                           {"bad critical zeroize"},
		"local6 err  oamp[77]: ERR:    MTK: security function was zeroized for some reason":                   {"bad critical zeroize"},
		"local6 info  oamp[77]: info : 0 : HSM critical event detected.  Dump: hsm_dump_1":                    {"bad critical hsm-crashed"},
		"kern info  kernel: k7pf0: HSM permanently tampered":                                                  {"bad critical hard"},
		"kern info  kernel: k7pf0: HSM missing from PCIe bus":                                                 {"bad critical chassis"},
		"kern info  kernel: ***TEST : k7pf0: HSM missing from PCIe bus":                                       {"bad critical chassis (test) ages"},
		"local6 info  oamp[77]: INFO:    RTC: re-configuring...passed. Clock restarted.":                      nil,
		"local6 info  oamp[77]: INFO:    MTK_Init OK":                                                         nil,
		"user err  other[1]: ERR:    RTC: lost all power":                                                     nil,
		"local5 info  lunash [7]: info : 0 : Command: syslog tail -search CKR_LOG_FULL : admin : 192.0.2.1/7": nil,
	} {
		if diff := cmp.Diff(want, described(line(alarmstest.Stamp+text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for _, x := range logTexts {
		process := x.process
		if process == "" {
			process = "any"
		}
		findings := EvaluateLine(line(alarmstest.Stamp+"kern info  "+process+": "+x.text), DefaultThresholds())
		if len(findings) != 1 || findings[0].Group != x.group || findings[0].Severity != x.severity || (findings[0].Age > 0) != x.oneOff || !strings.Contains(findings[0].Text, x.what) {
			t.Errorf("%s: %+v", x.text, findings)
		}
		if g := alarms.GroupNamed(x.group); g.Title == x.group || g.Action == "" {
			t.Errorf("%s: group %q has no title or action", x.text, x.group)
		}
	}
}
