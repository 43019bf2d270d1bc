package config

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
)

// syntaxWords has what is said where the text is no YAML, by a part of what the library
// says. That itself is not passed on: it is about the library's parts, and may quote a
// secret.
var syntaxWords = []struct{ library, say string }{
	{"\t", "a tab is not allowed here; YAML is indented with spaces"},
	{"tab character", "a tab is not allowed here; YAML is indented with spaces"},
	{"-quoted text", "the closing quote is missing"},
	{"escape character", "a backslash in double quotes begins an escape, and there is none like this; use single quotes"},
	{"surrogate", "\\u in double quotes begins a character, and there is none like this; use single quotes"},
	{"reserved character", "text that begins with @ or ` needs quotes"},
	{"header option", "only + or - and a number may follow | or >; text that begins with | or > needs quotes"},
	{"']' not found", "the closing ] is missing"},
	{"corresponding to ']'", "a ] without its ["},
	{"corresponding to '}'", "a } without its {"},
	{"or ']' must", "a comma or the closing ] is missing"},
	{"or '}' must", "a comma or the closing } is missing"},
	{"token '}'", "the closing } is missing"},
	{"flow map content", "the closing } is missing, or a colon and its value"},
	{"but found ','", "a value is missing before the comma"},
	{"anchor", "& begins an anchor, which needs a name and a value; text that begins with & needs quotes"},
	{"alias", "* begins an alias, which needs the name of an anchor; text that begins with * needs quotes"},
	{"tag", "! begins a tag, and this one has no meaning here; text that begins with ! needs quotes"},
	{"directive", "% at the beginning of a line is for YAML itself; text that begins with % needs quotes"},
	{"YAML version", "% at the beginning of a line is for YAML itself; text that begins with % needs quotes"},
	{"document", "--- or ... is where no document begins or ends"},
	{"sequence entries", "a list cannot begin here; put it into lines of its own"},
	{"line break", "a key must be in one line"},
	{"key", "this is no key with a value: keys are plain words, with a colon and a blank behind them"},
	{"value", "this does not belong here: look for a wrong indentation, a colon without a blank behind it, and text with a colon that needs quotes"},
}

// notYAML returns where a text is no YAML, and what is wrong there.
func notYAML(err error) (place, error) {
	wrong := yaml.Error(nil)
	if !errors.As(err, &wrong) {
		return place{1, 1}, errors.New("this is not YAML")
	}
	for _, w := range syntaxWords {
		if strings.Contains(wrong.GetMessage(), w.library) {
			return placeOf(wrong.GetToken()), errors.New(w.say)
		}
	}
	return placeOf(wrong.GetToken()), errors.New("this is not YAML")
}
