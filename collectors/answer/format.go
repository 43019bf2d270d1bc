package answer

import (
	"cmp"
	"errors"
	"fmt"
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

// ErrUnrecognised means that text is not in the expected form at all. A
// parser returns it rather than an empty Fact: unreadable is not "none".
var ErrUnrecognised = errors.New("nothing recognised")

// MaxUnread is how many unread lines a Format reports one by one.
const MaxUnread = 20

// A parser reads the lines of one answer, without echo, prompt and result
// line. It calls unread for each line that it does not understand, and
// returns nil when it understood none.
type parser func(lines []string, unread func(line string)) hsm.Fact

func Latest(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := Split(text)
		own := repliesTo(command, replies)
		for i := len(own) - 1; i >= 0; i-- {
			if fact, rest := own[i].Read(p); fact != nil {
				return fact, rest.List(cut), Wrap(name, own[i].Err())
			}
		}
		return nil, leftover(own, cut), Wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
	}}
}

// Merged reads all answers as if they were one, but those of failed commands.
func Merged(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := Split(text)
		own := repliesTo(command, replies)
		var all Reply
		for _, r := range own {
			if r.Err() == nil {
				all.lines = append(all.lines, r.lines...)
			}
		}
		fact, rest := all.Read(p)
		if fact == nil {
			return nil, leftover(own, cut), Wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
		}
		return fact, rest.List(cut), Wrap(name, lastError(own))
	}}
}

// AsFile marks a Format of text that need not come from a session.
func AsFile(f Format) Format {
	f.File = true
	return f
}

// Each reads all answers, each by itself, and joins what they say. An answer
// can say something and then that it failed. One that says nothing counts as
// failed only if its echo shows that it was asked this.
func Each(name, command string, p parser, join func(facts []hsm.Fact) hsm.Fact) Format {
	return Format{Name: name, Command: command, Parse: func(text string) (hsm.Fact, []string, error) {
		replies, cut := Split(text)
		own := repliesTo(command, replies)
		var facts []hsm.Fact
		var unread Leftovers
		var failed error
		for _, r := range own {
			fact, rest := r.Read(p)
			if fact != nil || r.command != "" {
				failed = cmp.Or(r.Err(), failed)
			}
			if fact == nil {
				continue
			}
			facts = append(facts, fact)
			for _, line := range rest.Lines {
				unread.Add(line)
			}
			unread.more += rest.more
		}
		if facts == nil {
			return nil, leftover(own, cut), Wrap(name, cmp.Or(lastError(own), ErrUnrecognised))
		}
		return join(facts), unread.List(cut), Wrap(name, failed)
	}}
}

// lastError returns the error of the last reply that failed.
func lastError(replies []Reply) error {
	for i := len(replies) - 1; i >= 0; i-- {
		if err := replies[i].Err(); err != nil {
			return err
		}
	}
	return nil
}

func Wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func leftover(replies []Reply, cut string) []string {
	var rest Leftovers
	for _, r := range replies {
		for _, line := range r.readable() {
			rest.Add(line)
		}
	}
	return rest.List(cut)
}

// Leftovers collects unread lines, the first of them in full.
type Leftovers struct {
	Lines []string
	more  int
}

func (l *Leftovers) Add(line string) {
	line = strings.TrimSpace(line)
	switch {
	case line == "" || IsRule(line):
	case len(l.Lines) < MaxUnread:
		l.Lines = append(l.Lines, Clip(line, 200))
	default:
		l.more++
	}
}

func (l *Leftovers) List(cut string) []string {
	if l.more > 0 {
		l.Lines = append(l.Lines, fmt.Sprintf("... and %d more lines", l.more))
	}
	if cut = strings.TrimSpace(cut); cut != "" {
		l.Lines = append(l.Lines, Clip(cut, 200)+" ... (no line end: may be cut)")
	}
	return l.Lines
}

func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
