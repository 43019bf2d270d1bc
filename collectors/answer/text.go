package answer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Clean returns plain text for text of a terminal, a Windows editor or an old
// capture: valid UTF-8, lines that end with "\n" only, no terminal control
// sequences, and a blank for a space of any other kind. TABs stay.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	oldMac := !strings.Contains(text, "\n")
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == 0x1b:
			i += escape(text[i:])
		case c == '\r' && i+1 < len(text) && text[i+1] == '\r': // "\r\r\n"
			i++
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			i++
		case c == '\r' && oldMac, c == '\f':
			b.WriteByte('\n')
			i++
		case c == '\r' || c == '\v': // in a name
			b.WriteByte(' ')
			i++
		case c < utf8.RuneSelf:
			if c >= ' ' && c != 0x7f || c == '\t' || c == '\n' {
				b.WriteByte(c)
			}
			i++
		default:
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				r = charmap.Windows1252.DecodeByte(c) // of a Windows editor
			}
			b.WriteString(printable(r))
			i += n
		}
	}
	return b.String()
}

// CleanLine is [Clean] of one line or one name: it has no line end.
func CleanLine(s string) string { return strings.ReplaceAll(Clean(s), "\n", " ") }

func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

func printable(r rune) string {
	switch {
	case unicode.IsSpace(r) || r == '\u2007': // no end of a line among them: it may be in a name
		return " "
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r): // includes the byte order mark
		return ""
	}
	return string(r)
}

// maxEscape bounds a control sequence, in bytes; a longer one is text.
const maxEscape = 256

// escape returns the length of the control sequence at the start of s.
func escape(s string) int {
	s = s[:min(len(s), maxEscape)]
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s); i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
			if s[i] < 0x20 || s[i] > 0x3f {
				return i
			}
		}
		return 2
	case ']':
		if i := strings.IndexAny(s, "\a\n"); i >= 0 && s[i] == '\a' {
			return i + 1
		}
		if i := strings.Index(s, "\x1b\\"); i > 0 {
			return i + 2
		}
		return 2
	case '(', ')', '#', '%':
		return min(3, len(s))
	}
	if s[1] < ' ' {
		return 1
	}
	return 2
}

// IsRule reports whether line is blank or a drawn rule.
func IsRule(line string) bool { return strings.Trim(line, "=-_|*+~ \t") == "" }

// Collapse trims s and makes each run of blanks and TABs one blank.
func Collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// Clip cuts s to at most n bytes, at the start of a character, and marks the cut
// with "...".
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// Key returns the form in which labels are compared: collapsed, in lower case,
// without the unit or note in parentheses at the end. That of "Space In Use
// (Bytes)" is "space in use".
func Key(s string) string {
	s = strings.ToLower(Collapse(s))
	if i := strings.LastIndex(s, " ("); i > 0 && strings.HasSuffix(s, ")") {
		s = s[:i]
	}
	return s
}

// CutPrefixFold is strings.CutPrefix without regard to ASCII case.
func CutPrefixFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// FirstField returns the first blank-separated field of s.
func FirstField(s string) string {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i]
	}
	return s
}

// CutLast cuts the last blank-separated field off s.
func CutLast(s string) (rest, last string) {
	s = strings.TrimRight(s, " \t")
	i := strings.LastIndexAny(s, " \t") + 1
	return strings.TrimRight(s[:i], " \t"), s[i:]
}

// Columns splits a line at TABs and at runs of two or more blanks. A line of
// more than 4096 bytes is no row of a table; it has none.
func Columns(line string) []string {
	var cols []string
	if len(line) > 4096 {
		return nil
	}
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := len(line)
		for _, sep := range []string{"  ", "\t"} {
			if i := strings.Index(line[:end], sep); i >= 0 {
				end = i
			}
		}
		cols = append(cols, strings.TrimSpace(line[:end]))
		line = line[end:]
	}
	return cols
}

// Token cuts the first word off s, and the blanks and TABs behind it.
func Token(s string) (word, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}
