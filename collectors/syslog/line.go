// Package syslog parses log lines of appliances and of the kernel, finds HSM alarms
// and audit records in them, and receives them over the network. It does not read
// files, and does not know what an alarm means.
package syslog

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// Format is the format of the syslog of an appliance.
var Format = answer.AsFile(answer.Merged("syslog", "syslog tail", parseLog))

// parseLog reads lines of a log, or a session with "syslog tail", in the forms of
// [ParseLine].
func parseLog(lines []string, unread func(string)) hsm.Fact {
	var log hsm.Log
	recognised, unknown := false, 0
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		l, ok := readLine(line)
		if !ok {
			unread(line)
			if unknown++; unknown > answer.MaxUnknown {
				continue
			}
		}
		recognised = recognised || ok
		log.Events = append(log.Events, l)
	}
	if !recognised {
		return nil
	}
	return log
}

// ParseLine reads one line of a log, without its line end:
//
//   - the appliance's files and "syslog tail": "2017 Apr 17 11:00:45 host
//     kern info kernel: message";
//   - RFC 3164 and RFC 5424, with or without the priority that is sent with them;
//   - dmesg, dmesg -T and /dev/kmsg.
//
// A line of any other form is returned whole, as the message.
func ParseLine(line string) hsm.LogLine {
	l, _ := readLine(answer.CleanLine(line))
	return l
}

// readLine also reports whether the line has a known form.
func readLine(line string) (l hsm.LogLine, ok bool) {
	line = strings.Trim(line, " \t\r\n")
	body, priority := cutPriority(&l, line)
	switch {
	case body == "":
	case strings.HasPrefix(body, "1 "):
		ok = rfc5424(&l, body[2:])
	case body[0] == '[':
		ok = dmesg(&l, body)
	case answer.IsDigit(body[0]):
		ok = applianceLine(&l, body) || kmsg(&l, body) || isoLine(&l, body)
	default:
		ok = rfc3164(&l, body)
	}
	if !ok && priority && body != "" { // only the priority has a known form
		l.Message, ok = body, true
	}
	if !ok {
		l = hsm.LogLine{Message: line}
		ok = isLunaLog(line) || dated(&l, body)
	}
	l.Test = strings.HasPrefix(l.Message, testMark)
	if l.Alarm = alarm(&l); l.Alarm != nil {
		ok = true
	}
	if l.Facility == auditFacility {
		r := ParseAuditRecord(l.Message)
		l.Audit = &r
	}
	return l, ok
}

// auditFacility is the facility of an HSM's audit log.
const auditFacility = "local3"

// testMark begins the message of "sysconf snmp trap test".
const testMark = "***TEST"

// applianceLine reads the appliance's own template: year, month, day, time,
// host, facility, severity, process.
func applianceLine(l *hsm.LogLine, s string) bool {
	if len(s) < 20 || s[4] != ' ' && s[4] != '\t' || !answer.IsDigit(s[3]) {
		return false
	}
	year, ok := answer.Number(s[:4])
	if !ok {
		return false
	}
	at, rest, ok := answer.MonthTime(s[5:], int(year))
	if !ok {
		return false
	}
	host, rest := answer.Token(rest)
	facility, rest := answer.Token(rest)
	severity, rest := answer.Token(rest)
	if severity == facility { // login has it twice
		severity, rest = answer.Token(rest)
	}
	sev := severityName(severity)
	if sev == "" || !isName(facility) {
		return false
	}
	message, ok := process(l, rest)
	if !ok {
		l.Process, l.PID = "", hsm.Opt[int64]{}
		if facility != "kern" {
			return false
		}
		message = rest
	}
	l.Time, l.Host, l.Facility, l.Severity, l.Message = hsm.Some(at), host, strings.ToLower(facility), sev, message
	return true
}

// dated reads time and host of a line that begins like the appliance's and
// continues in another form. Its message stays the whole line.
func dated(l *hsm.LogLine, s string) bool {
	if len(s) < 20 || s[4] != ' ' && s[4] != '\t' {
		return false
	}
	year, isYear := answer.Number(s[:4])
	at, rest, ok := answer.MonthTime(s[5:], int(year))
	host, _ := answer.Token(rest)
	if !isYear || !ok || host == "" {
		return false
	}
	l.Time, l.Host = hsm.Some(at), host
	return true
}

// process reads "NTLS [1234]: message" and "kernel: message".
func process(l *hsm.LogLine, s string) (message string, ok bool) {
	end := 0
	for end < len(s) && isProcessByte(s[end]) {
		end++
	}
	if end == 0 {
		return s, false
	}
	name, rest := s[:end], strings.TrimPrefix(s[end:], " ")
	if strings.HasPrefix(rest, "[") {
		pid, _, closed := strings.Cut(rest[1:min(len(rest), 24)], "]")
		n, isNumber := answer.Number(pid)
		if !closed || !isNumber {
			return s, false
		}
		l.PID, rest = hsm.Some(n), rest[len(pid)+2:]
	}
	if !strings.HasPrefix(rest, ":") {
		l.PID = hsm.Opt[int64]{}
		return s, false
	}
	l.Process = name
	return strings.TrimLeft(rest[1:], " \t"), true
}

func isProcessByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || answer.IsDigit(c) || strings.IndexByte("_./()*-@", c) >= 0
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || answer.IsDigit(c)) {
			return false
		}
	}
	return s != ""
}

// severityName returns the name of a severity in lower case and its short form, such
// as "err"; "" if s is none.
func severityName(s string) string {
	switch s = strings.ToLower(s); s {
	case "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug":
		return s
	case "panic", "emergency":
		return "emerg"
	case "critical":
		return "crit"
	case "error":
		return "err"
	case "warn":
		return "warning"
	}
	return ""
}

