package collectors

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Format is one kind of output that can be read.
type Format struct {
	Name    string // "hsm-show", as "lunawatch parse" takes it
	Command string // what prints it; several are separated by ", "
	File    bool   // it can be a file that has no result lines

	// Parse reads a captured session: one answer, or several of which the
	// last that says something counts (clients and logs: all of them).
	//
	// It returns what is certain, and beside it the lines that it did not
	// understand, at most [MaxUnread] of them. The error is
	// [ErrUnrecognised] when nothing was understood, or a [*CommandError]
	// when the device says that the command failed; there may be a Fact even
	// then. A last line without a line end is not read unless a result line
	// came before it: it may be cut.
	Parse func(text string) (hsm.Fact, []string, error)
}

// CaptureFile is the name of its file in a capture.
func (f Format) CaptureFile() string { return f.Name + ".txt" }

// Formats lists every Format, by name.
var Formats = slices.SortedFunc(slices.Values(slices.Concat(textFormats, restFormats)), func(a, b Format) int { return cmp.Compare(a.Name, b.Name) })

// textFormats are what is written for people.
var textFormats = []Format{
	ChrystokiConf,
	ClientList,
	AuditLog,
	HALog,
	HSMDisplayLicenses,
	HSMInformationMonitor,
	HSMInformationShow,
	HSMShow,
	HSMShowPolicies,
	HSMTamperShow,
	HAGroupListGroups,
	CardEnvShow,
	CardMonitor,
	CardShowInfo,
	CardTamperShow,
	PartitionShowInfo,
	RoleShow,
	SlotList,
	STMShow,
	NTLSCertificateShow,
	NTLSInformationShow,
	PartitionList,
	PartitionShow,
	PartitionShowPolicies,
	StatusDisk,
	StatusSensors,
	StatusSysstat,
	Syslog,
	VTLHAAdminShow,
}

// FindFormat returns the Format of that name.
func FindFormat(name string) (Format, bool) {
	i := slices.IndexFunc(Formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return Formats[i], true
}

// ErrUnrecognised means that text is not in the expected form at all. A
// parser returns it rather than an empty Fact: unreadable is not "none".
var ErrUnrecognised = errors.New("nothing recognised")

// MaxUnread is how many unread lines a Format reports one by one.
const MaxUnread = 20

// A parser reads the lines of one answer, without echo, prompt and result
// line. It calls unread for each line that it does not understand, and
// returns nil when it understood none.
type parser func(lines []string, unread func(line string)) hsm.Fact

func latest(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := split(text)
		own := repliesTo(command, replies)
		for i := len(own) - 1; i >= 0; i-- {
			if fact, rest := own[i].read(p); fact != nil {
				return fact, rest.list(cut), wrap(name, own[i].err())
			}
		}
		return nil, leftover(own, cut), wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
	}}
}

// merged reads all answers as if they were one, but those of failed commands.
func merged(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := split(text)
		own := repliesTo(command, replies)
		var all reply
		for _, r := range own {
			if r.err() == nil {
				all.lines = append(all.lines, r.lines...)
			}
		}
		fact, rest := all.read(p)
		if fact == nil {
			return nil, leftover(own, cut), wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
		}
		return fact, rest.list(cut), wrap(name, lastError(own))
	}}
}

// asFile marks a Format of text that need not come from a session.
func asFile(f Format) Format {
	f.File = true
	return f
}

// each reads all answers, each by itself, and joins what they say. An answer
// can say something and then that it failed. One that says nothing counts as
// failed only if its echo shows that it was asked this.
func each(name, command string, p parser, join func(facts []hsm.Fact) hsm.Fact) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := split(text)
		own := repliesTo(command, replies)
		var facts []hsm.Fact
		var unread leftovers
		var failed error
		for _, r := range own {
			fact, rest := r.read(p)
			if fact != nil || r.command != "" {
				failed = cmp.Or(r.err(), failed)
			}
			if fact == nil {
				continue
			}
			facts = append(facts, fact)
			for _, line := range rest.lines {
				unread.add(line)
			}
			unread.more += rest.more
		}
		if facts == nil {
			return nil, leftover(own, cut), wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
		}
		return join(facts), unread.list(cut), wrap(name, failed)
	}}
}

// lastError returns the error of the last reply that failed.
func lastError(replies []reply) error {
	for i := len(replies) - 1; i >= 0; i-- {
		if err := replies[i].err(); err != nil {
			return err
		}
	}
	return nil
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func leftover(replies []reply, cut string) []string {
	var rest leftovers
	for _, r := range replies {
		for _, line := range r.readable() {
			rest.add(line)
		}
	}
	return rest.list(cut)
}

// leftovers collects unread lines, the first of them in full.
type leftovers struct {
	lines []string
	more  int
}

func (l *leftovers) add(line string) {
	line = strings.TrimSpace(line)
	switch {
	case line == "" || isRule(line):
	case len(l.lines) < MaxUnread:
		l.lines = append(l.lines, clip(line, 200))
	default:
		l.more++
	}
}

func (l *leftovers) list(cut string) []string {
	if l.more > 0 {
		l.lines = append(l.lines, fmt.Sprintf("... and %d more lines", l.more))
	}
	if cut = strings.TrimSpace(cut); cut != "" {
		l.lines = append(l.lines, clip(cut, 200)+" ... (no line end: may be cut)")
	}
	return l.lines
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
