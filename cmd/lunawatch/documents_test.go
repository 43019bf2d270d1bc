package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/agent/config"
	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/check"
	"github.com/lunawatch/lunawatch/internal/near"
)

var (
	inline   = regexp.MustCompile("`(lunawatch\\s[^`]+)`")
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

var (
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	braced    = regexp.MustCompile("`([a-z_]+: \\{[^`]*\\})`")
	foreign   = regexp.MustCompile(`(?m)^(?:scrape_configs|groups):`) // of Prometheus
	inFlow    = strings.NewReplacer(", ...}", "}")
)

// TestDocumentedConfiguration: the parser takes each piece of a configuration in a
// document, beside an HSM.
func TestDocumentedConfiguration(t *testing.T) {
	top := topKeys(t)
	found := 0
	for name, text := range check.Documents(t, "../..") {
		var pieces []string
		for _, m := range yamlBlock.FindAllStringSubmatch(text, -1) {
			if !foreign.MatchString(m[1]) {
				pieces = append(pieces, m[1])
			}
		}
		for _, m := range braced.FindAllStringSubmatch(text, -1) {
			if key, _, _ := strings.Cut(m[1], ":"); slices.Contains(top, key) {
				pieces = append(pieces, inFlow.Replace(m[1]))
			}
		}
		for _, piece := range pieces {
			found++
			if !strings.Contains("\n"+piece, "\nhsms:") {
				piece += "\nhsms: [{name: hsm1, replay: captured}]\n"
			}
			if _, err := config.Parse([]byte(piece)); err != nil {
				t.Errorf("%s:\n%s\n%v", name, piece, err)
			}
		}
	}
	if found == 0 {
		t.Error("no piece of a configuration was found")
	}
}

// topKeys returns the keys of the configuration that are not in another.
func topKeys(t *testing.T) (all []string) {
	file, _, _ := strings.Cut(check.Documents(t, "../..")["docs/configure.md"], "\n## `")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`").FindAllStringSubmatch(file, -1) {
		all = append(all, m[1])
	}
	return all
}

var (
	codeNamed  = regexp.MustCompile(`\bALM_?([0-9]{4})\b`)
	groupNamed = regexp.MustCompile("[Aa]larms? \\(?`([a-z]+(?:-[a-z]+)*)`(?:[^:a-z]|$)|-group ([a-z-]+\\*?)")
)

// TestDocumentedAlarms: each code and each group of alarms that a document names is one.
func TestDocumentedAlarms(t *testing.T) {
	codes, named := map[string]bool{}, map[string]bool{}
	var groups []string
	for _, g := range alarms.Groups() {
		groups = append(groups, g.Name)
	}
	for name, text := range check.Documents(t, "../..") {
		for _, m := range codeNamed.FindAllStringSubmatch(text, -1) {
			codes[m[1]] = true
			if _, known := alarms.CodeNamed(m[1]); !known {
				t.Errorf("%s: %s is no code", name, m[0])
			}
		}
		for _, m := range groupNamed.FindAllStringSubmatch(text, -1) {
			group := m[1] + m[2]
			named[group] = true
			if !slices.Contains(groups, group) && !strings.HasSuffix(group, "*") {
				t.Errorf("%s: %q is no group of alarms; near is %q", name, m[0], near.Name(group, groups))
			}
		}
	}
	if len(codes) == 0 || len(named) == 0 {
		t.Errorf("codes: %d, groups: %q", len(codes), slices.Sorted(maps.Keys(named)))
	}
}

// TestTroubleshooting: docs/troubleshooting.md says of each layer, of each way in which a
// source fails, and of each warning of check-config what alarms explain says.
func TestTroubleshooting(t *testing.T) {
	text := check.Documents(t, "../..")["docs/troubleshooting.md"]
	for _, l := range hsm.Layers() {
		if row := fmt.Sprintf("\n| `%s` | %s | ", l, l.Words()); !strings.Contains(text, row) {
			t.Errorf("docs/troubleshooting.md has no row %s", row)
		}
	}
	for _, f := range []hsm.Failure{hsm.Timeout, hsm.Command, hsm.Unrecognised, hsm.Incomplete} {
		if row := fmt.Sprintf("\n| `%s` | ", f); !strings.Contains(text, row) {
			t.Errorf("docs/troubleshooting.md has no row %s", row)
		}
	}
	_, text, _ = strings.Cut(text, "|---|---|---|\n")
	var all strings.Builder
	run(t.Context(), []string{"alarms", "explain"}, stdio{nil, &all, &all})
	_, warnings, _ := strings.Cut(all.String(), "\nWarnings of check-config")
	for _, m := range regexp.MustCompile(`(?m)^  (\S+(?: \S+)*)  `).FindAllStringSubmatch(warnings, -1) {
		if row := fmt.Sprintf("\n| `%s` | ", m[1]); !strings.Contains(text, row) {
			t.Errorf("docs/troubleshooting.md has no row %s", row)
		}
	}
	text, _, _ = strings.Cut(text, "\n## What the log says\n")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.+) \\| (.+) \\|$").FindAllStringSubmatch(text, -1) {
		var out strings.Builder
		run(t.Context(), []string{"alarms", "explain", row[1]}, stdio{nil, &out, &out})
		if !strings.Contains(out.String(), row[2]) || !strings.Contains(out.String(), row[3]) {
			t.Errorf("docs/troubleshooting.md: %s\n%s", row[0], &out)
		}
	}
}

// TestDocumentedCommandsPerDay holds what docs/sources.md says that polling costs.
func TestDocumentedCommandsPerDay(t *testing.T) {
	n, lines := config.HSM{Intervals: config.Default().Intervals}.Cost(5)
	if cost := fmt.Sprintf("%d commands and %d lines a day", n, lines); !strings.Contains(check.Documents(t, "../..")["docs/sources.md"], cost) {
		t.Errorf("docs/sources.md does not say %q", cost)
	}
}
