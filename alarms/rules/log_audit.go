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

// auditChanges are further events that somebody must have planned.
var auditChanges = []struct {
	name     string // begins the name of the event
	severity alarms.Severity
	what     string
}{
	{"LUNA_DELETE_CONTAINER", alarms.Critical, "a partition was deleted"},
	{"LUNA_SET_DESTRUCTIVE_HSM_POLICY", alarms.Critical, "a destructive policy was changed, which erases the partitions"},
	{"LUNA_FW_ROLLBACK", alarms.Critical, "the firmware was rolled back, which zeroizes the HSM"},
	{"LUNA_LOG_SET_CONFIG", alarms.Major, "it was changed what the audit log records"},
}

var auditOK = []string{"RC_OK", "CKR_OK", "LUNA_RET_OK"}

// refused reports whether a record says so. One without a result may have
// succeeded.
func refused(l *Line) bool {
	return l.Audit.Result != "" && !slices.Contains(auditOK, l.Audit.Result)
}

func critical(l *Line) bool {
	return slices.ContainsFunc(auditCritical, func(word string) bool { return strings.Contains(l.Audit.Event, word) })
}

// auditFinding is what a record raises once. Each partition has its own alarm.
func auditFinding(l *Line, s *Thresholds, group string, severity alarms.Severity, what string) alarms.Finding {
	r := l.Audit
	return alarms.Finding{Key: alarms.Key{Group: group, Object: strings.TrimSpace(r.Event + " " + r.Partition)}, Condition: alarms.Bad, Severity: severity, Age: s.EventAge,
		Text: what + ": " + r.Text, Serial: r.Serial}
}

// auditEvent evaluates an audit record of a critical event that was not
// refused.
func auditEvent(l *Line, s *Thresholds) []alarms.Finding {
	if l.Audit == nil || refused(l) || !critical(l) {
		return nil
	}
	return []alarms.Finding{auditFinding(l, s, "audit-event", alarms.Critical, l.Audit.Event+" in the audit log")}
}

// auditChange evaluates an audit record of one of auditChanges, and of an
// attempt to zeroize.
func auditChange(l *Line, s *Thresholds) []alarms.Finding {
	switch {
	case l.Audit == nil:
	case !refused(l):
		for _, x := range auditChanges {
			if strings.HasPrefix(l.Audit.Event, x.name) {
				return []alarms.Finding{auditFinding(l, s, "audit-change", x.severity, x.what)}
			}
		}
	case strings.Contains(l.Audit.Event, "ZEROIZE"):
		return []alarms.Finding{auditFinding(l, s, "audit-change", alarms.Major, "somebody tried to zeroize, and was refused")}
	}
	return nil
}

// failedLogin evaluates an audit record of a login that was refused. The one
// that was too many is among the return codes.
func failedLogin(l *Line, s *Thresholds) []alarms.Finding {
	if l.Audit == nil || !strings.HasSuffix(l.Audit.Event, "_LOGIN") || !refused(l) || strings.HasSuffix(l.Audit.Result, "_LOGIN_FAILURE_THRESHOLD") {
		return nil
	}
	f := auditFinding(l, s, "failed-login", alarms.Warning, "a login failed with "+l.Audit.Result)
	f.Object = ""
	return []alarms.Finding{f}
}
