// Package answer reads what the command shells of Luna HSMs print: it splits the
// text of a session into answers, finds success or failure in the result line,
// and has the building blocks of parsers: labels, numbers, times, and text from
// terminals and editors. It knows no particular command and no transport.
package answer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/hsm"
)

// A CommandError is a command that the device refused or could not complete.
type CommandError struct {
	Command string   // as echoed; "" if it was not echoed
	Code    string   // from the result line: 65535, 0xa0, C0000105; "" if there is none
	Name    string   // from the result line: Luna Shell execution, CKR_PIN_INCORRECT
	Texts   []string // the device's error lines
}

// Error returns the device's error lines and result.
func (e *CommandError) Error() string {
	result := strings.TrimSpace(e.Code + " " + e.Name)
	if len(e.Texts) == 0 {
		return fmt.Sprintf("the command failed: %s", result)
	}
	if result == "" {
		return "the command failed: " + strings.Join(e.Texts, " ")
	}
	return fmt.Sprintf("the command failed: %s (result %s)", strings.Join(e.Texts, " "), result)
}

// A Session is what one or several commands printed, split into answers once.
type Session struct {
	Text    string // as it came
	Replies []Reply
	cut     string // the last line, if it has no line end and is not a result line
}

// Append adds the answers of t, for which s must be complete.
func (s *Session) Append(t Session) {
	s.Text += "\n" + t.Text
	s.Replies, s.cut = append(s.Replies, t.Replies...), t.cut
}

// Last returns the last answer, without echo, prompts and result line. complete
// reports whether its result line is whole; err is a [*CommandError] if the
// device reports that the command failed.
//
// A session always prints a result line, so an answer that is not complete was
// cut off and must not be used.
func (s Session) Last() (body string, complete bool, err error) {
	if len(s.Replies) == 0 {
		return "", false, nil
	}
	last := s.Replies[len(s.Replies)-1]
	body = strings.Join(append(slices.Clip(last.lines), s.cut), "\n")
	return body, last.Result != nil, last.Err()
}

// A Reply is what one command of a session printed.
type Reply struct {
	command string   // as echoed; "": without an echo
	lines   []string // without echo, prompts and result line
	Result  *Result  // nil: none, or cut off
}

// Read parses r with p, without its error lines. It returns the fact, nil if p
// understood nothing, and the unread lines.
func (r Reply) Read(p parser) (hsm.Fact, *Unread) {
	unread := new(Unread)
	return p(r.readable(), unread.Add), unread
}

// readable returns the lines of r without those that Err reports.
func (r Reply) readable() []string {
	if r.Err() == nil {
		return r.lines
	}
	return slices.DeleteFunc(slices.Clone(r.lines), isErrorLine)
}

// A Result is a parsed result line.
type Result struct {
	ok         bool
	code, name string
}

// Split splits the text of a session.
func Split(text string) Session {
	replies, cut := split(text)
	return Session{Text: text, Replies: replies, cut: cut}
}

func split(text string) (replies []Reply, cut string) {
	lines := unpromptedLines(strings.Split(Clean(text), "\n"))
	ended := lines[len(lines)-1] == ""
	open := false // the last reply has no result line yet
	for i, line := range lines {
		last := i == len(lines)-1 && !ended
		line = strings.TrimRight(line, " \t")
		command, prompt := cutPrompt(line)
		res, isResult := resultLine(line, !last)
		switch {
		case isResult:
			if !open {
				replies = append(replies, Reply{})
			}
			replies[len(replies)-1].Result = res
			open = res == nil
		case prompt:
			open = false // the text before a prompt, such as a banner, is complete
		case strings.TrimSpace(line) == "" && !open:
		case last:
			cut = line
			if !open {
				replies = append(replies, Reply{})
			}
		default:
			if !open {
				replies = append(replies, Reply{})
				open = true
			}
			r := &replies[len(replies)-1]
			r.lines = append(r.lines, line)
		}
		if prompt && command != "" && !last {
			replies = append(replies, Reply{command: command})
			open = true
		}
	}
	return replies, cut
}

// prompts are the prompts of LunaSH, old LunaSH and LunaCM.
var prompts = []string{"lunash:>", "lush:>", "lunacm:>"}

// cutPrompt cuts the prompts that a line begins with, and returns the command typed
// behind them. What looks like a prompt further on may be in a name.
func cutPrompt(line string) (command string, ok bool) {
	for {
		rest := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(rest, "[") { // the host name
			if _, behind, closed := strings.Cut(rest, "] "); closed {
				rest = behind
			}
		}
		i := slices.IndexFunc(prompts, func(p string) bool { return strings.HasPrefix(rest, p) })
		if i < 0 {
			return strings.TrimSpace(line), ok
		}
		line, ok = rest[len(prompts[i]):], true
	}
}

