package rules

import (
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/alarms"
)

// auditCritical are words in the names of events that the vendor's
// hsmCriticalEvents counts: tamper, decommission, zeroize, and the making of
// an SO or of an audit role.
var auditCritical = []string{"TAMPER", "DECOMMISSION", "ZEROIZE", "INIT_TOKEN", "AUDIT_CONTAINER", "INIT_AUDIT"}

var auditOK = []string{"RC_OK", "CKR_OK", "LUNA_RET_OK"}

// auditEvent evaluates an audit record of a critical event that was not
// refused.
func auditEvent(l Line, s Thresholds) (alarms.Finding, bool) {
	r := l.Audit
	if r == nil || r.Result != "" && !slices.Contains(auditOK, r.Result) ||
		!slices.ContainsFunc(auditCritical, func(word string) bool { return strings.Contains(r.Event, word) }) {
		return alarms.Finding{}, false
	}
	return alarms.Finding{Key: alarms.Key{Group: "audit-event", Object: r.Event}, Condition: alarms.Bad, Severity: alarms.Critical, Age: s.EventAge,
		Text: r.Event + " in the audit log: " + r.Text, Serial: r.Serial}, true
}

// failedLogin evaluates an audit record of a login that was refused. One
// without a result may have succeeded.
func failedLogin(l Line, s Thresholds) (alarms.Finding, bool) {
	r := l.Audit
	if r == nil || !strings.HasSuffix(r.Event, "_LOGIN") || r.Result == "" || slices.Contains(auditOK, r.Result) {
		return alarms.Finding{}, false
	}
	return alarms.Finding{Key: alarms.Key{Group: "failed-login"}, Condition: alarms.Bad, Severity: alarms.Warning, Age: s.EventAge,
		Text: "a login failed with " + r.Result + ": " + r.Text, Serial: r.Serial}, true
}
