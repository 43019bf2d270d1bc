package main

import (
	"context"
	"os"
	"regexp"
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

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range commands {
		if c.help == "" {
			t.Errorf("%s has no help", c.words)
		}
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		if code := c.run(context.Background(), []string{"-help"}, stdio{null, discard{}, discard{}}); code != exitOK {
			t.Errorf("%s -help: exit code %d", c.words, code)
		}
		null.Close()
	}
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
