package ha

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// LogFormat is the format of the HA log of a client.
var LogFormat = answer.AsFile(answer.Merged("ha-log", "haErrorLog.txt", parseLog))

// parseLog reads lines of a client's HA log (haErrorLog.txt). A line of no known
// form becomes an event of kind [hsm.HAUnknown].
func parseLog(lines []string, unread func(string)) hsm.Fact {
	var log hsm.HALog
	recognised, unknown := false, 0
	for _, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		e, ok := readLine(line)
		if e.Kind == hsm.HAUnknown {
			unread(line)
			if unknown++; unknown > answer.MaxUnknown {
				continue
			}
		}
		recognised = recognised || ok
		log.Events = append(log.Events, e)
	}
	if !recognised {
		return nil
	}
	return log
}

// ParseLine reads one line of an HA log, without its line end:
//
//	Wed Oct  4 16:29:21 2017 : [17469] HA group: 11234840370164 has dropped member: 1234924189183
//	Sun Jan 31 21:01:52 2016 : [3820] HA subsystem detected new server : 172.20.11.175
//
// The time is the client's local time, returned as if it were UTC. A line of any
// other form is returned with all of its text, of kind [hsm.HAUnknown].
func ParseLine(line string) hsm.HAEvent {
	e, _ := readLine(answer.CleanLine(line))
	return e
}

// readLine also reports whether the line begins like those of an HA log. The kind
// can be unknown even then.
func readLine(line string) (e hsm.HAEvent, ok bool) {
	line = strings.Trim(line, " \t\r\n")
	e = hsm.HAEvent{Kind: hsm.HAUnknown, Text: line}
	at, rest, ok := ctime(line)
	if !ok {
		return e, false
	}
	rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(rest, " \t"), ":"), " \t")
	pid, rest, closed := strings.Cut(strings.TrimPrefix(rest, "["), "]")
	n, isNumber := answer.Number(strings.TrimSpace(pid))
	if !closed || !isNumber {
		return e, false
	}
	e.Time, e.PID = hsm.Some(at), hsm.Some(n)
	e.Text = cutSubject(&e, strings.TrimSpace(rest))
	readMessage(&e, e.Text)
	return e, true
}

// ctime cuts "Wed Oct  4 16:29:21 2017" off s, as if it were UTC.
func ctime(s string) (at time.Time, rest string, ok bool) {
	if len(s) < 20 || s[3] != ' ' && s[3] != '\t' {
		return at, s, false
	}
	at, rest, ok = answer.MonthTime(strings.TrimLeft(s[4:], " \t"), 2000) // a leap year
	year, rest := answer.Token(rest)
	n, isYear := answer.Number(year)
	if !ok || !isYear || len(year) != 4 {
		return at, s, false
	}
	day := at.Day()
	at = time.Date(int(n), at.Month(), day, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	return at, rest, at.Day() == day
}

// cutSubject cuts off what a message is about: a group, or HA as a whole.
func cutSubject(e *hsm.HAEvent, s string) (message string) {
	if rest, ok := answer.CutPrefixFold(s, "HA group"); ok {
		e.Group, rest = answer.Token(strings.TrimLeft(rest, " :"))
		return trimMessage(rest)
	}
	rest, _ := answer.CutPrefixFold(s, "HA subsystem")
	return trimMessage(strings.TrimLeft(rest, " :"))
}

// trimMessage trims blanks, and the two characters "\n" that some versions write.
func trimMessage(s string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), `\n`))
}

// A form is one form of a message: words and placeholders.
//
//	%m  serial number of a member    %n  number of an attempt, with "#" or not
//	%d  number of objects            %x  either of them
//	%s  name or address of an appliance
//
// A message matches if it begins with them, in any case and punctuation.
type form struct {
	words []string
	kind  hsm.HAEventKind
}

