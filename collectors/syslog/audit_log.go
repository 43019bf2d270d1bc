package syslog

import (
	"regexp"
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// AuditFormat is the format of an HSM's audit log.
var AuditFormat = answer.AsFile(answer.Merged("audit-log", "audit log, local3 of syslog", parseAudit))

// parseAudit reads records of an HSM's audit log. Lines without an event are unread.
func parseAudit(lines []string, unread func(string)) hsm.Fact {
	var log hsm.AuditLog
	for _, line := range lines {
		switch r := ParseAuditRecord(line); {
		case r.Event != "":
			log.Records = append(log.Records, r)
		case r.Text != "":
			unread(line)
		}
	}
	if log.Records == nil {
		return nil
	}
	return log
}

// AuditLine reads a line of a file that has only audit records.
func AuditLine(s string) hsm.LogLine {
	l, r := ParseLine(s), ParseAuditRecord(s)
	l.Audit = &r
	return l
}

var (
	auditName   = regexp.MustCompile(`\b(?:LUNA|RC|CKR)_[A-Z0-9_]+\b`)
	auditSerial = regexp.MustCompile(`\bS/N[ :=]*([0-9]{4,32})\b`)
)

// ParseAuditRecord reads one record of an HSM's audit log, as the appliance sends it
// to facility local3 or a host stores it. The vendor documents the names of events
// and of return codes but not the layout of a record, so names are found anywhere in
// it; what is not found is unknown.
func ParseAuditRecord(line string) hsm.AuditRecord {
	r := hsm.AuditRecord{Text: strings.TrimSpace(answer.Clean(line))}
	if m := auditSerial.FindStringSubmatch(r.Text); m != nil {
		r.Serial = m[1]
	}
	for _, name := range auditName.FindAllString(r.Text, -1) {
		switch {
		case strings.HasPrefix(name, "LUNA_ENTRY_"): // the way of a login
		case !strings.HasPrefix(name, "LUNA_") || strings.HasPrefix(name, "LUNA_RET_"):
			if r.Result == "" {
				r.Result = name
			}
		case r.Event == "":
			r.Event = name
		}
	}
	return r
}
