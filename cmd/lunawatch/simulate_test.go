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
		code <- run(ctx, []string{"simulate", "--ssh.listen-address", "127.0.0.1:0", "-state-dir", dir, "--scenario", scenario}, stdio{nil, in, &errs})
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
		args := append([]string{"simulate", "inject"}, strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))...)
		if got := run(ctx, args, stdio{nil, io.Discard, &errs}); got != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%s: exit %d, want %d: %s", c.args, got, c.code, errs.String())
		}
	}
	cancel()
	if got := <-code; got != exitOK {
		t.Errorf("exit %d: %s", got, errs.String())
	}
}

func TestSimulateUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-help"}, exitOK, "-ssh.password-file"},
		{nil, exitUsage, "usage: lunawatch simulate"},
		{[]string{"-state-dir", "x", "more"}, exitUsage, "usage:"},
		{[]string{"-state-dir", "x", "-ssh.listen-address", "here"}, exitUsage, `"here" is not host:port`},
		{[]string{"-state-dir", "x", "-scenario", "/nonexistent"}, exitError, "lunawatch simulate: read scenario: open /nonexistent: no such file or directory"},
	} {
		var errs bytes.Buffer
		if got := run(t.Context(), append([]string{"simulate"}, c.args...), stdio{nil, io.Discard, &errs}); got != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: exit %d, want %d: %s", c.args, got, c.code, errs.String())
		}
	}
}
