package rules

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/texts"
)

func TestLogTexts(t *testing.T) {
	tried := make(map[string]bool)
	for text, want := range map[string][]string{
		"local5 err  lunash [7]: error : 0 : 'hsm show' failed. (310102 : LUNA_RET_SM_SESSION_REALLOC_ERROR)": {"bad major hsm-sessions ages"},
		"local5 info  client: Error during SSL Connect: RC_OPERATION_TIMED_OUT":                               {"bad minor ntls-log ages"},
		"user info  app: 0x80000035 (CKR_LOG_FULL)":                                                           {"bad major audit-log ages"},
		"user info  app: (80000D03 : LUNA_RET_LOG_FULL)":                                                      {"bad major audit-log ages"},
		"user info  app: (80000D01 : LUNA_RET_LOG_FILE_WRITE_ERROR)":                                          {"bad major audit-log ages"},
		"user info  app: (80000032 : CKR_LOG_FILE_WRITE_ERROR)":                                               {"bad major audit-log ages"},
		"user info  app: (80000D05 : LUNA_RET_LOG_BAD_RECORD_HMAC)":                                           {"bad critical audit-log ages"},
		"user info  app: (80000037 : CKR_LOG_BAD_RECORD_HMAC)":                                                {"bad critical audit-log ages"},
		"local6 err  oamp[77]: ERR:    RTC: tamper 2 signal":                                                  {"bad critical decom"},
		"local6 err  oamp[77]: ERR:    RTC: lost all power":                                                   {"bad major battery ages"},
		"local6 err  oamp[77]: ERR:    RTC: zeroized on power loss":                                           {"bad critical zeroize"},
		"local6 err  oamp[77]: ERR:    MTK: security function was zeroized for some reason":                   {"bad critical tamper-reboot"},
		"local6 info  oamp[77]: info : 0 : HSM critical event detected.  Dump: hsm_dump_1":                    {"bad critical hsm-crashed"},
		"kern info  kernel: k7pf0: HSM permanently tampered":                                                  {"bad critical destroyed"},
		"kern info  kernel: k7pf0: HSM missing from PCIe bus":                                                 {"bad critical chassis"},
		"kern info  kernel: ***TEST : k7pf0: HSM missing from PCIe bus":                                       {"bad critical chassis (test) ages"},

		// Comparison of Destruction/Denial Actions, scenario 1: a reboot recovers the HSM.
		"local6 err  oamp[77]: ERR:    RTC: external tamper latched":                                                               {"bad critical tamper-reboot"},
		"local6 err  oamp[77]: ERR:    MTK: security function was zeroized on previous tamper event and has not been restored yet": {"bad critical tamper-reboot"},
		"local6 err  oamp[77]: ERR:    TVK was corrupted":                                                                          {"bad critical tamper-reboot"},
		"local6 info  oamp[77]: INFO:    Generating new TVK":                                                                       {"bad critical tamper-reboot"},
		"kern crit  kernel: NOTE: viper0: hsm log: RTC: external tamper latched":                                                   {"bad critical tamper-reboot"},
		"local5 err  lunash [7]: error : 0 : 'hsm login' failed. (80000531 : LUNA_RET_MTK_ZEROIZED)":                               {"bad critical tamper-reboot"},
		"local5 err  lunash [7]: error : 0 : 'hsm login' failed. (HSM internal error)":                                             {"bad major comm"},
		"local6 err  oamp[77]: ERR:    device error":                                                                               {"bad major comm"},
		"kern err  kernel: viper0: Device error":                                                                                   {"bad major comm"},
		"local5 err  lunash [7]: error : 0 : 'hsm show' failed. (80000876 : LUNA_RET_HSM_TAMPERED)":                                {"bad critical lock"},

		// Scenario 2: the keys are gone.
		"local6 info  oamp[77]: INFO:    Zeroizing HSM after decommission...LOG(INFO):   POWER-UP LOG DUMP END":         {"bad critical decom"},
		"local5 err  lunash [7]: error : 0 : 'hsm login' failed. (30000F : LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD)":        {"bad critical zeroize"},
		"local5 err  lunash [7]: error : 0 : 'hsm login' failed. (8000001C : CKR_SO_LOGIN_FAILURE_THRESHOLD)":           {"bad critical zeroize"},
		"local5 err  lunash [7]: error : 0 : 'audit login' failed. (80000D0A : LUNA_RET_AUDIT_LOGIN_FAILURE_THRESHOLD)": {"bad minor failed-login ages"},
		"user info  app: 0x8000003C (CKR_AUDIT_LOGIN_FAILURE_THRESHOLD)":                                                {"bad minor failed-login ages"},

		// Scenario 3.
		"authpriv info  login: pam_unix(login:session): session opened for user recover  by LOGIN(uid=0)":       {"bad critical recover-login ages"},
		"authpriv authpriv info  login: pam_unix(login:session): session opened for user recover by (uid=0)":    {"bad critical recover-login ages"},
		"authpriv info  login: pam_unix(login:session): session opened for user recover(uid=0) by LOGIN(uid=0)": {"bad critical recover-login ages"},
		"authpriv info  login: DIALUP AT ttyS0 BY recover":                                                      {"bad critical recover-login ages"},
		"authpriv info  login: LOGIN ON ttyS0 BY recover":                                                       {"bad critical recover-login ages"},
		"authpriv info  sshd[5]: Accepted password for recover from 192.0.2.7 port 1615 ssh2":                   {"bad critical recover-login ages"},
		"authpriv info  login: pam_unix(login:session): session closed for user recover":                        nil,
		"authpriv info  login: pam_unix(login:session): session opened for user recovery by LOGIN(uid=0)":       nil,
		"authpriv info  login: DIALUP AT ttyS0 BY admin":                                                        nil,

		// Severe and critical errors of the HSM.
		"kern info  kernel: k7pf0: [HSM] LOG(SEVERE): object 21 does not verify": {"bad major hsm-log"},
		"kern info  kernel: k7pf0: [HSM] LOG (SEVERE) object 21":                 {"bad major hsm-log"},
		"kern info  kernel: k7pf1: [HSM] LOG (CRITICAL) no memory":               {"bad critical hsm-log/k7pf1"},
		"local6 crit  oamp[77]: CRIT: LOG(CRITICAL) no memory":                   {"bad critical hsm-log"},
		"kern info  kernel: k7pf0: [HSM] Fatal error 0x00300417":                 {"bad critical hsm-crashed"},
		"kern info  kernel: Fatal error 0x00300417":                              {"bad critical hsm-crashed"},
		"kern info  kernel: k7pf0: LOG(CRITICAL) Fatal error 0x00300417":         {"bad critical hsm-crashed"},
		"kern crit  kernel: NOTE: viper0: hsm log: LOG(CRITICAL)  HSM crashed:":  {"bad critical hsm-crashed"},
		"local6 info  oamp[77]: INFO:    LOG(INFO): POWER-UP LOG DUMP END":       nil,

		// Battery and capacity in words.
		"kern info  kernel: k7pf0: [HSM] battery low":                                                         {"bad minor battery"},
		"kern info  kernel: k7pf0: Warning: HSM battery voltage is low":                                       {"bad minor battery"},
		"local6 err  oamp[77]: ERR:    Low battery":                                                           {"bad minor battery"},
		"local6 err  oamp[77]: ERR:    Battery is depleted":                                                   {"bad critical battery"},
		"local6 info  oamp[77]: INFO:    battery is no longer low":                                            nil,
		"local5 err  lunash [7]: error : 0 : 'hsm show' failed: device error, the HSM does not answer":        {"bad major comm"},
		"local6 info  oamp[77]: INFO:    no low battery":                                                      nil,
		"local6 info  oamp[77]: INFO:    battery low: no":                                                     nil,
		"local6 info  oamp[77]: INFO:    low battery warning cleared":                                         nil,
		"local6 info  oamp[77]: INFO:    no device error since power-up":                                      nil,
		"local6 info  oamp[77]: INFO:    not currently over capacity":                                         nil,
		"daemon info  systemd-logind[6]: New session 3 of user recover.":                                      {"bad critical recover-login ages"},
		"daemon info  systemd-logind[6]: New session 3 of user recoverer.":                                    nil,
		"local6 info  oamp[77]: INFO:    battery not low":                                                     nil,
		"local5 warn  lunash [7]: warning : 0 : HSM storage is currently over capacity":                       {"bad minor capacity"},
		"kern info  kernel: k7pf0: [HSM] HSM storage is currently over capacity":                              {"bad minor capacity"},
		"kern info  kernel: k7pf0: ALM0014: Low Battery":                                                      {"bad minor battery"},
		"kern info  kernel: K7PF0: HSM missing from PCIe bus":                                                 {"bad critical chassis"},
		"kern info  k7pf1: HSM missing from PCIe bus":                                                         {"bad critical chassis/k7pf1"},
		"local6 info  oamp[77]: INFO:    RTC: re-configuring...passed. Clock restarted.":                      nil,
		"local6 info  oamp[77]: INFO:    MTK_Init OK":                                                         nil,
		"user err  other[1]: ERR:    RTC: lost all power":                                                     nil,
		"local5 info  lunash [7]: info : 0 : Command: syslog tail -search CKR_LOG_FULL : admin : 192.0.2.1/7": nil,
	} {
		if diff := cmp.Diff(want, described(line(alarmstest.Stamp+text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		for _, x := range texts.All() {
			if want != nil && regexp.MustCompile(x.Words).MatchString(line(alarmstest.Stamp+text).Message) {
				tried[x.Words] = true
			}
		}
	}
	if len(tried) != len(texts.All()) {
		t.Errorf("%d of %d texts have a case: %v", len(tried), len(texts.All()), tried)
	}
}

// TestLogTextsHaveGroups has a group with words for every text.
func TestLogTextsHaveGroups(t *testing.T) {
	for _, x := range texts.All() {
		if g := alarms.GroupNamed(x.Group); g.Title == x.Group || g.Action == "" {
			t.Errorf("%s: group %q has no title or action", x.Words, x.Group)
		}
		if x.OneOff && !alarms.GroupNamed(x.Group).Ages {
			t.Errorf("%s: of group %q, whose words do not say that it ends by time", x.Words, x.Group)
		}
	}
}

// forged are words that raise or clear an alarm where the HSM says them.
var forged = []string{
	"RTC: tamper 2 signal", "TVK was corrupted", "HSM internal error", "device error", "LOG(CRITICAL)", "LOG (SEVERE) x", "HSM crashed:",
	"Fatal error 0x00300417", "CRIT: Fatal error 0x1", "battery low", "currently over capacity", "HSM permanently tampered", "Zeroizing HSM after decommission",
	"ALM2007: HSM zeroized", "k7pf0: [HSM] ALM2011: HSM unlocked", "kernel: k7pf0: [HSM] ALM2007: HSM zeroized",
	"(30000F : LUNA_RET_SO_LOGIN_FAILURE_THRESHOLD)", "0x80000037 (CKR_LOG_BAD_RECORD_HMAC)", "LUNA_RET_SM_SESSION_REALLOC_ERROR", "RC_OPERATION_TIMED_OUT",
	"DISK FULL: 95%", "session opened for user recover by x", "DIALUP AT ttyS0 BY recover", "pam_unix(login:session): session opened for user recover",
	"Accepted password for recover from 192.0.2.7 port 1 ssh2", "NTLS is online and operational.", "info : 0 : NTLS is online and operational.",
	"Luna System State Server - OOS Errors: 35!", "NTLS certificate is missing", "New NTLS certificate detected",
	"Fan sensor Fan3B . Lower Critical going low  (Reading 0 < Threshold 2000 RPM)", "LUNA_ZEROIZE returned RC_OK(0x00000000)",
}

// TestOutsidersRaiseNothing has people who may choose a name (of a user, a
// partition, a client, a USB device) choose one that is a rule's words.
func TestOutsidersRaiseNothing(t *testing.T) {
	for _, words := range forged {
		for _, text := range []string{
			"authpriv info  sshd[5]: Invalid user " + words + " from 192.0.2.66",
			"authpriv info  sshd[5]: Failed password for invalid user " + words + " from 192.0.2.66 port 1 ssh2",
			"authpriv crit  sshd[5]: pam_succeed_if(sshd:auth): error retrieving information about user " + words,
			"authpriv notice  login: FAILED LOGIN 1 FROM (null) FOR " + words + ", User not known to the underlying authentication module",
			"local5 info  NTLS [31]: info : 0 : Client opened session 18478 : HSM1:" + words + " : 192.0.2.66/40847",
			"local5 info  NTLS [31]: Client opened session 18478 : HSM1:" + words + " : 192.0.2.66/40847",
			"local5 info  lunash [7]: info : 0 : Command: partition create -name " + words + " : admin : 192.0.2.1/7",
			"local5 info  hsm[7]: STC policy is set to \"OFF\" on partition " + words + " : Unknown ResultCode value",
			"daemon info  snmpd[9]: Connection from " + words,
			"user info  httpd[9]: login of " + words + " refused",
			"kern info  kernel: usb 1-1: Product: " + words,
		} {
			if got := described(line(alarmstest.Stamp + text)); got != nil {
				t.Errorf("%s: %v", text, got)
			}
		}
		for _, text := range []string{
			"Client opened session 18478 : HSM1:" + words + " : 192.0.2.66/40847",
			"Mar  1 12:00:00 luna-a sshd[5]: Invalid user " + words + " from 192.0.2.66",
			"<86>1 2026-03-01T12:00:00Z luna-a sshd 5 - - Invalid user " + words + " from 192.0.2.66",
			"2026-03-01T12:00:00+01:00 luna-a sshd[5]: Invalid user " + words + " from 192.0.2.66",
		} {
			if got := described(line(text)); got != nil {
				t.Errorf("%s: %v", text, got)
			}
		}
	}
}

// TestTextsAreDamped has raise_after delay what a text raises as a state, under
// the name of its group; a one-off event is raised at once.
func TestTextsAreDamped(t *testing.T) {
	for text, want := range map[string]string{
		"local6 err  oamp[77]: ERR:    RTC: external tamper latched":   "pending critical a/tamper-reboot",
		"local6 err  oamp[77]: ERR:    RTC: tamper 2 signal":           "pending critical a/decom",
		"kern info  kernel: k7pf0: HSM permanently tampered":           "pending critical a/destroyed",
		"kern info  kernel: k7pf0: [HSM] LOG(SEVERE): object 21":       "pending major a/hsm-log",
		"kern info  kernel: k7pf0: [HSM] battery low":                  "pending minor a/battery",
		"user info  sysstatd: OOS Errors: 35!":                         "pending indeterminate a/system-status/35",
		"authpriv info  login: DIALUP AT ttyS0 BY recover":             "raised critical a/recover-login",
		"local3 info  oamp[7]: S/N 484233 LUNA_FW_ROLLBACK":            "raised critical a/audit-change/LUNA_FW_ROLLBACK",
		"local3 info  oamp[7]: S/N 484233 LUNA_ZEROIZE returned RC_OK": "raised critical a/audit-event/LUNA_ZEROIZE",
	} {
		findings := evaluateLine(line(alarmstest.Stamp+text), DefaultThresholds())
		damping := alarms.Damping{RaiseAfter: map[string]time.Duration{findings[0].Group: time.Minute}}
		if err := damping.Validate(); err != nil && !strings.Contains(err.Error(), "flap_window") {
			t.Errorf("%s: %v", text, err)
		}
		alarmstest.Same(t, text, []string{want}, alarmstest.Describe(alarms.Eval(alarms.NewState(), findings, damping, alarmstest.At(0))))
	}
}