// forms are tried in this order: one that begins like another but is longer is
// before it.
var forms = func(table [][2]string) (forms []form) {
	for _, f := range table {
		forms = append(forms, form{strings.Fields(f[0]), hsm.HAEventKind(f[1])})
	}
	return forms
}([][2]string{
	{"recovery attempt %n succeeded for member %m", string(hsm.HARecovered)},
	{"recovery attempt %n failed for member %m manual recover or auto recovery will not", string(hsm.HAUnrecoverable)},
	{"recovery attempt %n failed for member %m", string(hsm.HARecoveryFailed)},
	{"recovery attempt %n reintroducing %d token objects to recovered token %x", string(hsm.HAReintroducing)},
	{"recovery attempt %n member %m is now activated", string(hsm.HAMemberNowActivated)},
	{"recovery attempt %n member %m is not activated", string(hsm.HARecoveryNotActivated)},
	{"recovery attempt %x is now activated", string(hsm.HAMemberNowActivated)},
	{"recovery attempt %x is not activated", string(hsm.HARecoveryNotActivated)},
	{"has dropped member %m", string(hsm.HADropMember)},
	{"unable to reach member %m", string(hsm.HADropUnrecoverable)},
	{"exceeded maximum number of autorecovery attempts for member %m", string(hsm.HARecoveryExhausted)},
	{"can not login to member %m", string(hsm.HALoginFailed)},
	{"cannot login to member %m", string(hsm.HALoginFailed)},
	{"member %m deactivated", string(hsm.HAMemberDeactivated)},
	{"member %m revoked", string(hsm.HAMemberRevoked)},
	{"member %m is not activated and is excluded", string(hsm.HAMemberExcluded)},
	{"all members gone offline", string(hsm.HAMembersOffline)},
	{"management thread started", string(hsm.HAThreadStart)},
	{"management thread terminated", string(hsm.HAThreadTerminate)},
	{"detected new member member %m", string(hsm.HANewMember)},
	{"detected new member %m", string(hsm.HANewMember)},
	{"re-enable auto recovery process for member %m", string(hsm.HAReenableMember)},
	{"configured as a password based virtual device", string(hsm.HAConfiguredPassword)},
	{"configured as a ped based virtual device", string(hsm.HAConfiguredPED)},
	{"detected new server %s", string(hsm.HAServerDetected)},
	{"detected removal of server %s", string(hsm.HAServerRemoved)},
	{"server %s connected", string(hsm.HAServerConnected)},
})

// maxWords bounds the words of a message that are matched.
const maxWords = 16

// readMessage sets the kind of e, and what the placeholders match.
func readMessage(e *hsm.HAEvent, message string) {
	var buf [maxWords]string
	words := messageWords(buf[:0], message)
	for i := range forms {
		if forms[i].read(e, words) {
			e.Kind = forms[i].kind
			break
		}
	}
	if i := strings.LastIndex(message, "Code"); i >= 0 {
		readCode(e, message[i+len("Code"):])
	}
}

// messageWords appends the first words of s, without the punctuation around them,
// up to the capacity of words. "member:1234" is two words.
func messageWords(words []string, s string) []string {
	for len(words) < cap(words) {
		s = strings.TrimLeft(s, " \t:.,;\"'")
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		word := s[:end]
		if name, _, colon := strings.Cut(word, ":"); colon && strings.EqualFold(name, "member") {
			word, end = name, len(name)
		}
		if word == "" {
			break
		}
		words = append(words, strings.TrimRight(word, ":.,;\"'"))
		s = s[end:]
	}
	return words
}

// read reports whether words match, and if so sets what the placeholders match.
func (f *form) read(e *hsm.HAEvent, words []string) bool {
	if len(words) < len(f.words) {
		return false
	}
	got := hsm.HAEvent{}
	for i, want := range f.words {
		if want[0] != '%' {
			if !strings.EqualFold(words[i], want) {
				return false
			}
			continue
		}
		if !readValue(&got, want, words[i]) {
			return false
		}
	}
	e.Member, e.Attempt, e.Objects, e.Server = got.Member, got.Attempt, got.Objects, got.Server
	return true
}

// The length of the serial number of a member, in digits. Some messages have one
// in place of the number of an attempt, which is shorter.
const (
	minSerial = 6
	maxSerial = 32
)

func isMember(s string) bool {
	return len(s) >= minSerial && len(s) <= maxSerial && answer.IsDigit(s[0])
}

// readValue sets the value of a placeholder to word, and reports whether word fits.
func readValue(e *hsm.HAEvent, placeholder, word string) bool {
	switch placeholder {
	case "%m":
		e.Member = word
		return isMember(word)
	case "%n":
		n, ok := answer.Number(strings.TrimPrefix(word, "#"))
		return answer.Known(&e.Attempt, n, ok)
	case "%x":
		if isMember(word) {
			e.Member = word
			return true
		}
		n, ok := answer.Number(strings.TrimPrefix(word, "#"))
		if ok && !e.Attempt.Known {
			e.Attempt = hsm.Some(n)
		}
		return ok
	case "%d":
		n, ok := answer.Number(word)
		return answer.Known(&e.Objects, n, ok)
	}
	e.Server = word
	return word != ""
}

// readCode reads " : 0x30 : CKR_DEVICE_ERROR." behind "Code". If the name is
// missing, it is taken from codeNames.
func readCode(e *hsm.HAEvent, s string) {
	number, name := answer.Token(strings.TrimLeft(s, " :"))
	if n, ok := answer.CutPrefixFold(number, "0x"); ok {
		number = n
	}
	code, err := strconv.ParseUint(strings.TrimRight(number, ":.,;"), 16, 32)
	if err != nil {
		return
	}
	e.Code = fmt.Sprintf("0x%08X", code)
	name, _ = answer.Token(strings.TrimLeft(name, " :"))
	if e.CodeName = strings.TrimRight(name, ":.,;"); e.CodeName == "" {
		e.CodeName = codeNames[uint32(code)]
	}
}