var (
	severities = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	facilities = [...]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
)

// cutPriority reads "<6>" at the start of a line.
func cutPriority(l *hsm.LogLine, s string) (rest string, ok bool) {
	if !strings.HasPrefix(s, "<") {
		return s, false
	}
	i := strings.IndexByte(s[:min(len(s), 5)], '>')
	if i < 0 {
		return s, false
	}
	n, ok := answer.Number(s[1:i])
	if !ok || n >= int64(8*len(facilities)) {
		return s, false
	}
	setPriority(l, n)
	return s[i+1:], true
}

func setPriority(l *hsm.LogLine, n int64) {
	l.Facility, l.Severity = facilities[n/8], severities[n%8]
}

// rfc3164 reads "Feb  1 11:06:55 host process[1]: message". The time has no year.
func rfc3164(l *hsm.LogLine, s string) bool {
	at, rest, ok := answer.MonthTime(s, 2000) // a leap year, for Feb 29
	if !ok {
		return false
	}
	stamp := strings.TrimRight(s[:len(s)-len(rest)], " \t")
	if strings.Contains(stamp, "\t") {
		stamp = at.Format(time.Stamp)
	}
	host, after := answer.Token(rest)
	if strings.HasSuffix(host, ":") { // a tag: there is no host
		host = ""
	} else {
		rest = after
	}
	message, ok := process(l, rest)
	if !ok { // rsyslog sends messages without a tag like this
		message = rest
	}
	l.Stamp, l.Host, l.Message = stamp, host, message
	cutUptime(l)
	return message != ""
}

// rfc5424 reads what follows "<PRI>1 ".
func rfc5424(l *hsm.LogLine, s string) bool {
	var f [5]string
	for i := range f {
		if f[i], s = answer.Token(s); f[i] == "" {
			return false
		}
		if f[i] == "-" {
			f[i] = ""
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, f[0]); err == nil {
		l.Time = hsm.Some(at)
	} else if f[0] != "" {
		return false
	}
	l.Host, l.Process = f[1], f[2]
	if pid, ok := answer.Number(f[3]); ok {
		l.PID = hsm.Some(pid)
	}
	l.Message = strings.TrimPrefix(strings.TrimLeft(afterStructured(s), " "), "\ufeff")
	cutUptime(l)
	return true
}

// afterStructured returns what follows the structured data at the start of s.
func afterStructured(s string) string {
	if strings.HasPrefix(s, "-") {
		return s[1:]
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted && (i+1 == len(s) || s[i+1] != '['):
			return s[i+1:]
		}
	}
	return s
}

// isoLine reads the file format of newer rsyslog and of journalctl -o
// short-iso: "2026-02-01T11:06:55.123+01:00 host process[1]: message".
func isoLine(l *hsm.LogLine, s string) bool {
	stamp, rest := answer.Token(s)
	if len(stamp) < 19 || stamp[4] != '-' {
		return false
	}
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05Z0700", stamp)
	}
	if err != nil {
		return false
	}
	host, rest := answer.Token(rest)
	message, ok := process(l, rest)
	if !ok {
		message = rest
	}
	l.Time, l.Host, l.Message = hsm.Some(at), host, message
	cutUptime(l)
	return host != ""
}

// dmesg reads "[ 9731.221934] message" and "[Mon Feb  1 11:06:55 2016] message".
func dmesg(l *hsm.LogLine, s string) bool {
	l.Message = s
	if cutUptime(l) {
		return true
	}
	i := strings.IndexByte(s[:min(len(s), 40)], ']')
	if i < 0 {
		return false
	}
	at, err := time.Parse("Mon Jan 2 15:04:05 2006", answer.Collapse(s[1:i]))
	if err != nil {
		return false
	}
	l.Time, l.Message = hsm.Some(at), strings.TrimLeft(s[i+1:], " ")
	return true
}

// cutUptime cuts "[ 9731.221934] " off the message, the seconds since boot.
func cutUptime(l *hsm.LogLine) bool {
	s := l.Message
	if !strings.HasPrefix(s, "[") {
		return false
	}
	i := strings.IndexByte(s[:min(len(s), 32)], ']')
	if i < 0 {
		return false
	}
	seconds, ok := answer.Decimal(strings.TrimLeft(s[1:i], " "), 0)
	if !ok || seconds < 0 || !strings.Contains(s[1:i], ".") {
		return false
	}
	l.UptimeSeconds, l.Message = hsm.Some(seconds), strings.TrimLeft(s[i+1:], " ")
	return true
}

// kmsg reads "6,1021,9731221934,-;message": priority, sequence number,
// microseconds since boot, flags.
func kmsg(l *hsm.LogLine, s string) bool {
	head, message, ok := strings.Cut(s, ";")
	if !ok || len(head) > 80 {
		return false
	}
	f := strings.SplitN(head, ",", 5)
	if len(f) < 4 {
		return false
	}
	priority, ok1 := answer.Number(f[0])
	_, ok2 := answer.Number(f[1])
	usec, ok3 := answer.Number(f[2])
	if !ok1 || !ok2 || !ok3 || priority >= int64(8*len(facilities)) {
		return false
	}
	setPriority(l, priority)
	l.UptimeSeconds, l.Message = hsm.Some(float64(usec)/1e6), strings.TrimLeft(message, " ")
	return true
}

// isLunaLog reports whether s is a message of lunalogs without its head: it ends
// with " : " and the client's address and port.
func isLunaLog(s string) bool {
	i := strings.LastIndex(s, " : ")
	if i < 0 {
		return false
	}
	ip, port, ok := strings.Cut(s[i+3:], "/")
	_, isNumber := answer.Number(port)
	return ok && isNumber && len(ip) >= 2 && strings.Trim(ip, "0123456789abcdefABCDEF.:") == ""
}
