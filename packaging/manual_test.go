package packaging

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/internal/check"
)

// sample is a command of every form.
func sample() []Command {
	agent := flag.NewFlagSet("agent", flag.ContinueOnError)
	agent.String("config.file", "/etc/lunawatch/lunawatch.yaml", "configuration")
	list := flag.NewFlagSet("alarms list", flag.ContinueOnError)
	list.String("hsm", "", "only of HSMs with this `name`; it's a \\ wildcard")
	list.Bool("json", false, "print JSON")
	flags := func(s *flag.FlagSet) (all []*flag.Flag) {
		s.VisitAll(func(f *flag.Flag) { all = append(all, f) })
		return all
	}
	return []Command{
		{Words: "agent", Summary: "watch the HSMs of a configuration file", Flags: flags(agent)},
		{Words: "hsm show", Summary: "state of the HSMs"},
		{Words: "hsm information show", Summary: "request counters"},
		{Words: "alarms list", Args: "[ALARM]", Summary: "active alarms", Flags: flags(list), Examples: []string{"alarms list", "alarms list -hsm luna-a"}},
	}
}

// TestFiles holds the manual pages and completions of a few commands.
func TestFiles(t *testing.T) {
	files := Files(sample(), "# A comment.\nkey: 'value'\n.dot: back\\slash\n", "1.2.0")
	var got bytes.Buffer
	for _, name := range []string{"man/man1/lunawatch.1", "man/man5/lunawatch.yaml.5", "man/man8/lunawatch.8", "bash-completion/completions/lunawatch", "zsh/vendor-completions/_lunawatch", "fish/vendor_completions.d/lunawatch.fish"} {
		got.WriteString("-- " + name + " --\n" + files[name])
		delete(files, name)
	}
	for name := range files {
		t.Errorf("%s is not held by the golden file", name)
	}
	check.Golden(t, "files.txt", got.Bytes())
}

// TestPagesAreShown has man show what the pages say, without a warning.
func TestPagesAreShown(t *testing.T) {
	need(t, "man", "man-db")
	files := Files(sample(), "key: 'value' # a-b\n.dot: back\\slash\n", "1.2.0")
	for name, want := range map[string]string{
		"man/man1/lunawatch.1":      "lunawatch alarms list -hsm luna-a",
		"man/man5/lunawatch.yaml.5": "key: 'value' # a-b\n       .dot: back\\slash",
		"man/man8/lunawatch.8":      "-config.file string",
	} {
		path := filepath.Join(t.TempDir(), filepath.Base(name))
		check.Must(t, os.WriteFile(path, []byte(files[name]), 0o644))
		cmd := exec.CommandContext(t.Context(), "man", "--warnings", "-E", "ascii", "-l", path)
		cmd.Env = append(os.Environ(), "LC_ALL=C", "MANWIDTH=80", "MANPAGER=cat")
		var warnings bytes.Buffer
		cmd.Stderr = &warnings
		out, err := cmd.Output()
		check.Must(t, err)
		if warnings.Len() > 0 || !strings.Contains(string(out), want) {
			t.Errorf("%s: no %q in\n%s%s", name, want, out, warnings.String())
		}
	}
}

// completions are command lines and what may come next.
var completions = []struct{ line, want string }{
	{"lunawatch ", "agent alarms hsm"},
	{"lunawatch a", "agent alarms"},
	{"lunawatch alarms list -", "-hsm -json"},
	{"lunawatch hsm information ", "show"},
	{"hsm ", "information show"},
	{"/usr/bin/hsm information s", "show"},
}

// TestCompletion has each shell complete command lines.
func TestCompletion(t *testing.T) {
	files, dir := Files(sample(), "", ""), t.TempDir()
	for _, shell := range []struct {
		name, file string
		script     func(file, line string) string // prints what may come next
	}{
		{"bash", "bash-completion/completions/lunawatch", func(file, line string) string {
			return ". " + file + "; IFS=' '; COMP_WORDS=(" + line + `); [[ "` + line + `" == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); IFS=$' \n'; _lunawatch; printf '%s\n' "${COMPREPLY[@]}"`
		}},
		{"zsh", "zsh/vendor-completions/_lunawatch", func(file, line string) string {
			return `compadd() { shift; print -l -- ${(M)@:#${words[CURRENT]}*}; }; words=(` + line + `); [[ "` + line + `" == *' ' ]] && words+=(''); CURRENT=${#words}; . ` + file
		}},
		{"fish", "fish/vendor_completions.d/lunawatch.fish", func(file, line string) string {
			return "source " + file + "; complete -C '" + line + "' | string replace -r '\\t.*' ''; true"
		}},
	} {
		t.Run(shell.name, func(t *testing.T) {
			need(t, shell.name, shell.name)
			file := filepath.Join(dir, shell.name)
			check.Must(t, os.WriteFile(file, []byte(files[shell.file]), 0o644))
			for _, test := range completions {
				got := strings.Fields(string(program(t, dir, nil, shell.name, "-c", shell.script(file, test.line))))
				slices.Sort(got)
				if got := strings.Join(got, " "); got != test.want {
					t.Errorf("%q: %s, want %s", test.line, got, test.want)
				}
			}
		})
	}
}
