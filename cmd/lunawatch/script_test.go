package main

import (
	"context"
	"os"
	"testing"

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
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true})
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
