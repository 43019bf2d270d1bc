// Package texts has the texts of logs that mean a problem by themselves, and who
// may say them.
package texts

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
)

// A speaker reports whether a line is of somebody whose words count. Who may
// choose a word in a line, such as the name of a user or of a partition, must
// not be able to say what the HSM says.
type speaker func(l *hsm.LogLine) bool

// A Text is a text of a log that means a problem by itself.
type Text struct {
	from     speaker // of its words; nil: the name of a return code
	Words    string  // regular expression
	Group    string
	Severity alarms.Severity
	OneOff   bool // it clears by itself: nothing reports an end
	What     string
}

// All returns every text.
func All() []Text { return slices.Clone(list) }

// compiled has the Words of each text.
var compiled = func() map[string]*regexp.Regexp {
	all := make(map[string]*regexp.Regexp)
	for _, t := range list {
		all[t.Words] = regexp.MustCompile(t.Words)
	}
	return all
}()

// list has texts without an ALM code: those of K5 and K6 cards, which have
// none, and names of return codes, whose numbers several spaces share. What a
// tamper destroys a reboot recovers; what a decommission destroys is gone.
var list = []Text{
	{nil, `LUNA_RET_SM_SESSION_REALLOC_ERROR`, "hsm-sessions", alarms.Major, true, "the HSM has no session left"},
	{nil, `(?:LUNA_RET|CKR)_LOG_FULL`, "audit-log", alarms.Major, true, "the audit log is full"},
	{nil, `(?:LUNA_RET|CKR)_LOG_FILE_WRITE_ERROR`, "audit-log", alarms.Major, true, "the audit log cannot be written"},
	{nil, `(?:LUNA_RET|CKR)_LOG_BAD_RECORD_HMAC`, "audit-log", alarms.Critical, true, "a record of the audit log was changed"},
	{nil, `(?:LUNA_RET|CKR)_SO_LOGIN_FAILURE_THRESHOLD`, "zeroize", alarms.Critical, false, "three wrong SO logins: the HSM has erased itself"},
	{nil, `(?:LUNA_RET|CKR)_AUDIT_LOGIN_FAILURE_THRESHOLD`, "failed-login", alarms.Minor, true, "three wrong logins of the auditor; the HSM is not affected"},
	{nil, `(?:LUNA_RET|CKR)_MTK_ZEROIZED`, "tamper-reboot", alarms.Critical, false, "the master tamper key is destroyed"},
	{nil, `(?:LUNA_RET|CKR)_HSM_TAMPERED`, "lock", alarms.Critical, false, "the HSM is tampered and waits for its SO"},
	{connecting, `RC_OPERATION_TIMED_OUT`, "ntls-log", alarms.Minor, true, "a connection timed out"},

	{card, `RTC: external tamper latched`, "tamper-reboot", alarms.Critical, false, "HSM tampered"},
	{card, `MTK: security function was zeroized`, "tamper-reboot", alarms.Critical, false, "the master tamper key is destroyed"},
	{card, `TVK was corrupted`, "tamper-reboot", alarms.Critical, false, "HSM tampered"},
	{card, `Generating new TVK`, "tamper-reboot", alarms.Critical, false, "the HSM recovers from a tamper"},
	{card, `RTC: tamper 2 signal`, "decom", alarms.Critical, false, "decommission signal"},
	{card, `Zeroizing HSM after decommission`, "decom", alarms.Critical, false, "HSM decommissioned"},
	{card, `RTC: zeroized on power loss`, "zeroize", alarms.Critical, false, "HSM zeroized by loss of power"},
	{card, `RTC: lost all power`, "battery", alarms.Major, true, "the HSM was without power and battery"},
	{card, `HSM permanently tampered`, "destroyed", alarms.Critical, false, "HSM tampered for good"},
	{card, `HSM missing from PCIe bus`, "chassis", alarms.Critical, false, "HSM is off the bus"},
	{driver, `HSM crashed:`, "hsm-crashed", alarms.Critical, false, "HSM firmware crashed"},
	{card, `Fatal error 0x|CRIT: Fatal error|HSM critical event detected`, "hsm-crashed", alarms.Critical, false, "HSM firmware crashed"},
	{uncoded, `LOG ?\(CRITICAL\)`, "hsm-log", alarms.Critical, false, "critical error of the HSM"},
	{uncoded, `LOG ?\(SEVERE\)`, "hsm-log", alarms.Major, false, "severe error of the HSM"},
	{worried, `(?i)\b(?:HSM internal|device) error\b`, "comm", alarms.Major, false, "the HSM reports an error, as after a tamper"},
	{worried, `(?i)\bbattery (?:voltage )?(?:is |was )?(?:depleted|empty|dead)\b`, "battery", alarms.Critical, false, "the battery is empty"},
	{worried, `(?i)\b(?:low battery|battery (?:voltage )?(?:is |too )*low)\b`, "battery", alarms.Minor, false, "the battery is low"},
	{worried, `(?i)\bcurrently over capacity\b`, "capacity", alarms.Minor, false, "more is stored than allowed"},

	{login, `^(?:pam_unix\(\w+:session\): session opened for user recover(?:[ (]|$)|(?:DIALUP|LOGIN|ROOT LOGIN) (?:AT|ON) \S+ BY recover(?:$| )|Accepted \S+ for recover from |New session \S+ of user recover\.)`,
		"recover-login", alarms.Critical, true, "login of recover: the password of admin is reset"},
}

