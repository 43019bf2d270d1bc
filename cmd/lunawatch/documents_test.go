package main

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

var (
	inline   = regexp.MustCompile("`(lunawatch [^`]+)`")
	codeLine = regexp.MustCompile(`(?m)^(?:    )?(?:\$ )?(?:sudo (?:-u \S+ )?)?(lunawatch [a-z-][^\n]*)$`)
	fences   = regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$")
	indented = regexp.MustCompile(`(?m)(?:^    [^\n]*\n)+`)
)

// TestDocumentedCommands: each command line in a document is one that the program takes.
func TestDocumentedCommands(t *testing.T) {
	found := 0
	for name, text := range check.Documents(t, "../..") {
		for _, m := range inline.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			found++
			if err := takes(m[1], true); err != nil {
				t.Errorf("%s: %s: %v", name, m[0], err)
			}
		}
		for _, block := range codeBlocks(text) {
			for _, m := range codeLine.FindAllStringSubmatch(block, -1) {
				found++
				if err := takes(m[1], false); err != nil {
					t.Errorf("%s: %s: %v", name, m[1], err)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d command lines in all documents", found)
	}
}

// codeBlocks returns the code blocks of a Markdown text, fenced and indented.
func codeBlocks(text string) (all []string) {
	for _, m := range fences.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return append(all, indented.FindAllString(fences.ReplaceAllString(text, ""), -1)...)
}

// takes reports what is wrong with a command line. One that a sentence names may lack
// its arguments, and may be the beginning of several.
func takes(line string, named bool) error {
	var args []string
	for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1)[1:] {
		if word == "#" || word == "|" || word == ">" || word == "&&" || word == "..." {
			break
		}
		args = append(args, strings.Trim(word, `"`))
	}
	c, rest, found := lookUp(args)
	switch {
	case found:
	case len(args) > 0 && args[0] == manuals.name:
		c, rest = manuals, args[1:]
	case args[0] == "help", args[0] == "COMMAND", isHelp(args[0]):
		return nil
	default:
		words := wordsOf(args)
		if len(beginning(words)) == 0 {
			return fmt.Errorf("%s", noCommand(args))
		}
		if len(args) > len(words) && !isHelp(args[len(words)]) {
			return fmt.Errorf("%q begins several commands", words)
		}
		return nil
	}
	if named && len(rest) == 0 {
		return nil
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(flags)
	if _, err := c.parse(flags, rest); !errors.Is(err, flag.ErrHelp) {
		return err
	}
	return nil
}
