package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"lunasim": main,
		"lunacm":  main,
	})
}

// TestScripts runs the program as a user types it; testdata/*.txtar are the
// sessions.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: noSleepAtExit})
}

// noSleepAtExit is for the race detector, which has each program sleep for a
// second at its end.
func noSleepAtExit(env *testscript.Env) error {
	env.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	return nil
}
