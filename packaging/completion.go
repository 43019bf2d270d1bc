package packaging

import (
	"fmt"
	"slices"
	"strings"
)

// follows returns what may follow some words of a command line: next words of commands,
// and the flags of the command that the words are.
func follows(commands []Command) (words, flags map[string][]string) {
	words, flags = make(map[string][]string), make(map[string][]string)
	for _, c := range commands {
		before := ""
		for w := range strings.FieldsSeq(c.Words) {
			if !slices.Contains(words[before], w) {
				words[before] = append(words[before], w)
			}
			before = strings.TrimSpace(before + " " + w)
		}
		for _, f := range c.Flags {
			flags[c.Words] = append(flags[c.Words], "-"+f.Name)
		}
	}
	return words, flags
}

// keys returns those of both maps, in order.
func keys(words, flags map[string][]string) (all []string) {
	for _, m := range []map[string][]string{words, flags} {
		for k := range m {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// cases returns the branches of a shell's case: for each command so far, what may follow.
func cases(commands []Command, branch func(before string, next []string) string) string {
	words, flags := follows(commands)
	var b strings.Builder
	for _, before := range keys(words, flags) {
		b.WriteString(branch(before, slices.Concat(words[before], flags[before])))
	}
	return b.String()
}

// bash completes words, then flags, then files. The link hsm has the commands of
// "lunawatch hsm".
func bash(commands []Command) string {
	branch := func(before string, next []string) string {
		return fmt.Sprintf("\t%q) next=%q ;;\n", before, strings.Join(next, " "))
	}
	return `# Completion of lunawatch and hsm for bash, made of the program's own table of commands.
_lunawatch() {
	local cur=${COMP_WORDS[COMP_CWORD]} words= word next=
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] && break
		words=${words:+$words }$word
	done
	[[ ${COMP_WORDS[0]##*/} == hsm ]] && words=hsm${words:+ $words}
	case $words in
` + cases(commands, branch) + `	esac
	COMPREPLY=($(compgen -W "$next" -- "$cur"))
}
complete -o default -F _lunawatch lunawatch hsm
`
}

// zsh is the same with zsh's words.
func zsh(commands []Command) string {
	branch := func(before string, next []string) string {
		return fmt.Sprintf("\t(%q) next=(%s) ;;\n", before, strings.Join(next, " "))
	}
	return `#compdef lunawatch hsm
# Completion of lunawatch and hsm for zsh, made of the program's own table of commands.
_lunawatch() {
	local said='' word
	local -a next
	for word in ${words[2,CURRENT-1]}; do
		[[ $word == -* ]] && break
		said=${said:+$said }$word
	done
	[[ ${words[1]:t} == hsm ]] && said=hsm${said:+ $said}
	case $said in
` + cases(commands, branch) + `	esac
	compadd -- $next || _files
}
_lunawatch "$@"
`
}

// fish has a line for each word and each flag, with its description.
func fish(commands []Command) string {
	var b strings.Builder
	b.WriteString(`# Completion of lunawatch and hsm for fish, made of the program's own table of commands.
function __lunawatch_after
    set -l said (commandline -opc)
    test (path basename -- $said[1]) = hsm; and set said[1] hsm; or set -e said[1]
    set -l words
    for word in $said
        string match -q -- '-*' $word; and break
        set -a words $word
    end
    test "$words" = "$argv"
end
`)
	words, _ := follows(commands)
	for _, before := range keys(words, nil) {
		fmt.Fprintf(&b, "complete -c lunawatch -c hsm -f -n %s -a %s\n", fishQuoted("__lunawatch_after "+before), fishQuoted(strings.Join(words[before], " ")))
	}
	for _, c := range commands {
		for _, f := range c.Flags {
			fmt.Fprintf(&b, "complete -c lunawatch -c hsm -n %s -o %s -d %s\n", fishQuoted("__lunawatch_after "+c.Words), f.Name, fishQuoted(strings.ReplaceAll(f.Usage, "`", "")))
		}
	}
	return b.String()
}

func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
