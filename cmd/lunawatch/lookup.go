package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lunawatch/lunawatch/internal/near"
)

// lookUp returns the command that a command line begins with, and what follows it.
func lookUp(args []string) (c command, rest []string, found bool) {
	for _, c := range commands {
		n := len(strings.Fields(c.name))
		if len(args) >= n && strings.Join(args[:n], " ") == c.name {
			return c, args[n:], true
		}
	}
	return command{}, nil, false
}

// beginning returns the commands that begin with words: those of "alarms".
func beginning(words []string) []command {
	prefix := strings.Join(append(slices.Clip(words), ""), " ")
	return slices.DeleteFunc(slices.Clone(commands), func(c command) bool { return !strings.HasPrefix(c.name, prefix) })
}

// wordsOf returns what a command line has before its flags.
func wordsOf(args []string) []string {
	if i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "-") }); i >= 0 {
		return args[:i]
	}
	return args
}

// noCommand says what is wrong with a command line that begins with no command.
func noCommand(args []string) string {
	words := wordsOf(args)
	known := 0
	for known < len(words) && len(beginning(words[:known+1])) > 0 {
		known++
	}
	for n := min(3, len(words)); n > known; n-- {
		if meant := near.Name(strings.Join(words[:n], " "), names(n)); meant != "" {
			return fmt.Sprintf("unknown command %q%s", strings.Join(words[:n], " "), didYouMean("lunawatch "+meant, ""))
		}
	}
	text := fmt.Sprintf("unknown command %q", strings.Join(words[:known+1], " "))
	if known > 0 {
		return fmt.Sprintf("%s; lunawatch %s -help lists the commands that begin so", text, strings.Join(words[:known], " "))
	}
	for _, c := range commands {
		if strings.HasSuffix(c.name, " "+words[0]) { // explain, of alarms explain
			return text + didYouMean("lunawatch "+c.name, "")
		}
	}
	return text + "; lunawatch help lists them"
}

// names returns the first n words of every command that has so many.
func names(n int) (list []string) {
	for _, c := range commands {
		if words := strings.Fields(c.name); len(words) >= n {
			list = append(list, strings.Join(words[:n], " "))
		}
	}
	return list
}

// didYouMean asks for the name that was meant, if it is not "", and says where all are.
func didYouMean(meant, all string) string {
	if meant == "" {
		return "; " + all
	}
	return strings.TrimSpace(fmt.Sprintf("; did you mean %q? %s", meant, all))
}

var undefined = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)

// usage prints commands by their group, and where there is more.
func usage(w io.Writer, list []command) {
	for _, group := range groups {
		heading := "\n" + group + ":\n"
		for _, c := range list {
			if c.group == group {
				fmt.Fprintf(w, "%s  %-26s %s\n", heading, c.name, c.summary)
				heading = ""
			}
		}
	}
	fmt.Fprintln(w, "\nlunawatch COMMAND -help has examples, and lists the flags of a command.")
}
