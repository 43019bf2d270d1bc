package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lunawatch": main,
		"hsm":       main,
	})
}

// TestScripts runs the program as a user types it; testdata/*.txtar are the
// sessions.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: noSleepAtExit, Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"eventually": eventually,
		"exits":      exits,
	}})
}

// noSleepAtExit is for the race detector, which has each program sleep for a
// second at its end.
func noSleepAtExit(env *testscript.Env) error {
	env.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	return nil
}

// eventually PATTERN PROGRAM ARGS... runs a program again and again until its
// output matches.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%q has never matched the output of %q", args[0], args[1:])
}

// exits CODE PROGRAM ARGS... wants a program to end with an exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	var ended *exec.ExitError
	code := 0
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; fmt.Sprint(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// TestCommands holds what the help, completion and the man pages make of every row.
func TestCommands(t *testing.T) {
	for i, c := range commands {
		switch {
		case c.summary == "" || strings.HasSuffix(c.summary, "."):
			t.Errorf("%s: the summary is %q", c.name, c.summary)
		case !slices.Contains(groups, c.group):
			t.Errorf("%s: %q is no group", c.name, c.group)
		case len(c.examples) == 0:
			t.Errorf("%s has no example", c.name)
		case slices.ContainsFunc(commands[:i], func(before command) bool { return before.name == c.name }):
			t.Errorf("%s is there twice", c.name)
		}
		required, _ := c.arguments()
		for _, name := range required {
			if needs[name] == "" {
				t.Errorf("%s: nothing says what %s is", c.name, name)
			}
		}
		for _, e := range c.examples {
			if err := parses(c, e); err != nil {
				t.Errorf("%s: %v", e, err)
			}
		}
		var out strings.Builder
		if code := run(t.Context(), append(strings.Fields(c.name), "-help"), stdio{nil, &out, discard{}}); code != exitOK || !strings.Contains(out.String(), "lunawatch "+c.examples[0]) {
			t.Errorf("%s -help: exit code %d\n%s", c.name, code, &out)
		}
		if strings.Contains(out.String(), " --") {
			t.Errorf("%s -help has a flag with two dashes:\n%s", c.name, &out)
		}
	}
}

// parses reports what is wrong with an example of c.
func parses(c command, example string) error {
	var args []string
	for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(example, -1) {
		args = append(args, strings.Trim(word, `"`))
	}
	found, rest, _ := lookUp(args)
	if found.name != c.name {
		return fmt.Errorf("is an example of %q", found.name)
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(flags)
	_, err := c.parse(flags, rest)
	return err
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// TestExitCodes: the same mistake has the same exit code in every command, and
// docs/terminal.md has them all.
func TestExitCodes(t *testing.T) {
	docs, err := os.ReadFile("../../docs/terminal.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		line          string
		code, verdict int    // verdict: of a command whose exit code is a state
		says          string // in the table
	}{
		{"%s -frobnicate", exitUsage, exitUnknown, "the command line is wrong"},
		{"%s %s one two too many", exitUsage, exitUnknown, "the command line is wrong"},
		{"%s -help", exitOK, exitOK, "done"},
		{"%s %s -control.socket nowhere", exitError, exitUnknown, "no agent answers"},
		{"%s %s -config.file nowhere", exitError, exitUnknown, "a file cannot be read"},
	} {
		if !strings.Contains(string(docs), x.says) {
			t.Errorf("docs/terminal.md does not say %q", x.says)
		}
		for _, c := range commands {
			flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
			c.flags(flags)
			if words := strings.Fields(x.line); strings.Contains(x.line, "nowhere") && (flags.Lookup(words[2][1:]) == nil || c.name == "alarms replay") {
				continue
			}
			if strings.Contains(x.line, "-config.file") && flags.Lookup("control.socket") != nil {
				continue
			}
			line := strings.Replace(strings.Replace(x.line, "%s", c.name, 1), "%s", valid[c.name], 1)
			want := x.code
			if c.verdict {
				want = x.verdict
			}
			var said strings.Builder
			if got := run(t.Context(), strings.Fields(line), stdio{strings.NewReader(""), discard{}, &said}); got != want {
				t.Errorf("%s: exit code %d, want %d: %s", line, got, want, &said)
			}
		}
	}
	for _, x := range []struct {
		line string
		code int
	}{
		{"", exitUsage},
		{"help", exitOK},
		{"nothing", exitUsage},
		{"hsm information monitor -interval 1000", exitUsage},
		{"hsm information monitor -rounds 0", exitUsage},
		{"hsm information monitor -rounds x", exitUsage},
		{"alarms explain nothing", exitUsage},
		{"parse nothing", exitUsage},
		{"parse hsm-show nowhere.txt", exitError},
		{"alarms replay nowhere.txt", exitError},
	} {
		if got := run(t.Context(), strings.Fields(x.line), stdio{strings.NewReader(""), discard{}, discard{}}); got != x.code {
			t.Errorf("%q: exit code %d, want %d", x.line, got, x.code)
		}
	}
}

// valid are arguments and flags that commands need to get as far as the agent.
var valid = map[string]string{
	"alarms show": "1", "alarms unack": "1", "alarms unsilence": "1", "alarms ack": "1 -comment x -by x", "alarms clear": "1 -reason x -by x",
	"alarms silence": "-hsm a -for 1h -reason x -by x", "alarms test": "-by x", "alarms replay": "x", "parse": "hsm-show",
	"plot": "a battery", "trace": "a.battery", "cluster drain": "lw1", "cluster move": "a lw1",
}

// TestMistyped: a command line that is not one names the near one, or what there is.
func TestMistyped(t *testing.T) {
	for _, x := range []struct{ line, want string }{
		{"alarm list", `unknown command "alarm list"; did you mean "lunawatch alarms list"?`},
		{"alarms lsit -json", `unknown command "alarms lsit"; did you mean "lunawatch alarms list"?`},
		{"alarms shwo 17", `did you mean "lunawatch alarms show"?`},
		{"hsm information montior -rounds 2", `did you mean "lunawatch hsm information monitor"?`},
		{"chek-config", `did you mean "lunawatch check-config"?`},
		{"alrms", `unknown command "alrms"; did you mean "lunawatch alarms"?`},
		{"explain ALM2001", `did you mean "lunawatch alarms explain"?`},
		{"alarms frobnicate", `unknown command "alarms frobnicate"; lunawatch alarms -help lists the commands that begin so`},
		{"frobnicate", `unknown command "frobnicate"; lunawatch help lists them`},
		{"alarms list -severty major", `alarms list: unknown flag -severty; did you mean -severity? lunawatch alarms list -help lists the flags`},
		{"alarms list --hms a", `unknown flag -hms; did you mean -hsm?`},
		{"walk -frobnicate", `walk: unknown flag -frobnicate; lunawatch walk -help lists the flags`},
		{"alarms history -n many", `alarms history: invalid value "many" for flag -n`},
		{"alarms list -group batery", `"batery" is not a group of alarms; did you mean "battery"?`},
		{"alarms list -severity majr", `severity "majr" is none of indeterminate, warning, minor, major, critical; did you mean "major"?`},
		{"alarms explain batery", `did you mean "battery"?`},
		{"alarms explain ALM2099", `"ALM2099" is neither`},
		{"parse hsm-shwo", `unknown format "hsm-shwo"; did you mean "hsm-show"?`},
	} {
		var said strings.Builder
		if code := run(t.Context(), strings.Fields(x.line), stdio{nil, discard{}, &said}); code != exitUsage || !strings.Contains(said.String(), x.want) {
			t.Errorf("%s: exit code %d, %swant %s", x.line, code, &said, x.want)
		}
	}
}

// TestGroupsOfCommands: the beginning of several commands lists them.
func TestGroupsOfCommands(t *testing.T) {
	for _, x := range []struct {
		line      string
		code      int
		has, lack string
	}{
		{"alarms", exitUsage, "  alarms replay ", "hsm show"},
		{"alarms -h", exitOK, "  alarms replay ", "hsm show"},
		{"help alarms", exitOK, "  alarms replay ", "hsm show"},
		{"hsm information", exitUsage, "  hsm information monitor ", "hsm show"},
		{"hsm --help", exitOK, "  hsm information monitor ", "alarms"},
		{"help alarms ack", exitOK, `lunawatch alarms ack 17 -comment "on my way"`, "alarms list"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), strings.Fields(x.line), stdio{nil, &out, &errs})
		text := out.String()
		if x.code != exitOK {
			text = errs.String()
		}
		if code != x.code || !strings.Contains(text, x.has) || strings.Contains(text, x.lack) {
			t.Errorf("%s: exit code %d\n%s", x.line, code, text)
		}
	}
}
