package syslog

import (
	"cmp"
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
	l := ParseLine(s)
	r := ParseAuditRecord(l.Message)
	l.Audit = &r
	return l
}

var (
	auditName   = regexp.MustCompile(`\b(?:LUNA|RC|CKR)_[A-Z0-9_]+\b`)
	auditSerial = regexp.MustCompile(`\bS/N[ :=]*([0-9]{4,32})\b`)
	auditHead   = regexp.MustCompile(`^\s*([0-9]{1,10})\s*,\s*([0-9]{2}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})\s*,\s*`)
	auditTail   = regexp.MustCompile(`\s*,\s*([0-9A-Fa-f]{64})\s*,\s*[0-9A-Fa-f]*\s*$`)
	container   = regexp.MustCompile(`\bcontainer=([0-9]{1,3})\b`)
)

// external is the event by which an application writes its own words.
const external = "LUNA_LOG_EXTERNAL"

// ParseAuditRecord reads one record of an HSM's audit log, as the appliance sends it
// to facility local3 or a host stores it: sequence number, time, message, HMAC of the
// record before and raw data, each padded to its length, or without padding, as the
// vendor prints it, and then perhaps without the last two. The names of events and of
// return codes are found anywhere in it; what is not found is unknown.
func ParseAuditRecord(line string) hsm.AuditRecord {
	text := answer.CleanLine(line)
	var r hsm.AuditRecord
	if m := auditTail.FindStringSubmatchIndex(text); m != nil {
		r.Previous, text = text[m[2]:m[3]], text[:m[0]]
	}
	r.Text = strings.TrimSpace(text)
	if m := auditHead.FindStringSubmatch(text); m != nil {
		n, _ := answer.Number(m[1])
		r.Sequence, r.Stamp = hsm.Some(n), m[2]
		r.Text = m[1] + "," + m[2] + "," + strings.TrimSpace(text[len(m[0]):])
	}
	if at := r.Times(); len(at) == 1 {
		r.Time = hsm.Some(at[0])
	}
	if m := auditSerial.FindStringSubmatch(r.Text); m != nil {
		r.Serial = m[1]
	}
	if r.Event, r.Result = auditNames(r.Text); r.Event == external {
		return r
	}
	if m := container.FindStringSubmatch(r.Text); m != nil && r.Serial != "" {
		r.Partition = r.Serial + strings.Repeat("0", 3-len(m[1])) + m[1]
	}
	return r
}

// auditNames finds the event of a record and its result. What follows in the words of
// an application names neither.
func auditNames(text string) (event, result string) {
	if strings.Contains(text, external) {
		return external, ""
	}
	for _, name := range auditName.FindAllString(text, -1) {
		switch {
		case strings.HasPrefix(name, "LUNA_ENTRY_"): // the way of a login
		case !strings.HasPrefix(name, "LUNA_") || strings.HasPrefix(name, "LUNA_RET_"):
			result = cmp.Or(result, name)
		default:
			event = cmp.Or(event, name)
		}
	}
	return event, result
}
