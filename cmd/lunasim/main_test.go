package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/simulator"
)

func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	scenario := filepath.Join(dir, "one.yaml")
	if err := os.WriteFile(scenario, []byte("appliances:\n  - {name: one, model: \"7.2\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- terminal{nil, in, &errs}.run(ctx, []string{"--ssh.listen-address", "127.0.0.1:0", "-state-dir", dir, "--scenario", scenario})
		in.Close()
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no line: %v; %s", err, errs.String())
	}
	var r simulator.Ready
	if err := json.Unmarshal(line, &r); err != nil || len(r.Appliances) != 1 || r.Appliances[0].SSHAddress == "" {
		t.Errorf("ready line %s: %v", line, err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"-state-dir DIR -appliance one tamper chassis", exitOK, ""},
		{"-state-dir DIR explode", exitError, `unknown event "explode"; known are load,`},
		{"-state-dir DIR", exitUsage, "so-login-fail [N]"},
		{"tamper", exitUsage, "usage:"},
		{"-help", exitOK, "Events:"},
		{"-nonsense", exitUsage, "flag provided but not defined"},
	} {
		var errs bytes.Buffer
		args := append([]string{"inject"}, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		if got := (terminal{nil, io.Discard, &errs}).run(ctx, args); got != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%s: exit %d, want %d: %s", c.args, got, c.code, errs.String())
		}
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, errs.String())
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-help"}, exitOK, "-ssh.password-file"},
		{nil, exitUsage, "usage: lunasim -state-dir DIR"},
		{[]string{"-state-dir", "x", "more"}, exitUsage, `lunasim: unexpected argument "more"`},
		{[]string{"lunacm", "-help"}, exitOK, "usage:"},
		{[]string{"lunacm", "more"}, exitUsage, `lunasim lunacm: unexpected argument "more"`},
		{[]string{"-state-dir", "x", "-ssh.listen-address", "here"}, exitUsage, `"here" is not host:port`},
		{[]string{"-state-dir", "x", "-scenario", "/nonexistent"}, exitError, "lunasim: read scenario: open /nonexistent: no such file or directory"},
	} {
		var errs bytes.Buffer
		if got := (terminal{nil, io.Discard, &errs}).run(t.Context(), c.args); got != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: exit %d, want %d: %s", c.args, got, c.code, errs.String())
		}
	}
}
