package answer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// A Format is one kind of output and its parser.
type Format struct {
	Name    string // such as "hsm-show", as "lunawatch parse" takes it
	Command string // the command that prints it; several are separated by ", "
	File    bool   // the text may be a file, without result lines

	// Read reads a session: one answer, or several, of which the last with
	// content counts (of clients and logs: all).
	//
	// It returns what is certain, and up to [MaxUnread] of the lines that it
	// did not understand. The error is [ErrUnrecognised] if it understood
	// nothing, or a [*CommandError] if the device reports that the command
	// failed; there may be a Fact even then. A last line without a line end
	// may be cut, and is not read unless a result line precedes it.
	Read func(Session) (hsm.Fact, []string, error)
}

// Parse splits the text of a session and reads it.
func (f Format) Parse(text string) (hsm.Fact, []string, error) { return f.Read(Split(text)) }

// CaptureFile returns the name of the format's file in a capture.
func (f Format) CaptureFile() string { return f.Name + ".txt" }

// ErrUnrecognised means that nothing in a text has the expected form. A parser
// returns it rather than an empty Fact: unreadable is not "none".
var ErrUnrecognised = errors.New("nothing recognised")

// MaxUnread is how many unread lines a Format returns one by one.
const MaxUnread = 20

// MaxUnknown is how many lines of no known form a log keeps.
const MaxUnknown = 10_000

// A parser reads the lines of one answer, without echo, prompt and result
// line. It calls unread for each line that it does not understand, and returns
// nil if it understood none.
type parser func(lines []string, unread func(line string)) hsm.Fact

// Latest returns a Format that reads the last answer that p understands.
func Latest(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Read: func(s Session) (hsm.Fact, []string, error) {
		matching := repliesTo(command, s.Replies)
		for _, m := range slices.Backward(matching) {
			if fact, unread := m.Read(p); fact != nil {
				return fact, unread.List(s.cut), Wrap(name, m.Err())
			}
		}
		return nil, allUnread(matching, s.cut), Wrap(name, cmp.Or(lastError(matching), ErrUnrecognised))
	}}
}

// Merged returns a Format that reads all answers as one, except those of
// commands that failed.
func Merged(name, command string, p parser) Format {
	return Format{Name: name, Command: command, Read: func(s Session) (hsm.Fact, []string, error) {
		matching := repliesTo(command, s.Replies)
		var all Reply
		for _, r := range matching {
			if r.Err() == nil {
				all.lines = append(all.lines, r.lines...)
			}
		}
		fact, unread := all.Read(p)
		if fact == nil {
			return nil, allUnread(matching, s.cut), Wrap(name, cmp.Or(lastError(matching), ErrUnrecognised))
		}
		return fact, unread.List(s.cut), Wrap(name, lastError(matching))
	}}
}

// Each returns a Format that reads each answer by itself and joins the facts. An
// answer can have content and an error. The error of one without content counts
// only if its echo shows that it answers this command.
func Each(name, command string, p parser, join func(facts []hsm.Fact) hsm.Fact) Format {
	return Format{Name: name, Command: command, Read: func(s Session) (hsm.Fact, []string, error) {
		matching := repliesTo(command, s.Replies)
		var facts []hsm.Fact
		var unread Unread
		var failed error
		for _, r := range matching {
			fact, lines := r.Read(p)
			if fact != nil || r.command != "" {
				failed = cmp.Or(r.Err(), failed)
			}
			if fact == nil {
				continue
			}
			facts = append(facts, fact)
			for _, line := range lines.Lines {
				unread.Add(line)
			}
			unread.more += lines.more
		}
		if facts == nil {
			return nil, allUnread(matching, s.cut), Wrap(name, cmp.Or(lastError(matching), ErrUnrecognised))
		}
		return join(facts), unread.List(s.cut), Wrap(name, failed)
	}}
}

// AsFile returns f for text that may be a file rather than a session.
func AsFile(f Format) Format {
	f.File = true
	return f
}

// lastError returns the error of the last reply that failed, or nil.
func lastError(replies []Reply) error {
	for _, replie := range slices.Backward(replies) {
		if err := replie.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Wrap adds the name of a format to err, unless that is nil.
func Wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// allUnread returns the lines of replies and cut, as unread.
func allUnread(replies []Reply, cut string) []string {
	var unread Unread
	for _, r := range replies {
		for _, line := range r.readable() {
			unread.Add(line)
		}
	}
	return unread.List(cut)
}

// Unread collects the lines that a parser did not understand.
type Unread struct {
	Lines []string // the first [MaxUnread], clipped to 200 bytes
	more  int      // number of the others
}

// UnreadForm returns the form in which a line is reported as unread.
func UnreadForm(line string) string { return Clip(strings.TrimSpace(line), 200) }

// Add adds a line, unless it is blank or a rule.
func (u *Unread) Add(line string) {
	line = UnreadForm(line)
	switch {
	case line == "" || IsRule(line):
	case len(u.Lines) < MaxUnread:
		u.Lines = append(u.Lines, line)
	default:
		u.more++
	}
}

// List returns the lines, the number of those that are not among them, and cut,
// a last line that may be incomplete, unless it is blank.
func (u *Unread) List(cut string) []string {
	if u.more > 0 {
		u.Lines = append(u.Lines, fmt.Sprintf("... and %d more lines", u.more))
	}
	if cut = strings.TrimSpace(cut); cut != "" {
		u.Lines = append(u.Lines, Clip(cut, 200)+" ... (no line end: may be cut)")
	}
	return u.Lines
}
