package setting

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// secretWords are parts of keys that secrets are written under.
var secretWords = regexp.MustCompile(`(?i)passw|passphrase|secret|token|key|community|credential|header`)

// secretBehind is a value that has such a key in it, with what it is given.
var secretBehind = regexp.MustCompile(`(?i)(?:passw|passphrase|secret|token|key|community|credential|header)\w*[\s:=]`)

// filePath is a value that says of itself that it is the name of a file.
var filePath = regexp.MustCompile(`^(/|\./|\.\./|` + credential + `)`)

// Hides reports whether a value at a path of keys may be a secret, or hold one, so that
// no error may have it.
func Hides(path, value string) bool {
	if filePath.MatchString(value) && !strings.ContainsAny(value, "@ ") {
		return false
	}
	return secretWords.MatchString(lastKey(path)) || secretBehind.MatchString(value) || holdsUser(value)
}

// lastKey returns the key of a path whose value, or an element of it, is there.
func lastKey(path string) string {
	for strings.HasSuffix(path, "]") {
		path = path[:strings.LastIndex(path, "[")]
	}
	return path[strings.LastIndex(path, ".")+1:]
}

// holdsUser reports whether a value may be an address or a URL with a user in it.
func holdsUser(value string) bool {
	u, err := url.Parse(value)
	return strings.Contains(value, "@") && (err != nil || u.User != nil || strings.Contains(value, ":"))
}

// longest is how much of a value errors show, in characters.
const longest = 60

const notShown = "(not shown: it may be a secret)"

// Shown returns a value as errors have it: quoted and cut, or that it [Hides].
func Shown(path, value string) string {
	if Hides(path, value) {
		return "what is there " + notShown
	}
	if r := []rune(value); len(r) > longest {
		return strconv.Quote(string(r[:longest])) + "..."
	}
	return strconv.Quote(value)
}