// unpromptedLines moves what LunaCM prints directly behind its prompt to a line of
// its own. LunaCM does so when its commands come from a pipe, without an echo.
func unpromptedLines(lines []string) []string {
	var out []string // nil: same as lines
	for i, line := range lines {
		at := len(line)
		if command, prompt := cutPrompt(line); prompt && command != "" {
			if _, _, label := CutLabel(command); label {
				at = strings.LastIndex(line, command)
			}
		}
		if at < len(line) && out == nil {
			out = slices.Clone(lines[:i])
		}
		switch {
		case at < len(line):
			out = append(out, line[:at], line[at:])
		case out != nil:
			out = append(out, line)
		}
	}
	if out == nil {
		return lines
	}
	return out
}

// resultLine reads a result line in any of its spellings; ended is whether the
// line is known to be whole. It returns nil, true for one that may be cut off.
func resultLine(line string, ended bool) (*Result, bool) {
	if _, ok := CutPrefixFold(strings.TrimLeft(line, " \t"), "command"); !ok {
		return nil, false
	}
	for _, p := range prompts { // one may follow it directly, with the host name
		if before, _, found := strings.Cut(line, p); found {
			line, _, _ = strings.Cut(before, "[")
			ended = true
		}
	}
	rest, ok := CutPrefixFold(Collapse(Clip(line, 500)), "command result")
	if !ok || !strings.HasPrefix(strings.TrimLeft(rest, " "), ":") {
		return nil, false
	}
	rest = strings.TrimLeft(rest, ": ")
	switch strings.ToLower(strings.ReplaceAll(rest, " ", "")) {
	case "0(success)", "(0)success", "(success)", "success!", "0(noerror)", "noerror":
		return &Result{ok: true}, true
	case "success", "0":
		if ended {
			return &Result{ok: true}, true
		}
		return nil, true
	}
	code, name, paren := strings.Cut(rest, "(")
	name, _, closed := strings.Cut(name, ")")
	code = strings.TrimSpace(code)
	if rest == "" || !closed && (paren || !ended) {
		return nil, true
	}
	if !isCode(code) {
		return &Result{name: strings.TrimSpace(rest)}, true
	}
	return &Result{code: code, name: strings.TrimSpace(name)}, true
}

func isCode(s string) bool {
	s = strings.TrimPrefix(strings.ToLower(s), "0x")
	return s != "" && len(s) <= 16 && strings.Trim(s, "0123456789abcdef") == ""
}

// repliesTo returns the replies that may answer one of commands: those whose echo
// is such a command, whole or abbreviated, and those without an echo. If no echo
// matches, it returns all.
func repliesTo(commands string, replies []Reply) []Reply {
	var matching []Reply
	echoed := false
	for _, r := range replies {
		switch {
		case r.command == "":
			matching = append(matching, r)
		case echoes(r.command, commands):
			matching, echoed = append(matching, r), true
		}
	}
	if !echoed {
		return replies
	}
	return matching
}

func echoes(echo, commands string) bool {
	for command := range strings.SplitSeq(commands, ", ") {
		if abbreviates(strings.Fields(echo), strings.Fields(command)) {
			return true
		}
	}
	return false
}

// abbreviates reports whether typed begins with words, each whole or abbreviated
// from its end. Old documents have "hsm -displaylicenses".
func abbreviates(typed, words []string) bool {
	if len(typed) < len(words) {
		return false
	}
	for i, w := range words {
		t := strings.ToLower(strings.TrimPrefix(typed[i], "-"))
		if t == "" || !strings.HasPrefix(w, t) {
			return false
		}
	}
	return true
}

// Err returns a [*CommandError] if the device reports that the command failed,
// else nil.
func (r Reply) Err() error {
	texts := r.errorTexts()
	switch {
	case r.Result != nil && r.Result.ok, r.Result == nil && len(texts) == 0:
		return nil
	case r.Result == nil:
		return &CommandError{Command: r.command, Texts: texts}
	}
	return &CommandError{Command: r.command, Code: r.Result.code, Name: r.Result.name, Texts: texts}
}

// maxTexts bounds the error lines of a CommandError.
const maxTexts = 5

// errorTexts returns the error lines, or, of a failed command that printed none,
// its first lines.
func (r Reply) errorTexts() []string {
	var texts []string
	for _, line := range r.lines {
		if len(texts) < maxTexts && isErrorLine(line) {
			texts = append(texts, Clip(Collapse(line), 200))
		}
	}
	if len(texts) > 0 || r.Result == nil || r.Result.ok {
		return texts
	}
	for _, line := range r.lines {
		if !IsRule(line) && len(texts) < maxTexts {
			texts = append(texts, Clip(Collapse(line), 200))
		}
	}
	return texts
}

func isErrorLine(line string) bool {
	rest, ok := CutPrefixFold(strings.TrimLeft(line, " \t"), "error")
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " "), ":")
}
