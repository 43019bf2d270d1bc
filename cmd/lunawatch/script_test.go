package main

import (
	"flag"
	"fmt"
	"os"
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

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, exitUsage},
		{[]string{"help"}, exitOK},
		{[]string{"nothing"}, exitUsage},
		{[]string{"hsm", "information", "monitor", "-interval", "1000"}, exitUsage},
		{[]string{"hsm", "information", "monitor", "-rounds", "0"}, exitUsage},
		{[]string{"hsm", "information", "monitor", "-rounds", "x"}, exitUsage},
		{[]string{"hsm", "show", "-control.socket", "nowhere"}, exitError},
		{[]string{"check-config", "-config.file", "nowhere"}, exitError},
	} {
		if got := run(t.Context(), c.args, stdio{nil, discard{}, discard{}}); got != c.want {
			t.Errorf("%q: %d, want %d", c.args, got, c.want)
		}
	}
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