// card: the kernel where its words are those of a card's driver, and oamp,
// which passes on what K5 and K6 cards log. ALM codes have a rule of their own.
func card(l *hsm.LogLine) bool {
	return l.Alarm == nil && l.Process == "oamp" || driver(l)
}

func driver(l *hsm.LogLine) bool {
	return l.Alarm == nil && l.FromKernel() && ofDriver.MatchString(tagged(l))
}

// ofDriver is how a card's words begin in the kernel's log. What a device on
// another bus calls itself comes behind other words.
var ofDriver = regexp.MustCompile(`^(?:NOTE: )?(?:[a-z]\w* [0-9a-f:.]+: )?(?i:(?:k7pf|viper)[0-9]+: ?|\[HSM\]|hsm log:|HSM (?:permanently|missing|crashed)|LOG ?\(|Fatal error 0x)`)

// uncoded: a card in a line that no worse text explains.
func uncoded(l *hsm.LogLine) bool {
	return card(l) && !strings.Contains(l.Message, "HSM crashed:") && !strings.Contains(l.Message, "Fatal error")
}

// luna: a card, or software of the appliance that complains. What it logs of
// commands and of sessions is information, and may quote anything.
func luna(l *hsm.LogLine) bool {
	return card(l) || slices.Contains(appliance, l.Process) && complaint(l)
}

// worried: as luna, in words that deny nothing.
func worried(l *hsm.LogLine) bool { return luna(l) && !denial.MatchString(Said(l)) }

var denial = regexp.MustCompile(`(?i)\b(?:no|not|without)\b (?:\w+ ){0,2}(?:low|empty|battery|device error|HSM internal error|currently over)\b|` +
	`\b(?:low|empty|depleted|error|capacity)\b(?:: no\b|(?: \w+){0,2} (?:cleared|deactivated|recovered|gone)\b)`)

var appliance = []string{"lunash", "NTLS", "STCD", "hsm", "cbs", "pedclient", "sysstatd"}

func complaint(l *hsm.LogLine) bool {
	serious := slices.Contains([]string{"emerg", "alert", "crit", "err", "warning"}, l.Severity) ||
		slices.ContainsFunc(inner, func(prefix string) bool { return strings.HasPrefix(Said(l), prefix) })
	return serious && !strings.Contains(l.Message, "Command: ") && !strings.Contains(l.Message, "opened session")
}

// inner are the severities with which software of the appliance begins a message.
var inner = []string{"warning : ", "error : ", "critical : "}

// code: return codes, of the appliance, or where they begin a message of any
// application.
func code(l *hsm.LogLine) bool {
	return luna(l) || l.Process != "" && codeFirst.MatchString(Said(l))
}

var codeFirst = regexp.MustCompile(`^\(?(?:0x)?[0-9A-Fa-f]{6,8} ?[:(]`)

// connecting: the Luna client in any application.
func connecting(l *hsm.LogLine) bool {
	return luna(l) || strings.HasPrefix(Said(l), "Error during SSL Connect")
}

func login(l *hsm.LogLine) bool {
	return slices.Contains([]string{"login", "sshd", "su", "systemd-logind"}, l.Process)
}

// Said returns the message without the mark of a test.
func Said(l *hsm.LogLine) string {
	if !l.Test {
		return l.Message
	}
	_, rest, _ := strings.Cut(l.Message, ":")
	return strings.TrimLeft(rest, " ")
}

// tagged is Said, after the driver where that stands in the place of the
// process.
func tagged(l *hsm.LogLine) string {
	if l.Process == "" || l.Process == "kernel" {
		return Said(l)
	}
	return l.Process + ": " + Said(l)
}

// SaidBy returns the texts that a line says. In an audit record only the result
// counts: applications write their own words into it.
func SaidBy(l *hsm.LogLine) (found []Text) {
	said := Said(l)
	if l.Audit != nil {
		said = l.Audit.Result
	}
	coded := namesCode(said)
	for _, t := range list {
		may := l.Audit == nil && t.from != nil && t.from(l)
		if t.from == nil {
			may = coded && (l.Audit != nil || code(l))
		}
		if may && compiled[t.Words].MatchString(said) {
			found = append(found, t)
		}
	}
	return found
}

// codes begin the names of return codes.
var codes = []string{"LUNA_RET_", "CKR_"}

// namesCode reports whether a message has the name of a return code: few do.
func namesCode(said string) bool {
	return slices.ContainsFunc(codes, func(prefix string) bool { return strings.Contains(said, prefix) })
}

// Driver returns the instance of a card's driver that a line of the kernel
// names; "": none.
func Driver(l *hsm.LogLine) string {
	if !l.FromKernel() {
		return ""
	}
	return strings.ToLower(aDriver.FindString(tagged(l)))
}

var aDriver = regexp.MustCompile(`\b(?i:k7pf|viper)[0-9]+\b`)
