package rules

import (
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// A logText is a fixed text of a log that means a problem by itself.
type logText struct {
	process  string // that writes it; "": any
	text     string // that its message has
	group    string
	severity alarms.Severity
	oneOff   bool // it clears by itself: nothing reports an end
	what     string
}

// logTexts are texts without an ALM code: those of K5 and K6 cards, which have
// none, and names of return codes, whose numbers several spaces share.
var logTexts = []logText{
	{"", "LUNA_RET_SM_SESSION_REALLOC_ERROR", "hsm-sessions", alarms.Major, true, "the HSM has no session left"},
	{"", "RC_OPERATION_TIMED_OUT", "ntls-log", alarms.Minor, true, "a connection timed out"},
	{"", "LUNA_RET_LOG_FULL", "audit-log", alarms.Major, true, "the audit log is full"},
	{"", "CKR_LOG_FULL", "audit-log", alarms.Major, true, "the audit log is full"},
	{"", "LUNA_RET_LOG_FILE_WRITE_ERROR", "audit-log", alarms.Major, true, "the audit log cannot be written"},
	{"", "CKR_LOG_FILE_WRITE_ERROR", "audit-log", alarms.Major, true, "the audit log cannot be written"},
	{"", "LUNA_RET_LOG_BAD_RECORD_HMAC", "audit-log", alarms.Critical, true, "a record of the audit log was changed"},
	{"", "CKR_LOG_BAD_RECORD_HMAC", "audit-log", alarms.Critical, true, "a record of the audit log was changed"},
	{"oamp", "RTC: tamper 2 signal", "hard", alarms.Critical, false, "HSM tampered"},
	{"oamp", "RTC: lost all power", "battery", alarms.Major, true, "the HSM was without power and battery"},
	{"oamp", "RTC: zeroized on power loss", "zeroize", alarms.Critical, false, "HSM zeroized by loss of power"},
	{"oamp", "MTK: security function was zeroized", "zeroize", alarms.Critical, false, "HSM zeroized"},
	{"oamp", "HSM critical event detected", "hsm-crashed", alarms.Critical, false, "HSM firmware crashed"},
	{"kernel", "HSM permanently tampered", "hard", alarms.Critical, false, "HSM tampered for good"},
	{"kernel", "HSM missing from PCIe bus", "chassis", alarms.Critical, false, "HSM is off the bus"},
}

// textRules returns a rule for each text. What LunaSH logs as a command may
// quote anything.
func textRules() (rules []logRule) {
	for _, x := range logTexts {
		rules = append(rules, logRule{x.text, func(l Line, s Thresholds) (alarms.Finding, bool) {
			if x.process != "" && l.Process != x.process || !strings.Contains(l.Message, x.text) || strings.Contains(l.Message, "Command: ") {
				return alarms.Finding{}, false
			}
			f := alarms.Finding{Key: alarms.Key{Group: x.group}, Condition: alarms.Bad, Severity: x.severity, Text: x.what + ": " + l.Message}
			if x.oneOff {
				f.Age = s.EventAge
			}
			return f, true
		}})
	}
	return rules
}
